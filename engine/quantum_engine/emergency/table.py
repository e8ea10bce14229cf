"""The states of an emergency stop, as data.  Pure.

In    a state and what happened
Out   the next state; an arrow that is not in the table changes nothing and raises nothing
Flow  latches -> HERE -> status, release
Why   a stop that can raise is a stop that can be off, and only a release leads back to ARMED
"""

from enum import StrEnum
from typing import Final

from quantum_api.engine_status import EmergencyState


class Happening(StrEnum):
    """What can happen to a stop."""

    TRIP = "TRIP"
    WORK_DONE = "WORK_DONE"
    """The exchange shows what the action asks for."""
    WORK_UNDONE = "WORK_UNDONE"
    """The exchange shows an order or position again: a late fill."""
    RELEASE = "RELEASE"
    """People released it and its cooldown is over."""


TABLE: Final = {
    (EmergencyState.ARMED, Happening.TRIP): EmergencyState.TRIPPED,
    (EmergencyState.TRIPPED, Happening.WORK_DONE): EmergencyState.COOLDOWN,
    (EmergencyState.COOLDOWN, Happening.TRIP): EmergencyState.TRIPPED,
    (EmergencyState.COOLDOWN, Happening.WORK_UNDONE): EmergencyState.TRIPPED,
    (EmergencyState.COOLDOWN, Happening.RELEASE): EmergencyState.ARMED,
}


def next_state(state: EmergencyState, happening: Happening) -> EmergencyState:
    """The state after ``happening``."""
    return TABLE.get((state, happening), state)
