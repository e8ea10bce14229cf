"""What other programs send to POST /execution/intents, and what they are told.  Pure.

Flow  program -> HTTP -> engine: gate, write-ahead, exchange -> IntentVerdict
Why   the same path as the engine's own strategy takes: nothing that comes this way passes a check that the strategy does not pass

401, 408, 413, 422, 429, 503 and REFUSED leave nothing behind: the same id may be sent again (after a REFUSED that came while the intent was
written down, 409 says so).  Give an id: without one an answer that gets lost cannot be asked about.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator

from quantum_api.model import ApiModel
from quantum_api.refusals import Refusal

MAX_INTENT_BYTES: Final = 4_096
CODES: Final[tuple[tuple[int, str, str], ...]] = (
    (200, "IntentVerdict", "ACCEPTED: the exchange has the order"),
    (202, "IntentVerdict", "PENDING: it may be live and nobody can say yet; ask again with the same id, never with another"),
    (403, "IntentVerdict", "REFUSED by the engine's gate, with the word and the numbers it compared; nothing was sent"),
    (409, "IntentVerdict", "DUPLICATE_INTENT, with what became of the first intent of this id"),
    (424, "IntentVerdict", "DECLINED: the exchange refused (its code), or could not be asked and surely did nothing (code 0)"),
    (422, "IntentMalformed", "the body breaks the schema; each problem names field, rule and fix"),
    (413, "message", "the body is too large"),
    (408, "message", "the body did not arrive in time"),
    (429, "message", "too many intents at once, or exits in one second; Retry-After says when"),
    (401, "message", "the bearer token is missing or wrong"),
    (403, "message", "this engine was given no token for intents, so the route is closed"),
    (500, "message", "the engine failed while it carried the intent out: it may be live; ask again with the same id"),
    (503, "message", "this engine has no exchange"),
)
"""HTTP code, body, meaning."""


def _above_zero(text: str) -> str:
    if not text.strip("0."):
        raise ValueError("must be above 0")
    return text


Amount = Annotated[str, Field(pattern=r"^[0-9]{1,15}(\.[0-9]{1,15})?$"), AfterValidator(_above_zero)]
"""A plain decimal number as a string: no sign, exponent, NaN or infinity, and no JSON number, which would have lost digits on its way."""
Stamp = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/@-]{1,64}$")]


class Told(ApiModel):
    """What fields say of themselves stands in the reference page and in OpenAPI."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class IntentRequest(Told):
    """Body of POST /execution/intents.  It cannot claim to be an emergency exit: those come from stops alone."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:/@-]{1,64}$")] | None = None
    """Idempotency key: sent again within a day, and among the last 20 000 intents, it never becomes a second order."""
    symbol: Annotated[str, Field(pattern=r"^[A-Z0-9_]{1,32}$")]
    """The exchange's own name."""
    side: Literal["BUY", "SELL"]
    quantity: Amount
    """In the symbol's own units, on its lot grid: a decimal string without sign or exponent."""
    price: Amount | None = None
    """Limit; without one it is a market order."""
    time_in_force: Literal["GTC", "IOC", "FOK", "GTX"] | None = None
    """How long a limit order rests: until cancelled; what fills at once; all at once or nothing; only if it rests.  GTC when left out."""
    reduce_only: bool = False
    """An exit: the exchange lets it do no more than shrink a position, so it passes limits and rates."""
    reason: Annotated[str, Field(max_length=256)] = ""
    """For the journal and whoever reads it."""
    strategy: Stamp | None = None
    """Which strategy asked; kept with the intent."""
    model: Stamp | None = None
    """Which model of it."""

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_null(cls, value: object) -> object:
        """Some languages write NaN as null: a limit order whose price went wrong must not become a market order."""
        if value is None:
            raise ValueError("null is no value; leave the field out")
        return value

    @field_validator("time_in_force", mode="after")
    @classmethod
    def _is_of_a_limit(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and "price" in info.data and info.data["price"] is None:
            raise ValueError("is for limit orders only, and there is no price")
        return value


FIXES: Final[dict[str, str]] = {
    "id": "1 to 64 of A-Z a-z 0-9 . _ : / @ -, or leave it out",
    "symbol": "the exchange's own name in capitals, such as BTCUSDT",
    "side": '"BUY" or "SELL"',
    "quantity": 'a decimal string above 0 without sign or exponent, such as "0.100"',
    "price": 'a decimal string above 0 without sign or exponent, such as "50000.1", or leave it out for a market order',
    "timeInForce": '"GTC", "IOC", "FOK" or "GTX", with a price only',
    "reduceOnly": "true or false",
    "reason": "at most 256 characters",
    "strategy": "1 to 64 of A-Z a-z 0-9 . _ : / @ -, or leave it out",
    "model": "1 to 64 of A-Z a-z 0-9 . _ : / @ -, or leave it out",
}
"""What to write instead, by field."""


class Problem(Told):
    """One thing that is wrong with a body."""

    field: str
    rule: str
    fix: str


class IntentMalformed(Told):
    """Answer 422: nothing was done."""

    problems: list[Problem]


class IntentOutcome(StrEnum):
    """What became of it."""

    ACCEPTED = "ACCEPTED"
    """The exchange has it."""
    PENDING = "PENDING"
    """It may be live, and nobody can say yet."""
    REFUSED = "REFUSED"
    """The engine's gate said no; nothing was sent."""
    DECLINED = "DECLINED"
    """The exchange said no, or could not be asked and surely did nothing."""


class OrderSeen(Told):
    """The order as the exchange said in its answer; fills come later, on its stream."""

    order_id: int
    status: str
    quantity: str
    executed: str
    price: str


class FirstIntent(Told):
    """The intent that had this id before."""

    outcome: Annotated[IntentOutcome, Field(strict=False)]
    same_request: bool
    """False: the id was used for something else, and what was asked for now was not done."""
    client_order_id: str
    symbol: str
    side: str
    quantity: str
    price: str | None = None
    reduce_only: bool
    recorded_at_ms: int
    code: int | None = None
    """The exchange's own, when it refused."""
    note: str = ""


class IntentVerdict(Told):
    """What the engine and the exchange say."""

    id: str
    """As given, or the one that the engine made."""
    outcome: Annotated[IntentOutcome, Field(strict=False)]
    client_order_id: str | None = None
    """As the exchange knows the order; the same for the same id."""
    order: OrderSeen | None = None
    """As the exchange said in its answer; fills come later, on its stream."""
    refusal: Annotated[Refusal, Field(strict=False)] | None = None
    """The gate's word (refusals.md)."""
    numbers: dict[str, str] = {}
    """What the refusing check compared."""
    code: int | None = None
    """The exchange's own, when it declined; 0 when it could not be asked and surely did nothing."""
    message: str = ""
    """For people, with what to do next."""
    first: FirstIntent | None = None
    """What became of the intent that had this id before."""
