"""Merges what several objects say about one engine: per field the tightest wins.  Pure.

In    Limits of every policy, specs of every mode that selects one engine
Out   one Limits or None, one Strategy or None, and a sentence for each thing that had to be settled
Flow  resolve -> HERE
Why   the direction of each field is its own ``Tightens`` mark, so a new limit merges right without a line here

Parameters of a strategy that bear a mark are merged over *all* modes that select the engine, not only the winner's: otherwise adding a
more defensive mode with one bold parameter would loosen.  The others (lengths of averages) belong together and come from the winner.
"""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel

from quantum_api.model import Tightens
from quantum_api.strategy_mode import MODE_DEFAULTS, Strategy, StrategyModeSpec, StrategyParameters
from quantum_api.trading_policy import Limits


def _marks(model: type[BaseModel]) -> dict[str, Tightens]:
    found = {name: next((m for m in f.metadata if isinstance(m, Tightens)), None) for name, f in model.model_fields.items()}
    return {name: mark for name, mark in found.items() if mark is not None}


_LIMIT_MARKS: Final = _marks(Limits)
_PARAMETER_MARKS: Final = _marks(StrategyParameters)
_PLAIN_PARAMETERS: Final = tuple(name for name in StrategyParameters.model_fields if name not in _PARAMETER_MARKS)


def tightest(mark: Tightens, values: Sequence[Any]) -> Any:
    """The most restrictive of ``values``."""
    match mark:
        case Tightens.SMALLER:
            return min(values)
        case Tightens.LARGER:
            return max(values)
        case Tightens.STRONGER:
            order = list(type(values[0]).__members__.values())
            return max(values, key=order.index)
        case Tightens.SUBSET:
            return sorted(set.intersection(*map(set, values)))


def merge_limits(limits: Sequence[Limits]) -> Limits | None:
    """None when no instrument is left that all of them permit."""
    merged = {name: tightest(mark, [getattr(each, name) for each in limits]) for name, mark in _LIMIT_MARKS.items()}
    return Limits(**merged) if merged["instruments"] else None


def merge_modes(modes: Sequence[tuple[str, StrategyModeSpec]]) -> tuple[Strategy | None, tuple[str, ...]]:
    """``modes`` by name, in any order."""
    if not modes:
        return None, ()
    mode = max((spec.mode for _, spec in modes), key=lambda m: m.defensiveness)
    own = MODE_DEFAULTS[mode]
    winners = [spec.parameters for _, spec in sorted(modes, key=lambda named: named[0]) if spec.mode is mode]
    plain = {name: _first_set(winners, name, getattr(own, name)) for name in _PLAIN_PARAMETERS}
    marked = {name: tightest(mark, [_settled(spec, name) for _, spec in modes]) for name, mark in _PARAMETER_MARKS.items()}
    notes: tuple[str, ...] = ()
    if plain["fast_bars"] >= plain["slow_bars"]:
        notes = (f"fastBars {plain['fast_bars']} is not below slowBars {plain['slow_bars']} once settled: {mode}'s own are used",)
        plain |= {"fast_bars": own.fast_bars, "slow_bars": own.slow_bars}
    return Strategy(mode=mode, **plain, **marked), notes


def _settled(spec: StrategyModeSpec, name: str) -> Any:
    value = getattr(spec.parameters, name)
    return getattr(MODE_DEFAULTS[spec.mode], name) if value is None else value


def _first_set(parameters: Sequence[StrategyParameters], name: str, default: Any) -> Any:
    return next((value for each in parameters if (value := getattr(each, name)) is not None), default)
