"""What is signed can be verified, whatever people pile up."""

import json
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.operator.worlds import ENGINE, NOW_MS, policy, snapshot

from quantum_api.gate import Gate
from quantum_api.policy_document import MAX_BYTES, Jwks, Seen, StopOrder, Verified, jwk_of, verify
from quantum_api.trading_policy import StopAction
from quantum_operator.clock import SystemClock
from quantum_operator.keys import first_ring
from quantum_operator.resolve import resolve
from quantum_operator.signing import Signer

KEY = Ed25519PrivateKey.generate()
JWKS = Jwks.parse(json.dumps({"keys": [jwk_of(KEY.public_key())]}))


def signer() -> Signer:
    made = Signer(SystemClock())
    made.ring = first_ring(NOW_MS, KEY)
    return made


def test_promise_1_a_flatten_arrives_though_somebody_piled_up_stops() -> None:
    """Whoever may create stops must not be able to make the officer's stop unsendable."""
    pile = [
        StopOrder(id=f"{n:064}", name=f"pile-{n}", action=StopAction.HALT_ENTRIES, symbols=["BTCUSDT"], reason="r" * 256)
        for n in range(20_000)
    ]
    flatten = StopOrder(id="officer", name="officer", action=StopAction.FLATTEN, reason="now")
    resolved = replace(resolve(snapshot(policies=[policy()]), ENGINE, 2), stops=(*pile, flatten))
    issued = signer().issue("ns/engine-0", resolved, Seen(), 0, NOW_MS)
    assert issued is not None
    assert len(issued.token) <= MAX_BYTES
    verified = verify(issued.token, JWKS, "ns/engine-0")
    assert isinstance(verified, Verified)
    assert flatten in verified.document.stops
    assert verified.document.gate is Gate.EXIT_ONLY
    assert verified.document.released == []
