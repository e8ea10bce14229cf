"""One account at Binance USDⓈ-M futures (or a venue that speaks like it), as the exchange port.

Why   regular and conditional (algo) orders live on separate endpoints, so "all orders" and "this order" are each two questions
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from quantum_engine.alerts import Alert, log_alert
from quantum_engine.clock import Clock
from quantum_engine.domain import AccountView, Bar, Fill, OrderIntent, OrderView, PositionView, Quote, SymbolRules, Transferred
from quantum_engine.errors import RetryableError, ThrottledError, UnknownOutcomeError
from quantum_engine.exchanges.binance_futures import translate, wire
from quantum_engine.exchanges.binance_futures.market_stream import MarketStream
from quantum_engine.exchanges.binance_futures.rate.room import SharedRoom
from quantum_engine.exchanges.binance_futures.signing import Credentials, Signer
from quantum_engine.exchanges.binance_futures.transport import Endpoint, Transport
from quantum_engine.exchanges.binance_futures.user_stream import UserStream
from quantum_engine.exchanges.port import UserEvent, VenueRefusedError, always

__all__ = ["BinanceFutures", "Credentials", "Endpoint"]

Read = TypeVar("Read")
NO_SUCH_ORDER: Final = -2013
CANCEL_REJECTED: Final = -2011
TRADES_A_PAGE: Final = 1_000
INCOME_A_PAGE: Final = 1_000
"""The most that the venue gives at once."""
BAD_INTERVAL: Final = -1120
INTERVALS: Final = {
    1: "1s", 60: "1m", 180: "3m", 300: "5m", 900: "15m", 1_800: "30m", 3_600: "1h", 7_200: "2h", 14_400: "4h", 21_600: "6h",
    28_800: "8h", 43_200: "12h", 86_400: "1d",
}  # fmt: skip
"""Bar length in seconds to the venue's word.  Binance itself keeps no 1 s bars of futures and refuses the word."""
_orders = msgspec.json.Decoder(list[wire.Order]).decode
_algos = msgspec.json.Decoder(list[wire.AlgoOrder]).decode
_order = msgspec.json.Decoder(wire.Order).decode
_algo = msgspec.json.Decoder(wire.AlgoOrder).decode
_positions = msgspec.json.Decoder(list[wire.PositionRisk]).decode
_account = msgspec.json.Decoder(wire.Account).decode
_income = msgspec.json.Decoder(list[wire.Income]).decode
_trades = msgspec.json.Decoder(list[wire.Trade]).decode
_mode = msgspec.json.Decoder(wire.PositionMode).decode
_premium = msgspec.json.Decoder(wire.Premium).decode
_info = msgspec.json.Decoder(wire.ExchangeInfo).decode
_klines = msgspec.json.Decoder(list[list[str | int]]).decode


class BinanceFutures:
    """Implements quantum_engine.exchanges.port.Exchange."""

    def __init__(
        self,
        endpoint: Endpoint,
        signer: Signer,
        clock: Clock,
        room: SharedRoom | None = None,
        sharers: int | None = None,
        alert: Alert = log_alert,
    ) -> None:
        """``room``: what engines behind one address share of the venue's weight, ``sharers`` how many they are taken for while it cannot be
        asked.  None: the address is ours alone."""
        self._clock = clock
        self._room = room
        self.transport = Transport(endpoint, signer, clock, room, sharers, alert)

    async def symbol_rules(self) -> dict[str, SymbolRules]:
        """A stop cuts its orders by them, and the limits that hold everything else back stand in the same answer: as an exit."""
        body = await self.transport.public("GET", "/fapi/v1/exchangeInfo", {}, is_exit=True)
        info = _read(body, lambda: _info(body))
        self.transport.guard.take_limits(translate.rate_limits(info, self.transport.guard.mirror.limits))
        return _read(body, lambda: {symbol.symbol: translate.symbol_rules(symbol) for symbol in info.symbols})

    async def account(self) -> AccountView:
        as_of_ms = self.transport.venue_ms()
        body = await self.transport.signed("GET", "/fapi/v3/account", {})
        return _read(body, lambda: translate.account(_account(body), as_of_ms))

    async def positions(self, *, is_exit: bool = True) -> list[PositionView]:
        body = await self.transport.signed("GET", "/fapi/v3/positionRisk", {}, is_exit=is_exit)
        return _read(body, lambda: [translate.position(each) for each in _positions(body) if each.position_amt])

    async def open_orders(self, *, is_exit: bool = True) -> list[OrderView]:
        regular, algo = await asyncio.gather(self.regular_orders(is_exit=is_exit), self.algo_orders(is_exit=is_exit))
        return [*regular, *algo]

    async def regular_orders(self, symbol: str | None = None, *, is_exit: bool = True) -> list[OrderView]:
        """Weight 1 for one symbol, 40 for all."""
        body = await self.transport.signed("GET", "/fapi/v1/openOrders", {"symbol": symbol} if symbol else {}, is_exit=is_exit)
        return _read(body, lambda: [translate.order(each) for each in _orders(body)])

    async def algo_orders(self, symbol: str | None = None, *, is_exit: bool = True) -> list[OrderView]:
        """Weight 1 for one symbol, 40 for all."""
        body = await self.transport.signed("GET", "/fapi/v1/openAlgoOrders", {"symbol": symbol} if symbol else {}, is_exit=is_exit)
        return _read(body, lambda: [translate.algo_order(each) for each in _algos(body)])

    async def place(self, intent: OrderIntent, client_order_id: str, may_leave: Callable[[], bool] = always) -> OrderView:
        params = translate.order_params(intent, client_order_id)
        body = await self.transport.signed("POST", "/fapi/v1/order", params, is_exit=intent.reduce_only, may_leave=may_leave)
        try:
            return _read(body, lambda: translate.order(_order(body)))
        except RetryableError as error:
            raise UnknownOutcomeError(f"the order may have been taken: {error}") from error

    async def order(self, symbol: str, client_order_id: str) -> OrderView | None:
        """Asks both services before it says that there is none."""
        try:
            body = await self.transport.signed("GET", "/fapi/v1/order", {"symbol": symbol, "origClientOrderId": client_order_id})
            return _read(body, lambda: translate.order(_order(body)))
        except VenueRefusedError as refused:
            if refused.code != NO_SUCH_ORDER:
                raise
        try:
            algo = await self.transport.signed("GET", "/fapi/v1/algoOrder", {"symbol": symbol, "clientAlgoId": client_order_id})
            return _read(algo, lambda: translate.algo_order(_algo(algo)))
        except VenueRefusedError as refused:
            if refused.code != NO_SUCH_ORDER:
                raise
            return None

    async def cancel(self, symbol: str, client_order_id: str) -> None:
        """An order that neither service knows is gone already: that is what was asked for."""
        for path, name in (("/fapi/v1/order", "origClientOrderId"), ("/fapi/v1/algoOrder", "clientAlgoId")):
            try:
                await self.transport.signed("DELETE", path, {"symbol": symbol, name: client_order_id}, is_exit=True)
            except VenueRefusedError as refused:
                if refused.code not in (CANCEL_REJECTED, NO_SUCH_ORDER):
                    raise
            else:
                return

    async def cancel_all(self, symbol: str) -> None:
        """Both are tried whatever becomes of the other; of two failures the one that asks for patience is told."""
        results = await asyncio.gather(
            self.transport.signed("DELETE", "/fapi/v1/allOpenOrders", {"symbol": symbol}, is_exit=True),
            self.transport.signed("DELETE", "/fapi/v1/algoOpenOrders", {"symbol": symbol}, is_exit=True),
            return_exceptions=True,
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        for failure in sorted(failures, key=lambda each: not isinstance(each, ThrottledError)):
            raise failure

    async def cancel_order(self, order: OrderView) -> None:
        path, name = ("/fapi/v1/algoOrder", "algoId") if order.is_algo else ("/fapi/v1/order", "orderId")
        try:
            await self.transport.signed("DELETE", path, {"symbol": order.symbol, name: order.order_id}, is_exit=True)
        except VenueRefusedError as refused:
            if refused.code not in (CANCEL_REJECTED, NO_SUCH_ORDER):
                raise

    async def is_hedged(self) -> bool:
        """Weight 5; the endpoint of the mode alone weighs 30."""
        body = await self.transport.signed("GET", "/fapi/v1/accountConfig", {})
        return _read(body, lambda: _mode(body).dual_side_position)

    async def arm_countdown(self, symbol: str, seconds: int) -> None:
        """Weight 10.  https://developers.binance.com/docs/derivatives/usds-margined-futures/trade/rest-api/Auto-Cancel-All-Open-Orders"""
        await self.transport.signed("POST", "/fapi/v1/countdownCancelAll", {"symbol": symbol, "countdownTime": seconds * 1_000})

    async def fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """A time more than seven days back finds the seven days from then on only."""
        first = await self._trades({"symbol": symbol, "startTime": since_ms, "limit": TRADES_A_PAGE})
        if len(first) < TRADES_A_PAGE:
            return first
        return [*first, *await self.fills_from(symbol, first[-1].trade_id + 1)]

    async def fills_from(self, symbol: str, trade_id: int) -> list[Fill]:
        """Weight 5 a page."""
        found: list[Fill] = []
        while True:
            page = await self._trades({"symbol": symbol, "fromId": trade_id, "limit": TRADES_A_PAGE})
            found += page
            if len(page) < TRADES_A_PAGE:
                return found
            if page[-1].trade_id < trade_id:
                raise RetryableError(f"the exchange's trades from {trade_id} end with {page[-1].trade_id}: it answers something else")
            trade_id = page[-1].trade_id + 1

    async def _trades(self, params: dict[str, str | int]) -> list[Fill]:
        body = await self.transport.signed("GET", "/fapi/v1/userTrades", params)
        return _read(body, lambda: [translate.trade(each) for each in _trades(body)])

    async def transfers(self, since_ms: int) -> list[Transferred]:
        """Weight 30.  https://developers.binance.com/docs/derivatives/usds-margined-futures/account/rest-api/Get-Income-History"""
        found: dict[int, Transferred] = {}
        while True:
            page = await self._income({"incomeType": "TRANSFER", "startTime": since_ms, "limit": INCOME_A_PAGE})
            new = {each.tran_id: translate.transfer(each) for each in page if each.tran_id not in found}
            found |= new
            if len(page) < INCOME_A_PAGE or not new:
                return sorted(found.values(), key=lambda each: each.time_ms)
            since_ms = max(each.time for each in page)

    async def _income(self, params: dict[str, str | int]) -> list[wire.Income]:
        body = await self.transport.signed("GET", "/fapi/v1/income", params)
        return _read(body, lambda: [each for each in _income(body) if each.asset == "USDT"])

    async def premium(self, symbol: str) -> Decimal:
        body = await self.transport.public("GET", "/fapi/v1/premiumIndex", {"symbol": symbol})
        return _read(body, lambda: _premium(body).mark_price)

    async def klines(self, symbol: str, bar_seconds: int, count: int) -> list[Bar]:
        interval = INTERVALS.get(bar_seconds)
        if interval is None:
            return []
        params: dict[str, str | int] = {"symbol": symbol, "interval": interval, "limit": min(count + 1, 1_500)}
        try:
            body = await self.transport.public("GET", "/fapi/v1/klines", params)
        except VenueRefusedError as refused:
            if refused.code == BAD_INTERVAL:
                return []
            raise
        closed_before_ms = self.venue_ms() - bar_seconds * 1_000
        bars = _read(body, lambda: [Bar(int(row[0]), float(row[1]), float(row[2]), float(row[3]), float(row[4])) for row in _klines(body)])
        return [bar for bar in bars if bar.open_time_ms <= closed_before_ms][-count:]

    def venue_ms(self) -> int:
        return self.transport.venue_ms()

    def market_stream(self, symbols: frozenset[str]) -> AsyncIterator[Quote]:
        return MarketStream(self.transport, self._clock, symbols).quotes()

    def user_stream(self) -> AsyncIterator[UserEvent]:
        return UserStream(self.transport).events()

    @property
    def problem(self) -> str:
        """Why the venue is taken to be away; empty while it answers."""
        return self.transport.guard.breaker.problem

    def measure(self) -> None:
        """Set the gauges of what is used."""
        self.transport.guard.measure()

    async def close(self) -> None:
        await self.transport.close()
        if self._room is not None:
            await self._room.close()


def _read(body: bytes, read: Callable[[], Read]) -> Read:
    """A body that cannot be read is no answer: a proxy's page, half a message, a number that cannot be."""
    try:
        return read()
    except (msgspec.MsgspecError, ValueError, LookupError, ArithmeticError, TypeError) as error:
        raise RetryableError(f"the exchange's answer cannot be read: {error}: {body[:100]!r}") from error
