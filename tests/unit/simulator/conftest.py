"""A floor with three accounts, and short ways to order on it."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from quantum_simulator.core import trading
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.instruments import DEFAULT_INSTRUMENTS
from quantum_simulator.core.orders import Order, OrderRequest
from quantum_simulator.core.session import Quote, move_market

Place = Callable[..., Order]
Move = Callable[..., None]


def new_account(name: str, wallet: str = "100000") -> Account:
    return Account(name=name, api_key=f"key-{name}", api_secret=f"secret-{name}", wallet=Decimal(wallet))


@pytest.fixture
def floor() -> Floor:
    return Floor.of(DEFAULT_INSTRUMENTS.values(), [new_account("alpha"), new_account("beta"), new_account("poor", "1000")])


@pytest.fixture
def clock() -> Iterator[int]:
    def ticks() -> Iterator[int]:
        now_ms = 1_000
        while True:
            now_ms += 1
            yield now_ms

    return ticks()


@pytest.fixture
def place(floor: Floor, clock: Iterator[int]) -> Place:
    """``place("alpha", "BUY", "0.5")`` is a market order, with a price it is a limit order."""

    def order(account: str, side: str, quantity: str, price: str | None = None, symbol: str = "BTCUSDT", **more: object) -> Order:
        request = OrderRequest(
            symbol=symbol,
            side=side,  # type: ignore[arg-type]
            type="LIMIT" if price else "MARKET",
            quantity=Decimal(quantity),
            price=Decimal(price or 0),
            **more,  # type: ignore[arg-type]
        )
        return trading.place(floor, floor.accounts[account], request, next(clock))

    return order


@pytest.fixture
def move(floor: Floor, clock: Iterator[int]) -> Move:
    """Put the index of a symbol at a price; the book is full again."""

    def to(price: str, symbol: str = "BTCUSDT", depth: float = 1.0, elapsed_ms: int = 60_000) -> None:
        move_market(floor, {symbol: Quote(Decimal(price), depth)}, elapsed_ms, next(clock))

    return to
