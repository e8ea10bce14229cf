"""One request as the endpoints see it.  Pure data.

In    parsed parameters, the account that signed, the time, the venue's state
Out   -
Flow  rest.server -> HERE -> endpoints
Why   endpoints are plain functions of this, so they can be called without a socket
"""

from typing import NamedTuple

from quantum_simulator.core.accounts import Account
from quantum_simulator.rest.parameters import Params
from quantum_simulator.state import VenueState


class Call(NamedTuple):
    state: VenueState
    params: Params
    now_ms: int
    signer: Account | None = None

    @property
    def account(self) -> Account:
        assert self.signer is not None, "the endpoint table marks this endpoint as signed"
        return self.signer
