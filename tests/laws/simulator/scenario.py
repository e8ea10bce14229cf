"""Commands to a venue and everything that it then says: order log and stream messages, as bytes.

Run as a program it prints the digest of a long made-up day, so that two processes can be compared.
"""

import hashlib
import random
import sys
from decimal import Decimal
from typing import Any

import msgspec

from quantum_simulator.core import forced, position_mode
from quantum_simulator.core.accounts import Account
from quantum_simulator.core.margin import available
from quantum_simulator.core.settlement import deposit
from quantum_simulator.faults import Fault, FaultKind
from quantum_simulator.refusals import VenueRefusal
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.endpoints import ENDPOINTS
from quantum_simulator.venue import Venue, VenueOptions

START_MS = 1_795_000_000_000
NAMES = ("alpha", "beta")
SYMBOLS = ("BTCUSDT", "ETHUSDT")
PUBLIC = ("btcusdt@bookTicker", "ethusdt@depth5")
MARKET = ("btcusdt@aggTrade", "ethusdt@aggTrade", "solusdt@aggTrade", "btcusdt@kline_1m", "ethusdt@markPrice@1s", "!markPrice@arr@1s")
Command = tuple[Any, ...]


class Listener:
    """Stands where a socket would stand and keeps what it is told."""

    def __init__(self, route: str, account: str = "") -> None:
        self.route, self.account, self.is_combined = route, account, True
        self.streams: set[str] = set()
        self.heard: list[str] = []

    def send(self, text: str) -> None:
        self.heard.append(text)

    def end(self) -> None:
        self.heard.append("end")


class Day:
    """One hand-stepped venue with a listener on every stream."""

    def __init__(self, seed: int) -> None:
        accounts = [Account(name, f"key-{name}", f"secret-{name}", Decimal(20_000)) for name in NAMES]
        options = VenueOptions(is_hand_stepped=True, seed=seed, start_ms=START_MS, history_minutes=2, funding_interval_ms=20_000)
        self.venue = Venue(accounts, options)
        self.listeners = [Listener("public"), Listener("market"), *(Listener("private", name) for name in NAMES)]
        for each in self.listeners:
            self.venue.hub.add(each)  # type: ignore[arg-type]
        self.venue.hub.subscribe(self.listeners[0], PUBLIC)  # type: ignore[arg-type]
        self.venue.hub.subscribe(self.listeners[1], MARKET)  # type: ignore[arg-type]
        for name in NAMES:
            self.ask(name, "POST", "/fapi/v1/listenKey")

    def ask(self, name: str, method: str, path: str, **params: str) -> None:
        """As the REST server does it, without socket and signature."""
        state, account = self.venue.state, self.venue.accounts[name]
        code, message = 0, ""
        try:
            ENDPOINTS[method, path].handle(Call(state, params, state.clock.now_ms(), account))
        except VenueRefusal as refusal:
            code, message = refusal.code, refusal.message
        state.order_log.request(state.clock.now_ms(), name, f"{method} {path}", params, code, message)
        state.flush()

    def do(self, command: Command) -> None:
        getattr(self, f"do_{command[0]}")(*command[1:])

    def do_step(self, ms: int) -> None:
        self.venue.step(ms)

    def do_order(self, name: str, symbol: str, side: str, lots: int, ticks: int | None, more: dict[str, str]) -> None:
        book = self.venue.floor.books[symbol]
        if ticks is None:
            more = {name: value for name, value in more.items() if name != "timeInForce"}
        kind = (
            {"type": "MARKET"}
            if ticks is None
            else {"type": "LIMIT", "timeInForce": "GTC", "price": str(book.mark + ticks * book.instrument.tick)}
        )
        sided = {"positionSide": "LONG" if side == "BUY" else "SHORT"} if self.venue.accounts[name].is_hedge_mode else {}
        self.ask(
            name, "POST", "/fapi/v1/order", symbol=symbol, side=side, quantity=str(lots * book.instrument.step), **(kind | sided | more)
        )

    def do_algo(self, name: str, symbol: str, side: str, kind: str, bps: int) -> None:
        price = self.venue.floor.books[symbol].mark
        trigger = {"callbackRate": "0.5"} if kind.startswith("TRAILING") else {"triggerPrice": str(int(price + price * bps / 10_000))}
        limit = {"price": str(int(price))} if kind in {"STOP", "TAKE_PROFIT"} else {}
        common = {"algoType": "CONDITIONAL", "symbol": symbol, "side": side, "type": kind, "quantity": "0.1"}
        self.ask(name, "POST", "/fapi/v1/algoOrder", **(common | trigger | limit))

    def do_cancel_all(self, name: str, symbol: str) -> None:
        self.ask(name, "DELETE", "/fapi/v1/allOpenOrders", symbol=symbol)

    def do_shock(self, symbol: str, bps: int) -> None:
        self.venue.market.walks[symbol].order_shock(bps, 2_000, 5_000)

    def do_depth(self, symbol: str, scale: float) -> None:
        self.venue.market.walks[symbol].depth = scale
        self.venue.reprice()

    def do_fault(self, kind: str, ms: int) -> None:
        self.venue.faults.order(Fault(FaultKind(kind), left=3, delay_ms=ms))

    def do_deposit(self, name: str, amount: int) -> None:
        account = self.venue.accounts[name]
        if -amount <= available(self.venue.floor, account):
            deposit(self.venue.floor, account, Decimal(amount), self.venue.state.clock.now_ms())
            self.venue.state.flush()

    def do_adl(self, name: str) -> None:
        account = self.venue.accounts[name]
        for position in account.held()[:1]:
            forced.deleverage(self.venue.floor, account, position, None, None, self.venue.state.clock.now_ms())
        self.venue.state.flush()

    def do_hedge(self, name: str) -> None:
        account = self.venue.accounts[name]
        try:
            position_mode.switch(account, not account.is_hedge_mode)
        except VenueRefusal:
            return

    def said(self) -> bytes:
        log = msgspec.json.encode(self.venue.order_log.entries(limit=1_000_000))
        return b"\n".join([log, *("\n".join(each.heard).encode() for each in self.listeners)])


def lived(commands: list[Command], seed: int = 7) -> bytes:
    day = Day(seed)
    for command in commands:
        day.do(command)
    day.do(("step", 3_000))
    return day.said()


def made_up(number: int, length: int = 150) -> list[Command]:
    chance = random.Random(number)

    def drawn(*from_: Any) -> Any:
        return chance.choice(from_)

    kinds = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
    faults = ("stream_delay", "stream_swap", "stream_duplicate", "stream_silent")
    makers = (
        lambda: ("step", drawn(50, 100, 700, 2_500)),
        lambda: (
            "order",
            drawn(*NAMES),
            drawn(*SYMBOLS),
            drawn("BUY", "SELL"),
            drawn(20, 90, 400, 900),
            drawn(None, -700, -90, 90, 700),
            {},
        ),
        lambda: ("algo", drawn(*NAMES), drawn(*SYMBOLS), drawn("BUY", "SELL"), drawn(*kinds), chance.randrange(-60, 60)),
        lambda: ("cancel_all", drawn(*NAMES), drawn(*SYMBOLS)),
        lambda: ("shock", drawn(*SYMBOLS), chance.randrange(-900, 600)),
        lambda: ("fault", drawn(*faults), chance.randrange(900)),
        lambda: ("deposit", drawn(*NAMES), chance.randrange(-500, 5_000)),
        lambda: ("adl", drawn(*NAMES)),
        lambda: ("hedge", drawn(*NAMES)),
    )
    weights = (30, 40, 10, 3, 3, 4, 2, 1, 1)
    return [chance.choices(makers, weights)[0]() for _ in range(length)]


if __name__ == "__main__":
    told = lived(made_up(int(sys.argv[1])))
    print(len(told), hashlib.sha256(told).hexdigest())
