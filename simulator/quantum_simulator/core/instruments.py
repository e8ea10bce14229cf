"""What may be traded and in which steps.  Pure.

In    nothing
Out   ``Instrument`` values: filters, margin rates, and the shape of the synthetic book
Flow  settings -> HERE -> admission (filters), ladder (depth), exchangeInfo
Why   filters follow Binance's exchangeInfo; depth is thin enough that a large market order visibly slips
"""

from dataclasses import dataclass, replace
from decimal import Decimal

LEVEL_CURVE = 1.3
"""Levels stand further apart, the further they are away."""


def level_weight(number: int) -> Decimal:
    """How much the n-th level holds, the first is 1."""
    return 1 + Decimal("0.35") * number


@dataclass(frozen=True, slots=True)
class Instrument:
    symbol: str
    base_asset: str
    start_price: Decimal
    tick: Decimal
    step: Decimal
    price_digits: int
    quantity_digits: int
    min_price: Decimal
    max_price: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional_usdt: Decimal
    percent_price_bps: int = 500
    market_take_bound_bps: int = 500
    liquidation_fee_bps: int = 125
    """Share of the closed notional that the insurance fund takes."""
    maintenance_bps: int = 40
    max_leverage: int = 125
    max_open_orders: int = 200
    volatility_bps: float = 6.0
    """Standard deviation of one minute's return."""
    levels: int = 40
    level_notional_usdt: Decimal = Decimal(20_000)
    level_spacing_bps: float = 0.25
    refill_ms: int = 2_000

    @property
    def min_quantity(self) -> Decimal:
        return self.step

    @property
    def calm_notional_usdt(self) -> Decimal:
        """What all levels of one side hold in a calm market."""
        return self.level_notional_usdt * sum(level_weight(number) for number in range(self.levels))

    @property
    def calm_span_bps(self) -> float:
        """How far the last level of a calm book stands from the index."""
        return self.level_spacing_bps * float((self.levels - 1) ** LEVEL_CURVE)


def _instrument(symbol: str, price: str, tick: str, step: str, limits: tuple[str, str, str], depth: str) -> Instrument:
    largest, largest_market, notional = limits
    tick_size, step_size = Decimal(tick), Decimal(step)
    return Instrument(
        symbol=symbol,
        base_asset=symbol.removesuffix("USDT"),
        start_price=Decimal(price),
        tick=tick_size,
        step=step_size,
        price_digits=max(2, -int(tick_size.as_tuple().exponent)),
        quantity_digits=-int(step_size.as_tuple().exponent),
        min_price=tick_size,
        max_price=Decimal(price) * 50,
        max_quantity=Decimal(largest),
        max_market_quantity=Decimal(largest_market),
        min_notional_usdt=Decimal(notional),
        level_notional_usdt=Decimal(depth),
    )


DEFAULT_INSTRUMENTS: dict[str, Instrument] = {
    each.symbol: each
    for each in (
        _instrument("BTCUSDT", "90000.0", "0.1", "0.001", ("1000", "120", "100"), "20000"),
        _instrument("ETHUSDT", "3000.00", "0.01", "0.001", ("10000", "2000", "20"), "12000"),
        _instrument("SOLUSDT", "140.00", "0.01", "0.01", ("1000000", "80000", "5"), "6000"),
    )
}


def recorded_instrument(symbol: str, price: Decimal, tick: Decimal, step: Decimal, listed: Instrument | None) -> Instrument:
    """A listed symbol at the price of a recording, or one whose steps are those in which the recording was written."""
    if listed is not None:
        return replace(listed, start_price=price, max_price=price * 50)
    return Instrument(
        symbol=symbol,
        base_asset=symbol.removesuffix("USDT"),
        start_price=price,
        tick=tick,
        step=step,
        price_digits=max(2, -int(tick.as_tuple().exponent)),
        quantity_digits=max(0, -int(step.as_tuple().exponent)),
        min_price=tick,
        max_price=price * 50,
        max_quantity=Decimal(10_000_000),
        max_market_quantity=Decimal(1_000_000),
        min_notional_usdt=Decimal(5),
        level_notional_usdt=Decimal(6_000),
    )
