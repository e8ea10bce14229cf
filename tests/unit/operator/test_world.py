"""The fence's components never claim what was not reflected, and never go back (DESIGN 4)."""

from tests.unit.operator.worlds import ENGINE, pod, policy, world

from quantum_api.policy_document import Seen
from quantum_operator.world import Change, Resource, World

TP = Resource.TRADING_POLICIES


def names(made: World) -> set[str]:
    return {p.meta.name for p in made.snapshot().policies}


def test_nothing_is_complete_before_every_resource_was_listed_once() -> None:
    made = World()
    for resource in (Resource.TRADING_POLICIES, Resource.STRATEGY_MODES, Resource.EMERGENCY_STOPS):
        made.replace(resource, 5, [])
        assert not made.complete
    made.replace(Resource.ENGINES, 5, [])
    assert made.complete


def test_an_event_older_than_the_list_changes_nothing() -> None:
    made = world(policies=[policy(version=50)])
    assert made.observe(TP, "DELETED", policy(version=99)) is Change.NOTHING
    assert names(made) == {"base"}


def test_a_deletion_counts_as_seen() -> None:
    made = world(policies=[policy(version=50)])
    assert made.observe(TP, "DELETED", policy(version=120)) is Change.MEANING
    snapshot = made.snapshot()
    assert snapshot.policies == ()
    assert snapshot.seen.trading_policies == snapshot.moved.trading_policies == 120


def test_a_late_list_does_not_bring_back_what_was_deleted_after_it() -> None:
    made = world(policies=[policy(version=50)])
    made.observe(TP, "DELETED", policy(version=120))
    made.replace(TP, 110, [policy(version=50)])
    assert names(made) == set()
    assert made.snapshot().seen.trading_policies == 120


def test_a_late_list_does_not_undo_a_newer_event() -> None:
    made = world(policies=[policy(version=50)])
    made.observe(TP, "MODIFIED", policy(version=120, generation=2))
    made.replace(TP, 110, [policy(version=50)])
    assert made.snapshot().policies[0].meta.generation == 2


def test_a_list_removes_what_a_dead_watch_did_not_report() -> None:
    made = world(policies=[policy("a"), policy("b")])
    assert made.replace(TP, 200, [policy("b")]) is Change.MEANING
    assert names(made) == {"b"}
    assert made.snapshot().moved.trading_policies == 200


def test_an_older_list_is_ignored() -> None:
    made = world()
    made.replace(TP, 300, [policy("new", version=250)])
    assert made.replace(TP, 200, []) is Change.NOTHING
    assert names(made) == {"new"}


def test_events_that_overtook_one_another_do_not_restore_the_older_state() -> None:
    made = world()
    made.observe(TP, "MODIFIED", policy(version=130, generation=3))
    assert made.observe(TP, "MODIFIED", policy(version=120, generation=2)) is Change.NOTHING
    assert made.snapshot().policies[0].meta.generation == 3


def test_an_item_of_the_frameworks_own_list_counts_but_proves_nothing_about_its_siblings() -> None:
    made = world()
    assert made.observe(TP, None, policy(version=150)) is Change.MEANING
    snapshot = made.snapshot()
    assert names(made) == {"base"}
    assert snapshot.seen.trading_policies == 100
    assert snapshot.seen.covers(snapshot.moved)


def test_a_status_write_raises_seen_but_not_when_the_meaning_moved() -> None:
    made = world(policies=[policy(version=50)])
    written = {**policy(version=140), "status": {"observedGeneration": 1}}
    assert made.observe(TP, "MODIFIED", written) is Change.STATUS
    snapshot = made.snapshot()
    assert snapshot.seen.trading_policies == 140
    assert snapshot.moved.trading_policies == 100


def test_an_object_made_anew_under_its_old_name_is_another_object() -> None:
    made = world(policies=[policy(version=50)])
    made.observe(TP, "DELETED", policy(version=120))
    made.observe(TP, "ADDED", policy(version=121, meta={"uid": "other"}))
    assert made.snapshot().policies[0].meta.uid == "other"


def test_an_engine_is_seen_at_its_pods_own_version() -> None:
    made = world(pods=[pod(version=70), pod("engine-1", version=80)])
    snapshot = made.snapshot()
    assert snapshot.seen_for("engine-0") == Seen(trading_policies=100, strategy_modes=100, emergency_stops=100, engine=70)
    made.observe(Resource.ENGINES, "MODIFIED", pod(version=140))
    assert made.snapshot().seen_for("engine-0").engine == 140
    assert made.snapshot().required_of("engine-0").engine == 70
    made.observe(Resource.ENGINES, "MODIFIED", pod(version=150, tier="b"))
    assert made.snapshot().required_of("engine-0").engine == 150


def test_an_engine_without_an_address_has_no_endpoint() -> None:
    assert ENGINE.endpoint == "http://127.0.0.1:8080"
    assert world(pods=[pod(ip=None)]).snapshot().engines["engine-0"].endpoint is None


def test_a_list_that_brings_an_older_missed_object_is_a_change_of_meaning() -> None:
    """Its own version may lie below what was claimed as seen: the fence must then move past that claim."""
    made = world(policies=[policy("a", version=50)])
    made.observe(TP, "MODIFIED", policy("a", version=180, generation=2))
    assert made.replace(TP, 200, [policy("a", version=180, generation=2), policy("b", version=150)]) is Change.MEANING
    assert made.snapshot().moved.trading_policies == 200
