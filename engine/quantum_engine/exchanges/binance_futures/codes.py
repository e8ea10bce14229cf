"""What each code of the venue means for the request that got it, and what to do next.  Pure; one table.

In    a code of the venue's error body
Out   its Outcome, the venue's own word, and the sentence that ends the message for people
Flow  outcome -> HERE
Why   one row a code, so that the table can be read beside the venue's list; what is not listed is refused when the venue answered 4xx
      with a code, and unknown otherwise

https://developers.binance.com/docs/derivatives/usds-margined-futures/error-code
"""

from enum import StrEnum
from typing import Final, NamedTuple


class Outcome(StrEnum):
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    """Understood and surely not done."""
    CANNOT_TRADE = "CANNOT_TRADE"
    """Refused, and so will be every other request of this account until a person changes something."""
    THROTTLED = "THROTTLED"
    """Surely not done, and not to be repeated before ``retry_after_seconds``."""
    NOT_DONE = "NOT_DONE"
    """Surely not done, for no fault of the request: never sent, or the venue shed load."""
    UNKNOWN = "UNKNOWN"
    """It may have been done."""
    DUPLICATE_ID = "DUPLICATE_ID"
    """An order with this client id is open: probably ours."""


class Row(NamedTuple):
    """Of the table below."""

    outcome: Outcome
    word: str
    """As the venue names the code."""
    next: str
    """What to do or to check."""


_REFUSED, _UNKNOWN, _CANNOT_TRADE = Outcome.REFUSED, Outcome.UNKNOWN, Outcome.CANNOT_TRADE
_ASK = "ask by client order id before acting"
_CODES: Final[tuple[tuple[int, Row], ...]] = (
    (-1000, Row(_UNKNOWN, "UNKNOWN", _ASK)),            # "an unknown error occurred while processing the request"
    (-1001, Row(_UNKNOWN, "DISCONNECTED", _ASK)),       # "internal error; unable to process your request"
    (-1002, Row(_CANNOT_TRADE, "UNAUTHORIZED", "check that the API key may trade futures")),
    (-1003, Row(Outcome.THROTTLED, "TOO_MANY_REQUESTS", "wait as long as the venue says; look for other programs behind this address")),
    (-1006, Row(_UNKNOWN, "UNEXPECTED_RESP", _ASK)),    # "execution status unknown"
    (-1007, Row(_UNKNOWN, "TIMEOUT", _ASK)),            # "send status unknown; execution status unknown"
    (-1008, Row(Outcome.NOT_DONE, "SERVER_BUSY", "wait and send again; reduce-only orders are exempt")),
    (-1015, Row(Outcome.THROTTLED, "TOO_MANY_ORDERS", "wait for the next window of order counts; this is no ban")),
    (-1021, Row(_REFUSED, "INVALID_TIMESTAMP", "the clock is set from the venue's and the request made again")),
    (-1022, Row(_CANNOT_TRADE, "INVALID_SIGNATURE", "check that the account file's secret or private key belongs to its apiKey")),
    (-2010, Row(_REFUSED, "NEW_ORDER_REJECTED", "read the venue's reason")),
    (-2011, Row(_REFUSED, "CANCEL_REJECTED", "it has ended, or is an order of the other service (regular, algo): ask both")),
    (-2013, Row(_REFUSED, "NO_SUCH_ORDER", "it never came, ended days ago, or is an order of the other service (regular, algo): ask both")),
    (-2014, Row(_CANNOT_TRADE, "BAD_API_KEY_FMT", "check apiKey in the account file: it is no key")),
    (-2015, Row(_CANNOT_TRADE, "REJECTED_MBX_KEY", "check that the key exists, may trade futures and allows this IP address")),
    (-2019, Row(_REFUSED, "MARGIN_NOT_SUFFICIENT", "compare the free balance with the order's margin")),
    (-2021, Row(_REFUSED, "ORDER_WOULD_IMMEDIATELY_TRIGGER", "the price has passed the trigger: close at the market instead")),
    (-2022, Row(_REFUSED, "REDUCE_ONLY_REJECT", "look at the position: it is flat already, or other exits rest")),
    (-4116, Row(Outcome.DUPLICATE_ID, "DUPLICATED_CLIENT_TRAN_ID", _ASK)),
    (-4118, Row(_REFUSED, "REDUCE_ONLY_MARGIN_CHECK_FAILED", "cancel resting reduce-only and algo orders, then close again")),
    (-4120, Row(_REFUSED, "STOP_ORDER_SWITCH_ALGO", "conditional orders belong to /fapi/v1/algoOrder")),
    (-4131, Row(_REFUSED, "MARKET_ORDER_REJECT", "the book is too thin for a market order (PERCENT_PRICE): send less, or a limit order")),
    (-4164, Row(_REFUSED, "MIN_NOTIONAL", "below the least notional of an order that is not reduce-only")),
    (-5028, Row(_REFUSED, "ME_RECVWINDOW_REJECT", "the clock is set from the venue's and the request made again")),
)  # fmt: skip
CODES: Final = dict(_CODES)
STAMP_REFUSED: Final = (-1021, -5028)
"""The matching engine's window beside the gateway's."""


def advice(code: int) -> str:
    """What ends a message for people; empty for a code that nobody described."""
    row = CODES.get(code)
    return row.next if row else ""
