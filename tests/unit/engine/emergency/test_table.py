from itertools import product

from quantum_api.engine_status import EmergencyState
from quantum_engine.emergency.table import TABLE, Happening, next_state


def test_an_arrow_that_is_not_in_the_table_changes_nothing() -> None:
    for state, happening in product(EmergencyState, Happening):
        assert next_state(state, happening) is TABLE.get((state, happening), state)


def test_only_a_release_in_cooldown_leads_back_to_armed() -> None:
    assert [arrow for arrow, to in TABLE.items() if to is EmergencyState.ARMED] == [(EmergencyState.COOLDOWN, Happening.RELEASE)]
