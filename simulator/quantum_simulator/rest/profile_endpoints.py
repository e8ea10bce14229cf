"""What kind of account this is: brackets, modes, limits, liquidations.  Pure.

In    parameters, the signing account
Out   Binance's JSON
Flow  rest.endpoints -> HERE
Why   foreign clients ask these before their first order; each answer follows from a rule that the venue really applies
"""

from decimal import Decimal
from typing import Final

from quantum_simulator.core.forced import ADL_CLIENT_ID
from quantum_simulator.core.instruments import Instrument
from quantum_simulator.core.margin import max_notional
from quantum_simulator.decimals import BPS, text
from quantum_simulator.refusals import Words, refuse
from quantum_simulator.rest import parameters as read
from quantum_simulator.rest import render
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.market_endpoints import chosen, one_or_all, rate_limit
from quantum_simulator.rest.render import Json

BRACKET_LEVERAGES: Final = (125, 100, 75, 50, 25, 20, 10, 5, 4, 3, 2, 1)


def leverage_brackets(call: Call) -> Json | list[Json]:
    found = [{"symbol": each.instrument.symbol, "notionalCoef": 1, "brackets": _brackets(each.instrument)} for each in chosen(call)]
    return one_or_all(call, found)


def _brackets(each: Instrument) -> list[Json]:
    """The venue's one formula, cut at Binance's usual leverages."""
    found: list[Json] = []
    floor = 0
    for leverage in (step for step in BRACKET_LEVERAGES if step <= each.max_leverage):
        cap = int(max_notional(leverage))
        found.append(
            {
                "bracket": len(found) + 1,
                "initialLeverage": leverage,
                "notionalCap": cap,
                "notionalFloor": floor,
                "maintMarginRatio": float(Decimal(each.maintenance_bps) / BPS),
                "cum": 0,
            }
        )
        floor = cap
    return found


def account_config(call: Call) -> Json:
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "dualSidePosition": call.account.is_hedge_mode,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def symbol_config(call: Call) -> list[Json]:
    return [
        {
            "symbol": each.instrument.symbol,
            "marginType": "CROSSED",
            "isAutoAddMargin": False,
            "leverage": call.account.leverage(each.instrument.symbol),
            "maxNotionalValue": text(max_notional(call.account.leverage(each.instrument.symbol)).to_integral_value()),
        }
        for each in chosen(call)
    ]


def assets_mode(_: Call) -> Json:
    return {"multiAssetsMargin": False}


def set_assets_mode(call: Call) -> Json:
    """Single-asset mode is the only one."""
    read.need(call.params, "multiAssetsMargin")
    raise refuse(Words.UNSUPPORTED if read.boolean(call.params, "multiAssetsMargin") else Words.ASSET_MODE_REPEATED)


def order_rate_limits(call: Call) -> list[Json]:
    limits = call.state.limits
    return [
        rate_limit("ORDERS", "SECOND", 10, limits.orders_per_ten_seconds),
        rate_limit("ORDERS", "MINUTE", 1, limits.orders_per_minute),
    ]


def trading_status(call: Call) -> Json:
    """No quantitative rule ever restricts anybody here, so there is no indicator."""
    return {"indicators": {}, "updateTime": call.now_ms}


def force_orders(call: Call) -> list[Json]:
    """What the venue closed for the account: ``autoCloseType`` LIQUIDATION, ADL, or both."""
    symbol, kind = call.params.get("symbol"), call.params.get("autoCloseType")
    found = [
        each
        for each in call.account.orders.values()
        if each.is_forced and symbol in {None, each.symbol} and kind in {None, "ADL" if each.client_id == ADL_CLIENT_ID else "LIQUIDATION"}
    ]
    return [render.queried_order(each) for each in found[-read.limit(call.params, 50, 100) :]]
