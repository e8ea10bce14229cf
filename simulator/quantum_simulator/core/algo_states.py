"""The life of a conditional order after it was accepted: every change of state is told.  Pure.

In    floor, account, algo order, its next state
Out   changed state, AlgoEffect on the floor; what no longer waits is no longer looked at
Flow  triggers, settlement -> HERE -> effects
Why   FINISHED comes when the order that it became has ended, which is settled far from the trigger
"""

from quantum_simulator.core.accounts import Account, Position
from quantum_simulator.core.algo_orders import AlgoOrder, AlgoStatus
from quantum_simulator.core.effects import AlgoEffect
from quantum_simulator.core.floor import Floor
from quantum_simulator.core.orders import Order
from quantum_simulator.decimals import ZERO


def move(floor: Floor, account: Account, algo: AlgoOrder, status: AlgoStatus, now_ms: int, reason: str = "") -> None:
    algo.status = status
    algo.updated_ms = now_ms
    if status != "NEW":
        account.waiting_algos.pop(algo.id, None)
    order = account.orders.get(algo.order_id)
    filled, average = (order.filled, order.average_price) if order else (ZERO, ZERO)
    floor.effects.append(AlgoEffect(algo, status, now_ms, reason, filled, average))


def expire_closing(floor: Floor, account: Account, position: Position, now_ms: int) -> None:
    """An order that closes whatever is held goes with its position."""
    for algo in account.open_algos(position.symbol):
        if algo.close_position and algo.position_side == position.side:
            move(floor, account, algo, "EXPIRED", now_ms)


def finish_with(floor: Floor, account: Account, order: Order, now_ms: int) -> None:
    """The order that a conditional one became has ended."""
    algo = account.algos.get(order.algo_id)
    if algo is not None:
        move(floor, account, algo, "FINISHED", now_ms)
