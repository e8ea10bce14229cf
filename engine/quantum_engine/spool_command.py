"""`quantum-engine spool export|import`: the outbox of a stopped engine as JSON lines, and back.

Flow  a person, with the engine stopped -> HERE -> adapters/spool_file.py
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from pydantic import ValidationError

from quantum_engine.adapters import spool_file
from quantum_engine.adapters.journal_lock import JournalLock
from quantum_engine.adapters.sqlite_journal import SqliteJournal
from quantum_engine.errors import EngineError
from quantum_engine.settings import Settings

EXIT_REFUSED: Final = 6
_T = TypeVar("_T")

app = typer.Typer(help="Events that Redis has not taken, as a file; the engine must be stopped.", no_args_is_help=True)


@app.command(name="export")
def export_spool(file: Annotated[Path, typer.Argument(help="Where to write; must not exist.")]) -> None:
    """Write every event of the outbox as one line of JSON.  Nothing is removed."""
    with _refusals():
        settings = _settings()
        if file.exists():
            raise FileExistsError(f"{file.name} exists; name another file")
        lines = _on_journal(settings, lambda journal: spool_file.exported(journal, settings.engine))
        _write_whole(file, b"".join(line + b"\n" for line in lines))
    typer.echo(f"{len(lines) - 2} events of {settings.engine} written to {file.name}")


@app.command(name="import")
def import_spool(file: Annotated[Path, typer.Argument(help="A file that `spool export` wrote.")]) -> None:
    """Add the file's events to the outbox; the engine sends them after its start.  Events that are there already are passed over."""
    with _refusals():
        settings = _settings()
        spooled = spool_file.parsed(file.read_bytes().splitlines())
        added = _on_journal(settings, lambda journal: spool_file.imported(journal, settings.engine, spooled))
    typer.echo(f"{added} of {len(spooled.events)} events added to the outbox of {settings.engine}")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (EngineError, OSError, ValidationError) as error:
        typer.echo(f"refused: {error}", err=True)
        raise typer.Exit(EXIT_REFUSED) from error


def _settings() -> Settings:
    return Settings()


def _on_journal(settings: Settings, work: Callable[[SqliteJournal], Awaitable[_T]]) -> _T:
    async def run() -> _T:
        journal = SqliteJournal(settings.journal_path)
        await journal.open()
        try:
            return await work(journal)
        finally:
            await journal.close()

    with JournalLock(settings.journal_path, patience_seconds=0.0):
        return asyncio.run(run())


def _write_whole(file: Path, content: bytes) -> None:
    """Whole or not at all."""
    draft = file.with_name(f".{file.name}.draft")
    with draft.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    draft.rename(file)
