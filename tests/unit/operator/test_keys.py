"""A key is known to every engine before it signs, and as long as something it signed may be valid."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quantum_api.policy_document import Jwks
from quantum_operator.errors import KeyRingError
from quantum_operator.keys import MAX_LEASE_MS, after_due_steps, as_published, first_ring, read_ring, secret_data, with_pending

GRACE_MS = 120_000


def new() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def test_the_ring_survives_its_secret() -> None:
    ring = as_published(with_pending(first_ring(1, new()), 2, new()), 3)
    again = read_ring(secret_data(ring))
    assert [k.id for k in again.keys] == [k.id for k in ring.keys]
    assert (again.active_id, again.keys[1].published_at_ms) == (ring.active_id, 3)


def test_a_new_key_signs_only_after_a_grace_since_it_was_published() -> None:
    rotated = with_pending(first_ring(0, new()), 10, new())
    unpublished = after_due_steps(rotated, 10 + 100 * GRACE_MS, GRACE_MS)
    assert unpublished.active_id == rotated.active_id
    published = as_published(rotated, 1000)
    assert after_due_steps(published, 999 + GRACE_MS, GRACE_MS).active_id == rotated.active_id
    assert after_due_steps(published, 1000 + GRACE_MS, GRACE_MS).active_id == rotated.keys[1].id


def test_the_old_key_stays_until_its_last_document_has_expired() -> None:
    ring = after_due_steps(as_published(with_pending(first_ring(0, new()), 0, new()), 0), GRACE_MS, GRACE_MS)
    assert len(Jwks.parse(ring.jwks())) == 2
    assert len(after_due_steps(ring, GRACE_MS + MAX_LEASE_MS, GRACE_MS).keys) == 2
    assert len(after_due_steps(ring, 2 * GRACE_MS + MAX_LEASE_MS, GRACE_MS).keys) == 1


def test_a_rotation_under_way_is_not_begun_twice() -> None:
    ring = with_pending(first_ring(0, new()), 1, new())
    assert with_pending(ring, 2, new()) == ring


@pytest.mark.parametrize("data", [{}, {"keyring.json": "e30="}, {"keyring.json": "!"}])
def test_an_unreadable_ring_is_said_and_never_replaced(data: dict[str, str]) -> None:
    with pytest.raises(KeyRingError):
        read_ring(data)
