"""Books fills and ends orders: the only place where wallets, positions and statuses change.  Pure.

In    (order, price, quantity, maker or taker)
Out   changed account and order; OrderEffect, AccountEffect, TradeEffect appended to the floor
Flow  matching, liquidation, cancel -> HERE -> effects
Why   one place that moves money: wallet = deposits + realised - fees + funding, position = sum of fills
"""

from collections.abc import Iterable
from decimal import Decimal

from quantum_simulator.core import algo_states, reduce_only
from quantum_simulator.core.accounts import Account, Income, Position
from quantum_simulator.core.effects import AccountEffect, OrderEffect, PositionView, TradeEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.orders import Fill, Order, OrderStatus
from quantum_simulator.decimals import BPS, EIGHT_DIGITS, ZERO


def announce(floor: Floor, order: Order, execution: str, at_ms: int, fill: Fill | None = None, reason: str = "0") -> None:
    floor.effects.append(OrderEffect(order, execution, order.status, order.filled, order.average_price, fill, at_ms, reason))


def book_fill(floor: Floor, order: Order, price: Decimal, quantity: Decimal, maker: bool, at_ms: int) -> None:
    account = floor.accounts[order.account]
    fee = (price * quantity * (account.maker_bps if maker else account.taker_bps) / BPS).quantize(EIGHT_DIGITS)
    position = account.position(order.symbol, order.position_side)
    realised = position.apply(quantity if order.buys else -quantity, price)
    position.updated_ms = account.updated_ms = at_ms
    account.wallet += realised - fee
    account.fees += fee
    floor.last_trade_id += 1
    side = order.position_side
    fill = Fill(floor.last_trade_id, order.id, order.symbol, order.side, price, quantity, fee, realised, maker, at_ms, side)
    account.fills.append(fill)
    _book_income(floor, account, fill)
    order.filled += quantity
    order.filled_notional += price * quantity
    order.updated_ms = at_ms
    order.status = "FILLED" if order.filled >= order.quantity else "PARTIALLY_FILLED"
    if order.status == "FILLED":
        _forget(floor, account, order)
    announce(floor, order, "CALCULATED" if order.is_forced else "TRADE", at_ms, fill)


def _book_income(floor: Floor, account: Account, fill: Fill) -> None:
    for kind, amount in (("REALIZED_PNL", fill.realised), ("COMMISSION", -fill.fee)):
        if amount:
            floor.last_income_id += 1
            account.income.append(Income(kind, fill.symbol, amount, fill.at_ms, floor.last_income_id, str(fill.trade_id)))


def _forget(floor: Floor, account: Account, order: Order) -> None:
    floor.books[order.symbol].resting.remove(order)
    account.close(order)
    if order.algo_id:
        algo_states.finish_with(floor, account, order, order.updated_ms)


def end(floor: Floor, order: Order, status: OrderStatus, at_ms: int, reason: str = "0") -> None:
    """An open order stops without (further) fills."""
    order.status = status
    order.updated_ms = at_ms
    _forget(floor, floor.accounts[order.account], order)
    announce(floor, order, "CANCELED" if status == "CANCELED" else "EXPIRED", at_ms, reason=reason)


def print_trade(floor: Floor, symbol: str, price: Decimal, quantity: Decimal, buyer_is_maker: bool, at_ms: int) -> None:
    floor.books[symbol].traded(price)
    floor.effects.append(TradeEffect(symbol, price, quantity, buyer_is_maker, at_ms))


def settle(floor: Floor, filled: Iterable[Order], at_ms: int) -> None:
    """After matching: tell each touched account its balance and position, and knock out what no longer reduces."""
    for name, symbol, side in dict.fromkeys((each.account, each.symbol, each.position_side) for each in filled):
        account = floor.accounts[name]
        position = account.position(symbol, side)
        publish_account(floor, account, (position,), at_ms, "ORDER")
        for order in reduce_only.knocked_out(account, symbol):
            end(floor, order, "EXPIRED", at_ms, reason="4")
        if not position.amount and account.waiting_algos:
            algo_states.expire_closing(floor, account, position, at_ms)


def _view(floor: Floor, account: Account, position: Position) -> PositionView:
    return PositionView(
        symbol=position.symbol,
        amount=position.amount,
        entry_price=position.entry_price,
        realised=position.realised,
        unrealised=position.unrealised(floor.books[position.symbol].mark),
        break_even_price=account.break_even_price(position),
        side=position.side,
    )


def publish_account(floor: Floor, account: Account, changed: Iterable[Position], at_ms: int, reason: str, change: Decimal = ZERO) -> None:
    views = tuple(_view(floor, account, each) for each in changed)
    floor.effects.append(AccountEffect(account.name, reason, account.wallet, change, views, at_ms))


def deposit(floor: Floor, account: Account, amount: Decimal, at_ms: int) -> None:
    """A transfer in (or, negative, out)."""
    account.wallet += amount
    account.deposits += amount
    account.updated_ms = at_ms
    floor.last_income_id += 1
    account.income.append(Income("TRANSFER", "", amount, at_ms, floor.last_income_id))
    publish_account(floor, account, (), at_ms, "DEPOSIT" if amount > 0 else "WITHDRAW", amount)
