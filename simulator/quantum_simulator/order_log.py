"""What the venue saw, in order: every request, every change of an order, every fill.  Append-only.

In    requests accepted or refused, effects of the core
Out   numbered entries, filtered for tests
Flow  rest.server and venue -> HERE -> control API
Why   a test proves "no entry after the halt" by the venue's own record, not by the client's
"""

from collections import deque
from collections.abc import Mapping
from typing import Literal

import msgspec

from quantum_simulator.core.effects import AlgoEffect, Effect, OrderEffect
from quantum_simulator.decimals import text

What = Literal["accepted", "refused", "status", "fill", "algo"]
ENTRIES_KEPT = 300_000


class LogEntry(msgspec.Struct, rename="camel", omit_defaults=True):
    seq: int
    at_ms: int
    account: str
    what: What
    request: str = ""
    """Method and path, for accepted and refused."""
    code: int = 0
    message: str = ""
    fault: str = ""
    order_id: int = 0
    algo_id: int = 0
    client_id: str = ""
    symbol: str = ""
    side: str = ""
    type: str = ""
    quantity: str = ""
    price: str = ""
    reduce_only: bool = False
    position_side: str = ""
    """LONG or SHORT in hedge mode, else empty."""
    status: str = ""
    filled: str = ""
    trade_id: int = 0
    maker: bool = False
    reason: str = ""


class OrderLog:
    """Bounded by entries; ``seq`` is gapless, so a reader sees when the oldest were dropped."""

    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=ENTRIES_KEPT)
        self._seq = 0

    def __len__(self) -> int:
        return len(self._entries)

    def request(
        self, at_ms: int, account: str, request: str, params: Mapping[str, str], code: int = 0, message: str = "", fault: str = ""
    ) -> None:
        self._seq += 1
        self._entries.append(
            LogEntry(
                seq=self._seq,
                at_ms=at_ms,
                account=account,
                what="refused" if code else "accepted",
                request=request,
                code=code,
                message=message,
                fault=fault,
                client_id=params.get("newClientOrderId") or params.get("origClientOrderId") or params.get("clientAlgoId") or "",
                symbol=params.get("symbol", ""),
                side=params.get("side", ""),
                type=params.get("type", ""),
                quantity=params.get("quantity", ""),
                price=params.get("price", ""),
                reduce_only=params.get("reduceOnly", "").lower() == "true",
                position_side=params.get("positionSide", "").replace("BOTH", ""),
            )
        )

    def effect(self, effect: Effect) -> None:
        if isinstance(effect, OrderEffect):
            self._order(effect)
        elif isinstance(effect, AlgoEffect):
            self._algo(effect)

    def _order(self, effect: OrderEffect) -> None:
        order, fill = effect.order, effect.fill
        self._seq += 1
        self._entries.append(
            LogEntry(
                seq=self._seq,
                at_ms=effect.at_ms,
                account=order.account,
                what="fill" if fill else "status",
                order_id=order.id,
                client_id=order.client_id,
                symbol=order.symbol,
                side=order.side,
                type=order.type,
                quantity=text(fill.quantity if fill else order.quantity),
                price=text(fill.price if fill else order.price),
                reduce_only=order.reduce_only,
                position_side=order.position_side.replace("BOTH", ""),
                status=effect.status,
                filled=text(effect.filled),
                trade_id=fill.trade_id if fill else 0,
                maker=fill.maker if fill else False,
                reason="" if effect.reason == "0" else effect.reason,
            )
        )

    def _algo(self, effect: AlgoEffect) -> None:
        algo = effect.algo
        self._seq += 1
        self._entries.append(
            LogEntry(
                seq=self._seq,
                at_ms=effect.at_ms,
                account=algo.account,
                what="algo",
                algo_id=algo.id,
                order_id=algo.order_id,
                client_id=algo.client_id,
                symbol=algo.symbol,
                side=algo.side,
                type=algo.type,
                quantity=text(algo.quantity),
                price=text(algo.trigger_price),
                reduce_only=algo.reduce_only,
                position_side=algo.position_side.replace("BOTH", ""),
                status=effect.status,
                reason=effect.reason,
            )
        )

    def entries(
        self, account: str = "", symbol: str = "", client_id: str = "", what: str = "", since_seq: int = 0, limit: int = 10_000
    ) -> list[LogEntry]:
        """Oldest first; empty filters match everything."""
        wanted = (("account", account), ("symbol", symbol), ("client_id", client_id), ("what", what))
        active = [(name, value) for name, value in wanted if value]
        found = (each for each in self._entries if each.seq > since_seq and all(getattr(each, name) == value for name, value in active))
        return [each for each, _ in zip(found, range(limit), strict=False)]
