"""Opens recorded markets: a directory of Binance's public kline and trade files.

In    ``<SYMBOL>-1s….csv``, ``<SYMBOL>-1m….csv`` or ``<SYMBOL>-trades….csv``, also as ``.csv.gz`` or ``.zip``
Out   a ``Recording`` per symbol: its instrument, its start, its deals as often as they are asked for
Flow  settings -> HERE -> venue
Why   files of data.binance.vision are used as they come down; what cannot be read stops the start and names file, line and rule
"""

import gzip
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Final

from quantum_simulator.core.instruments import DEFAULT_INSTRUMENTS, Instrument, recorded_instrument
from quantum_simulator.decimals import digits_after_point
from quantum_simulator.market.replay import Recording
from quantum_simulator.market.rows import BadRowError, Deal, as_deals, deals, klines

NAME: Final = re.compile(r"(?P<symbol>[A-Z0-9]+USDT)-(?P<kind>1s|1m|trades)\b.*\.(csv|csv\.gz|zip)")
ROWS_LOOKED_AT: Final = 2_000
"""Of a symbol that is not listed, to learn its tick and its step."""


class BadMarketFileError(Exception):
    """The file cannot be replayed; correct it and start again."""


def read_recordings(directory: Path) -> tuple[Recording, ...]:
    if not directory.is_dir():
        raise BadMarketFileError(f"{directory} is not a directory; give --replay-dir one with files like BTCUSDT-1s-2025-10-10.csv")
    named = [(_named(path), path) for path in sorted(directory.iterdir()) if path.is_file() and not path.name.startswith((".", "README"))]
    if not named:
        raise BadMarketFileError(
            f"{directory} holds no market file; name it like BTCUSDT-1s-2025-10-10.csv or BTCUSDT-trades-2025-10-10.zip"
        )
    by_symbol = groupby(sorted(named), key=lambda each: each[0][0])
    return tuple(_recording(symbol, [(kind, path) for (_, kind), path in files]) for symbol, files in by_symbol)


def _named(path: Path) -> tuple[str, str]:
    match = NAME.fullmatch(path.name)
    if match is None:
        raise BadMarketFileError(
            f"{path}: the name says no symbol and kind; name it like BTCUSDT-1s-2025-10-10.csv or BTCUSDT-trades-….zip"
        )
    return match["symbol"], match["kind"]


def _recording(symbol: str, files: list[tuple[str, Path]]) -> Recording:
    if len({kind for kind, _ in files}) > 1:
        raise BadMarketFileError(f"{files[0][1].parent}: {symbol} has files of several kinds; keep one of 1s, 1m and trades")
    opened = partial(_deals, files)
    looked_at = list(islice(opened(), ROWS_LOOKED_AT))
    if not looked_at:
        raise BadMarketFileError(f"{files[0][1]}: no row")
    return Recording(_instrument(symbol, looked_at), looked_at[0].at_ms, opened)


def _instrument(symbol: str, looked_at: list[Deal]) -> Instrument:
    tick = max(digits_after_point(each.price) for each in looked_at)
    step = max(digits_after_point(each.quantity) for each in looked_at)
    return recorded_instrument(
        symbol, looked_at[0].price, Decimal(1).scaleb(-tick), Decimal(1).scaleb(-step), DEFAULT_INSTRUMENTS.get(symbol)
    )


def _deals(files: list[tuple[str, Path]]) -> Iterator[Deal]:
    """Line by line: a day of trades does not fit into memory."""
    last_ms = 0
    for kind, path in files:
        parse: Callable[[Iterable[str]], Iterator[Deal]] = deals if kind == "trades" else _deals_of_klines
        try:
            for each in parse(_lines(path)):
                if each.at_ms < last_ms:
                    raise BadMarketFileError(f"{path}: begins before the file before it ends; keep files that follow each other")
                last_ms = each.at_ms
                yield each
        except (BadRowError, OSError, zipfile.BadZipFile, UnicodeDecodeError) as error:
            raise BadMarketFileError(f"{path}: {error}") from error


def _deals_of_klines(lines: Iterable[str]) -> Iterator[Deal]:
    return chain.from_iterable(as_deals(each) for each in klines(lines))


def _lines(path: Path) -> Iterator[str]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as inner:
            yield from io.TextIOWrapper(inner, "utf-8")
    elif path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as text:
            yield from text
    else:
        with path.open(encoding="utf-8") as text:
            yield from text
