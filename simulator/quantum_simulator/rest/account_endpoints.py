"""Account endpoints: balance, positions, settings, listen key, income.  Pure.

In    parameters, the signing account
Out   Binance's JSON
Flow  rest.endpoints -> HERE
Why   v3 positions list only symbols with a position or an open order; a client that expects all must notice here
"""

from typing import Any

from quantum_simulator.core import position_mode as modes
from quantum_simulator.core import trading
from quantum_simulator.core.accounts import Account, Position, PositionKey
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.forced import adl_quantile
from quantum_simulator.core.margin import (
    SymbolMargin,
    available,
    equity,
    initial_margins,
    maintenance,
    max_notional,
    position_maintenance,
    symbol_margin,
    unrealised,
)
from quantum_simulator.decimals import ZERO, money, text
from quantum_simulator.refusals import VenueRefusal, Words, refuse
from quantum_simulator.rest import parameters as read
from quantum_simulator.rest import render
from quantum_simulator.rest.call import Call
from quantum_simulator.rest.render import Json

SUCCESS: Json = {"code": 200, "msg": "success"}


def balance(call: Call) -> list[Json]:
    account, floor = call.account, call.state.floor
    free = money(available(floor, account))
    return [
        {
            "accountAlias": account.name,
            "asset": "USDT",
            "balance": money(account.wallet),
            "crossWalletBalance": money(account.wallet),
            "crossUnPnl": money(unrealised(floor, account)),
            "availableBalance": free,
            "maxWithdrawAmount": free,
            "marginAvailable": True,
            "updateTime": account.updated_ms,
        }
    ]


def _sums(floor: Floor, account: Account, margins: dict[PositionKey, SymbolMargin]) -> Json:
    """The amounts that stand once per account and once per asset."""
    position = sum((each.position for each in margins.values()), ZERO)
    orders = sum((each.orders for each in margins.values()), ZERO)
    return {
        "walletBalance": money(account.wallet),
        "unrealizedProfit": money(unrealised(floor, account)),
        "marginBalance": money(equity(floor, account)),
        "maintMargin": money(maintenance(floor, account)),
        "initialMargin": money(position + orders),
        "positionInitialMargin": money(position),
        "openOrderInitialMargin": money(orders),
        "crossWalletBalance": money(account.wallet),
        "crossUnPnl": money(unrealised(floor, account)),
        "availableBalance": money(available(floor, account)),
        "maxWithdrawAmount": money(available(floor, account)),
    }


def _totals(sums: Json) -> Json:
    return {
        "totalInitialMargin": sums["initialMargin"],
        "totalMaintMargin": sums["maintMargin"],
        "totalWalletBalance": sums["walletBalance"],
        "totalUnrealizedProfit": sums["unrealizedProfit"],
        "totalMarginBalance": sums["marginBalance"],
        "totalPositionInitialMargin": sums["positionInitialMargin"],
        "totalOpenOrderInitialMargin": sums["openOrderInitialMargin"],
        "totalCrossWalletBalance": sums["crossWalletBalance"],
        "totalCrossUnPnl": sums["crossUnPnl"],
        "availableBalance": sums["availableBalance"],
        "maxWithdrawAmount": sums["maxWithdrawAmount"],
    }


def _position(floor: Floor, position: Position, margin: SymbolMargin) -> Json:
    mark = floor.books[position.symbol].mark
    return {
        "symbol": position.symbol,
        "positionSide": position.side,
        "positionAmt": text(position.amount),
        "unrealizedProfit": money(position.unrealised(mark)),
        "isolatedMargin": "0",
        "notional": money(position.amount * mark),
        "isolatedWallet": "0",
        "initialMargin": money(margin.total),
        "maintMargin": money(position_maintenance(floor, position)),
        "updateTime": position.updated_ms,
    }


def account_v3(call: Call) -> Json:
    account, floor = call.account, call.state.floor
    margins = initial_margins(floor, account)
    sums = _sums(floor, account, margins)
    asset = {"asset": "USDT"} | sums | {"updateTime": account.updated_ms}
    positions = [_position(floor, account.position(*key), margin) for key, margin in margins.items()]
    return _totals(sums) | {"assets": [asset], "positions": positions}


def _positions_v2(floor: Floor, account: Account) -> list[Json]:
    return [_position_v2(floor, account, account.position(symbol, side)) for symbol in floor.books for side in account.sides]


def _position_v2(floor: Floor, account: Account, position: Position) -> Json:
    symbol = position.symbol
    margin = symbol_margin(floor, account, symbol, side=position.side)
    return _position(floor, position, margin) | {
        "positionInitialMargin": money(margin.position),
        "openOrderInitialMargin": money(margin.orders),
        "leverage": str(account.leverage(symbol)),
        "isolated": False,
        "entryPrice": money(position.entry_price),
        "breakEvenPrice": money(account.break_even_price(position)),
        "maxNotional": text(max_notional(account.leverage(symbol)).to_integral_value()),
        "bidNotional": money(margin.bid_notional),
        "askNotional": money(margin.ask_notional),
    }


def account_v2(call: Call) -> Json:
    account, floor = call.account, call.state.floor
    sums = _sums(floor, account, initial_margins(floor, account))
    asset = {"asset": "USDT"} | sums | {"marginAvailable": True, "updateTime": account.updated_ms}
    head: Json = {
        "feeTier": 0,
        "feeBurn": False,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }
    return head | _totals(sums) | {"assets": [asset], "positions": _positions_v2(floor, account)}


def position_risk_v3(call: Call) -> list[Json]:
    account, floor = call.account, call.state.floor
    symbol = call.params.get("symbol")
    if symbol:
        floor.book(symbol)
    margins = initial_margins(floor, account)
    return [
        render.position_risk_v3(floor, account, account.position(*key), margin)
        for key, margin in margins.items()
        if symbol in {None, key[0]}
    ]


def position_risk_v2(call: Call) -> list[Json]:
    account, floor = call.account, call.state.floor
    symbol = call.params.get("symbol")
    symbols = [floor.book(symbol).instrument.symbol] if symbol else list(floor.books)
    return [render.position_risk_v2(floor, account, account.position(each, side)) for each in symbols for side in account.sides]


def set_leverage(call: Call) -> Json:
    symbol, leverage = read.need(call.params, "symbol"), read.integer(call.params, "leverage")
    trading.set_leverage(call.state.floor, call.account, symbol, leverage, call.now_ms)
    return {"leverage": leverage, "maxNotionalValue": text(max_notional(leverage).to_integral_value()), "symbol": symbol}


def set_margin_type(call: Call) -> Json:
    wanted = read.word(call.params, "marginType", ("ISOLATED", "CROSSED"), VenueRefusal(-4048, "Invalid margin type."))
    trading.set_margin_type(call.state.floor, call.account, read.need(call.params, "symbol"), wanted)
    return SUCCESS


def position_mode(call: Call) -> Json:
    return {"dualSidePosition": call.account.is_hedge_mode}


def set_position_mode(call: Call) -> Json:
    read.need(call.params, "dualSidePosition")
    modes.switch(call.account, read.boolean(call.params, "dualSidePosition"))
    return SUCCESS


def adl_quantiles(call: Call) -> list[Json]:
    account, floor = call.account, call.state.floor
    symbol = call.params.get("symbol")
    found: dict[str, Json] = {}
    for each in account.held():
        if symbol in {None, each.symbol}:
            found.setdefault(each.symbol, {"LONG": 0, "SHORT": 0, "BOTH": 0})[each.side] = adl_quantile(floor, account, each)
    return [{"symbol": name, "adlQuantile": quantiles} for name, quantiles in found.items()]


def grant_listen_key(call: Call) -> Json:
    return {"listenKey": call.state.listen_keys.grant(call.account.name, call.state.clock.now_ms())}


def extend_listen_key(call: Call) -> Json:
    if call.state.listen_keys.key_of(call.account.name) is None:
        raise refuse(Words.NO_LISTEN_KEY)
    return grant_listen_key(call)


def revoke_listen_key(call: Call) -> Json:
    key = call.state.listen_keys.key_of(call.account.name)
    if key is None:
        raise refuse(Words.NO_LISTEN_KEY)
    call.state.listen_keys.revoke(key)
    return {}


def income(call: Call) -> list[Json]:
    symbol, kind = call.params.get("symbol"), call.params.get("incomeType")
    start_ms, end_ms = read.integer(call.params, "startTime", 0), read.integer(call.params, "endTime", 1 << 62)
    found = [
        render.income(each)
        for each in call.account.income
        if symbol in {None, each.symbol} and kind in {None, each.kind} and start_ms <= each.at_ms <= end_ms
    ]
    return found[-read.limit(call.params, 100, 1_000) :]


def commission_rate(call: Call) -> dict[str, Any]:
    symbol, account = read.need(call.params, "symbol"), call.account
    call.state.floor.book(symbol)
    rates = {"makerCommissionRate": text(account.maker_bps / 10_000), "takerCommissionRate": text(account.taker_bps / 10_000)}
    return {"symbol": symbol} | rates
