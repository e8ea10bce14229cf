"""Wires the stages that talk to the exchange; beside node.py, the only place where stages meet.

In    the exchange account, the policy's limits and strategy, the latches
Out   market, positions, execution, strategy and the emergency stop's worker, running
Flow  node -> HERE
Why   recovery comes before anything may open: unknown orders are asked about, then the account is compared, then the gate follows
"""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from quantum_api.engine_status import Position
from quantum_api.gate import Gate
from quantum_engine.adapters.redis_rate import RedisRate
from quantum_engine.clock import Clock, random_id
from quantum_engine.control import view
from quantum_engine.domain import OrderIntent, OrderView, PositionView, SymbolRules
from quantum_engine.emergency.book import LatchBook
from quantum_engine.emergency.deadman import DeadMan
from quantum_engine.emergency.ports import Known
from quantum_engine.emergency.service import LatchKeeper, StopWorker
from quantum_engine.errors import EngineError, PermanentError
from quantum_engine.exchanges.binance_futures.account_file import read_signer
from quantum_engine.exchanges.binance_futures.client import BinanceFutures, Endpoint
from quantum_engine.exchanges.binance_futures.presets import Address, address_of
from quantum_engine.execution.router import Router
from quantum_engine.execution.service import Execution
from quantum_engine.healing.service import Supervisor
from quantum_engine.journal import Journal
from quantum_engine.logs import logger
from quantum_engine.market.service import Market
from quantum_engine.permission import Permission, Restriction
from quantum_engine.policy.service import PolicyStore
from quantum_engine.positions.service import Positions
from quantum_engine.risk.service import Risk
from quantum_engine.risk.snapshot import Senses
from quantum_engine.settings import Settings
from quantum_engine.strategy.service import StrategyStage
from quantum_engine.verdicts import Declined, Verdict

START: Final = "start"
POSITION_SIDE_MISMATCH: Final = -4061
_RECOVER_SECONDS: Final = 1.0
_FINISH_SECONDS: Final = 0.5
_log = logger("trading")


class Trading:
    """One exchange account and the stages around it."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        permission: Permission,
        policy: PolicyStore,
        risk: Risk,
        book: LatchBook,
        keeper: LatchKeeper,
        clock: Clock,
    ) -> None:
        self._policy = policy
        self._permission = permission
        permission.restrict(Restriction(START, Gate.HALTED, "orders of the process before this one are being asked about"))
        self.exchange = exchange_of(settings, clock)
        self.market = Market(self.exchange, clock, permission)
        self.positions = Positions(self.exchange, self.market.quote, clock, permission, self._instruments)
        self.execution = Execution(self.exchange, journal, clock, permission, lambda: policy.limits, self.market, self.positions, random_id)
        self.router = Router(self.execution, clock)
        self.strategy = StrategyStage(
            self.market,
            self.positions,
            self.router.submit,
            lambda: policy.strategy,
            self._instruments,
            clock,
            limits=lambda: policy.limits,
            rules=self.execution.rules,
            history=self.exchange.klines,
        )
        self.worker = StopWorker(
            book, keeper, self.exchange, self.execution.submit, lambda: policy.limits, clock, random_id,
            Known(self.positions, self.execution.rules),
        )  # fmt: skip
        self.deadman = DeadMan(self.exchange, self.positions, permission, clock)
        self.market.on_quote(self.positions.on_quote)
        self.positions.on_equity(risk.handle)
        self.positions.transfers.known_by(risk)
        self.execution.on_outcome(risk.on_outcome)
        risk.sense_by(self._senses)
        self.execution.on_outcome(self._doubt_mode)
        self.positions.on_change(self.worker.look_again)
        self.positions.on_change(self._follow_symbols)
        policy.on_change(self._follow_symbols)
        self._follow_symbols()

    def start(self, supervisor: Supervisor, touched: Callable[[], None]) -> None:
        """Run every stage; ``touched`` hears of changed positions."""
        self.positions.on_change(touched)
        supervisor.start("market", self.market.run, is_vital=True)
        supervisor.start("positions", self.positions.run, is_vital=True)
        supervisor.start("execution", self._execute)
        supervisor.start("strategy", self.strategy.run)
        supervisor.start("deadman", self.deadman.run, is_vital=True)

    async def close(self) -> None:
        await self.router.finish(_FINISH_SECONDS)
        await self.exchange.close()

    @property
    def dependency(self) -> str:
        """The exchange, as the status shows it."""
        if self.exchange.problem:
            return f"down {self.exchange.problem}"
        return "up" if self.positions.reconciled else "unknown not compared since the stream was lost"

    async def _execute(self) -> None:
        """Nothing may open before every unfinished intent was asked about."""
        while True:
            try:
                await self.execution.recover()
            except EngineError as error:
                _log.warning("recovery_failed", error=str(error), retry_seconds=_RECOVER_SECONDS)
                await asyncio.sleep(_RECOVER_SECONDS)
            else:
                break
        self._permission.lift(START)
        await self.execution.run()

    def held(self) -> tuple[Position, ...]:
        return view.positions(self.positions.positions.values())

    def _senses(self) -> Senses:
        """How well the engine sees what it holds."""
        return Senses(
            holds_position=bool(self.positions.positions),
            data_silent_seconds=self.market.silent_seconds,
            stream_deaf_seconds=self.positions.stream_deaf_seconds,
            unreconciled_seconds=self.positions.unreconciled_seconds,
        )

    def _instruments(self) -> list[str]:
        limits = self._policy.limits
        return list(limits.instruments) if limits else []

    def _follow_symbols(self) -> None:
        """Prices of what may be opened and of what is held."""
        held = frozenset(position.symbol for position in self.positions.positions.values())
        self.market.set_symbols(frozenset(self._instruments()) | held)

    def _doubt_mode(self, _: OrderIntent, verdict: Verdict) -> None:
        if isinstance(verdict, Declined) and verdict.code == POSITION_SIDE_MISMATCH:
            self.positions.doubt_mode()


class NoExchange:
    """Stands where an exchange would be when none is configured: the engine cannot trade, and says why it cannot get out."""

    async def symbol_rules(self) -> dict[str, SymbolRules]:
        raise self._absent()

    async def positions(self) -> list[PositionView]:
        raise self._absent()

    async def regular_orders(self, symbol: str | None = None) -> list[OrderView]:  # noqa: ARG002  the port names it
        raise self._absent()

    async def algo_orders(self, symbol: str | None = None) -> list[OrderView]:  # noqa: ARG002  the port names it
        raise self._absent()

    async def cancel_all(self, symbol: str) -> None:  # noqa: ARG002  the port names it
        raise self._absent()

    async def cancel_order(self, order: OrderView) -> None:  # noqa: ARG002  the port names it
        raise self._absent()

    async def submit(self, intent: OrderIntent) -> Verdict:  # noqa: ARG002  the port names it
        raise self._absent()

    def _absent(self) -> PermanentError:
        return PermanentError("no exchange is configured; set QT_ENGINE_VENUE or QT_ENGINE_REST_URL")


def exchange_of(settings: Settings, clock: Clock) -> BinanceFutures:
    """Raises PermanentError, naming setting or field, when venue or account cannot be used."""
    address = address_of(settings.venue, settings.rest_url, settings.stream_url)
    if address is None or settings.account_file is None:
        raise PermanentError(
            "an exchange needs QT_ENGINE_VENUE (or QT_ENGINE_REST_URL and QT_ENGINE_STREAM_URL) and QT_ENGINE_ACCOUNT_FILE"
        )
    _log.info("exchange", venue=settings.venue or "by URL", **address._asdict())
    signer = read_signer(settings.account_file)
    return BinanceFutures(Endpoint(*address), signer, clock, _shared_room(settings, address), settings.rate_sharers)


def _shared_room(settings: Settings, address: Address) -> RedisRate | None:
    """The venue counts per address, and each venue for itself."""
    if not settings.redis_url:
        return None
    return RedisRate(settings.redis_url, f"{settings.rate_scope}:{urlsplit(address.rest_url).netloc}")
