"""Reads request parameters the way the venue does.  Pure.

In    raw query string and form body
Out   str -> str; typed values; -1100, -1102, -1106 for what is wrong
Flow  rest.server, endpoints -> HERE
Why   a parameter in the query wins over the same one in the body; numbers are matched, never guessed
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from quantum_simulator.refusals import VenueRefusal, missing

Params = Mapping[str, str]
NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
INTEGER: Final = re.compile(r"[0-9]{1,20}")
Word = TypeVar("Word", bound=str)


def parse(text: str) -> dict[str, str]:
    if "%" in text or "+" in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    return {name: value for name, _, value in [part.partition("=") for part in text.split("&") if part]}


def merge(query: str, body: str) -> dict[str, str]:
    return parse(query) if not body else parse(body) | parse(query)


def need(params: Params, name: str) -> str:
    value = params.get(name)
    if not value:
        raise missing(name)
    return value


def illegal(name: str, legal: str) -> VenueRefusal:
    return VenueRefusal(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def decimal(params: Params, name: str) -> Decimal:
    value = need(params, name)
    if not NUMBER.fullmatch(value):
        raise illegal(name, r"^([0-9]{1,20})(\.[0-9]{1,20})?$")
    return Decimal(value)


def integer(params: Params, name: str, default: int | None = None) -> int:
    if default is not None and name not in params:
        return default
    value = need(params, name)
    if not INTEGER.fullmatch(value):
        raise illegal(name, "^[0-9]{1,20}$")
    return int(value)


def optional_integer(params: Params, name: str) -> int | None:
    return integer(params, name) if name in params else None


def limit(params: Params, default: int, largest: int) -> int:
    return max(1, min(integer(params, "limit", default), largest))


def boolean(params: Params, name: str) -> bool:
    value = params.get(name, "false").lower()
    if value not in {"true", "false"}:
        raise missing(name)
    return value == "true"


def word(params: Params, name: str, allowed: tuple[Word, ...], refusal: VenueRefusal) -> Word:
    value = need(params, name)
    if value not in allowed:
        raise refusal
    return value


def forbid(params: Params, *names: str) -> None:
    for name in names:
        if name in params:
            raise VenueRefusal(-1106, f"Parameter '{name}' sent when not required.")
