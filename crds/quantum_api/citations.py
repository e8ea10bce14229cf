"""Sources for limits and their defaults, and the sentence `kubectl explain` prints.  Pure."""

from typing import Final

RTS6_12: Final = "RTS 6 (EU 2017/589) art. 12 (kill functionality)"
RTS6_15_1A: Final = "RTS 6 art. 15(1)(a) (price collars)"
RTS6_15_1B: Final = "RTS 6 art. 15(1)(b) (maximum order value)"
RTS6_15_1D: Final = "RTS 6 art. 15(1)(d) (maximum messages limit)"
RTS6_15_3: Final = "RTS 6 art. 15(3) (repeated automated execution)"
RTS6_15_4: Final = "RTS 6 art. 15(4) (market and credit limits)"
RTS6_15_5: Final = "RTS 6 art. 15(5) (permission for the instrument)"
RTS6_17_4: Final = "RTS 6 art. 17(4) (position limits)"
SEC_15C3_5: Final = "SEC rule 15c3-5(c)(1)"
FIA_KILL: Final = "FIA Guide 2015 §1.11 (kill switch)"
HOUSE: Final = "house"


def audited(sentence: str, *, unit: str, source: str = HOUSE) -> str:
    """A field's description: what it means, its unit, and who asks for it."""
    return f"{sentence} Unit: {unit}. Source: {source}."
