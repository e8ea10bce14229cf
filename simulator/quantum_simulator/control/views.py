"""What the control API shows of accounts, faults and health.  Pure.

In    the venue's state
Out   plain dicts, decimals as strings
Flow  control.server -> HERE
Why   the proof of a test ("flat, no open orders") is read here, from the venue's books
"""

from typing import Any

from quantum_simulator.core.accounts import Account
from quantum_simulator.core.margin import available, equity, maintenance, unrealised
from quantum_simulator.decimals import money, text
from quantum_simulator.faults import Fault
from quantum_simulator.market.rows import KLINE_COLUMNS, TRADE_COLUMNS, Deal, deal_line, kline_line
from quantum_simulator.rest import render
from quantum_simulator.state import VenueState
from quantum_simulator.streams.hub import Hub

Json = dict[str, Any]
FILLS_SHOWN = 500


def prices(state: VenueState, symbols: list[str]) -> dict[str, str]:
    return {symbol: text(state.floor.books[symbol].mark) for symbol in symbols}


def health(state: VenueState, hub: Hub, is_hand_stepped: bool) -> Json:
    return {
        "status": "ok",
        "nowMs": state.clock.now_ms(),
        "seed": state.market.seed,
        "handStepped": is_hand_stepped,
        "prices": prices(state, list(state.floor.books)),
        "accounts": list(state.floor.accounts),
        "faults": len(state.faults.ordered),
        "orderLogEntries": len(state.order_log),
        "streams": [{"route": each.route, "account": each.account, "streams": sorted(each.streams)} for each in hub.connections],
    }


def recording(state: VenueState, symbol: str, kind: str) -> list[str]:
    """What this market lived, as Binance publishes it: closed candles (``1s``, ``1m``) or ``trades``, as far as they are kept."""
    if kind == "trades":
        deals = [(each.id, Deal(each.at_ms, each.price, each.quantity, each.buyer_is_maker)) for each in state.tape.of(symbol)]
        return [",".join(TRADE_COLUMNS), *(deal_line(number, each) for number, each in deals)]
    if kind not in {"1s", "1m"}:
        raise ValueError(f"kind is {kind!r}; choose 1s, 1m or trades")
    closed = [each for each in state.market.candles(symbol, kind) if each.close_ms < state.clock.now_ms()]
    return [",".join(KLINE_COLUMNS), *(kline_line(each) for each in closed)]


def fault(each: Fault) -> Json:
    return {
        "id": each.id,
        "kind": each.kind.value,
        "account": each.account,
        "path": each.path,
        "method": each.method,
        "event": each.event,
        "left": each.left,
        "untilMs": each.until_ms,
        "struck": each.struck,
    }


def account_summary(state: VenueState, account: Account) -> Json:
    floor = state.floor
    held = account.held()
    return {
        "name": account.name,
        "walletUsdt": money(account.wallet),
        "unrealisedUsdt": money(unrealised(floor, account)),
        "equityUsdt": money(equity(floor, account)),
        "availableUsdt": money(available(floor, account)),
        "maintenanceUsdt": money(maintenance(floor, account)),
        "depositsUsdt": money(account.deposits),
        "feesUsdt": money(account.fees),
        "fundingUsdt": money(account.funding),
        "isHedgeMode": account.is_hedge_mode,
        "isFlat": not held,
        "openOrderCount": len(account.all_open()),
        "openAlgoOrderCount": len(account.open_algos()),
        "positions": [
            {
                "symbol": each.symbol,
                "positionSide": each.side,
                "amount": text(each.amount),
                "entryPrice": money(each.entry_price),
                "markPrice": text(floor.books[each.symbol].mark),
                "unrealisedUsdt": money(each.unrealised(floor.books[each.symbol].mark)),
            }
            for each in held
        ],
    }


def account(state: VenueState, account: Account) -> Json:
    return account_summary(state, account) | {
        "openOrders": [render.queried_order(each) for each in account.all_open()],
        "openAlgoOrders": [render.algo_order(each, None) for each in account.open_algos()],
        "fills": [render.trade(each) for each in list(account.fills)[-FILLS_SHOWN:]],
        "fillCount": len(account.fills),
    }
