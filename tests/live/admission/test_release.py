"""Who may approve the release of a stop: a person with the verb, in their own name, once the stop exists."""

import json

import pytest
from tests.live.admission.desk import ALICE, BOB, GITOPS, OPERATOR, RELEASER, WALT, Desk, Person, an_object, denied

from quantum_cluster.embedded import Completed

pytestmark = pytest.mark.asyncio(loop_scope="session")
LACKS = (
    "spec.approvals: approving needs the verb release on emergencystops.quantumtrader.io, which "
    "{} lacks: ask for the role quantum-trader-risk-officer"
)
FOREIGN = "spec.approvals: {} may not approve in the name of {}: set by to your own user name"
TAKEN = "spec.approvals: {} may not withdraw or replace the approval of {}: only its author may (keep the other entries when you add yours)"
APPROVED = "spec.action: this stop is approved for release and would stop nothing: create a new EmergencyStop to stop again"
FINAL = "spec is final, this stop is released: create a new EmergencyStop to stop again"


async def add(desk: Desk, name: str, by: str, who: Person) -> Completed:
    patch = json.dumps([{"op": "add", "path": "/spec/approvals/-", "value": {"by": by, "comment": "flat"}}])
    return await desk("patch", "estop", name, "--type=json", "-p", patch, who=who)


async def test_two_risk_officers_each_approve_in_their_own_name(desk: Desk) -> None:
    name = await desk.stop()
    (await add(desk, name, "alice", ALICE)).check()
    (await add(desk, name, "bob", BOB)).check()
    assert await desk.approvers(name) == ["alice", "bob"]


async def test_the_same_person_does_not_count_twice(desk: Desk) -> None:
    name = await desk.stop()
    (await add(desk, name, "alice", ALICE)).check()
    again = await add(desk, name, "alice", ALICE)
    assert again.returncode != 0
    assert "Duplicate value" in again.stderr


async def test_alice_cannot_write_an_approval_by_bob(desk: Desk) -> None:
    name = await desk.stop()
    denied(await desk.patch("estop", name, {"approvals": [{"by": "bob"}]}, ALICE), "release", FOREIGN.format("alice", "bob"))
    denied(await add(desk, name, "bob", ALICE), "release", FOREIGN.format("alice", "bob"))
    both = [{"by": "alice"}, {"by": "bob"}]
    denied(await desk.patch("estop", name, {"approvals": both}, ALICE), "release", FOREIGN.format("alice", "bob"))
    assert await desk.approvers(name) == []


async def test_a_cluster_administrator_cannot_write_an_approval_by_somebody_else_either(desk: Desk) -> None:
    name = await desk.stop()
    denied(await desk.patch("estop", name, {"approvals": [{"by": "bob"}]}), "release", FOREIGN.format("quantum-cluster:admin", "bob"))


async def test_replacing_the_list_keeps_what_others_wrote_or_is_refused(desk: Desk) -> None:
    name = await desk.stop()
    (await add(desk, name, "bob", BOB)).check()
    denied(await desk.patch("estop", name, {"approvals": [{"by": "alice"}]}, ALICE), "release", TAKEN.format("alice", "bob"))
    changed = [{"by": "bob", "comment": "and more"}, {"by": "alice"}]
    denied(await desk.patch("estop", name, {"approvals": changed}, ALICE), "release", FOREIGN.format("alice", "bob"))
    kept = [{"by": "bob", "comment": "flat"}, {"by": "alice"}]
    (await desk.patch("estop", name, {"approvals": kept}, ALICE)).check()
    assert await desk.approvers(name) == ["bob", "alice"]


async def test_an_approval_that_was_withdrawn_cannot_be_replayed_by_somebody_else(desk: Desk) -> None:
    name = await desk.stop()
    (await add(desk, name, "bob", BOB)).check()
    recorded = (await desk.spec("estop", name))["approvals"]
    (await desk.patch("estop", name, {"approvals": []}, BOB)).check()
    denied(await desk.patch("estop", name, {"approvals": recorded}, ALICE), "release", FOREIGN.format("alice", "bob"))


async def test_nobody_withdraws_the_approval_of_somebody_else(desk: Desk) -> None:
    name = await desk.stop()
    (await add(desk, name, "bob", BOB)).check()
    remove = json.dumps([{"op": "remove", "path": "/spec/approvals/0"}])
    denied(await desk("patch", "estop", name, "--type=json", "-p", remove, who=ALICE), "release", TAKEN.format("alice", "bob"))
    denied(await desk.patch("estop", name, {"approvals": None}, WALT), "release", TAKEN.format("walt", "bob"))


async def test_withdrawing_ones_own_approval_needs_no_verb(desk: Desk) -> None:
    """Whoever lost the verb since may still take back what they said: that only tightens."""
    name = await desk.stop()
    officer = Person("walt", ("risk-officers",))
    (await add(desk, name, "walt", officer)).check()
    (await desk.patch("estop", name, {"approvals": []}, WALT)).check()
    assert await desk.approvers(name) == []


async def test_who_may_write_stops_may_not_therefore_release_them(desk: Desk) -> None:
    name = await desk.stop()
    denied(await add(desk, name, "walt", WALT), "release", LACKS.format("walt"))


async def test_server_side_apply_adds_one_entry_under_ones_own_field_manager(desk: Desk) -> None:
    name = await desk.stop()

    def approval(by: str) -> dict[str, object]:
        body = an_object("EmergencyStop", {"approvals": [{"by": by}]})
        return {**body, "metadata": {"name": name}}

    for person in (ALICE, BOB):
        applied = await desk("apply", "--server-side", f"--field-manager={person.name}", "-f", "-", given=approval(person.name), who=person)
        applied.check()
    assert await desk.approvers(name) == ["alice", "bob"]
    forged = await desk("apply", "--server-side", "--field-manager=x", "-f", "-", given=approval("carla"), who=ALICE)
    denied(forged, "release", FOREIGN.format("alice", "carla"))


async def test_server_side_apply_under_a_shared_field_manager_cannot_drop_the_other_approval(desk: Desk) -> None:
    """One manager owns what it applied last: bob's apply would silently remove alice's entry."""
    name = await desk.stop()
    bodies = [{**an_object("EmergencyStop", {"approvals": [{"by": by}]}), "metadata": {"name": name}} for by in ("alice", "bob")]
    (await desk("apply", "--server-side", "-f", "-", given=bodies[0], who=ALICE)).check()
    denied(await desk("apply", "--server-side", "-f", "-", given=bodies[1], who=BOB), "release", TAKEN.format("bob", "alice"))


async def test_a_stop_is_not_created_approved(desk: Desk) -> None:
    body = an_object("EmergencyStop", {"action": "Flatten", "reason": "drill", "approvals": [{"by": "alice"}]})
    said = "spec.approvals must be empty when a stop is created: approve it afterwards, in your own name"
    denied(await desk("create", "-f", "-", given=body, who=ALICE), "release", said)
    denied(await desk("apply", "--server-side", "-f", "-", given=body, who=ALICE), "release", said)


async def test_a_gitops_controller_with_cluster_admin_engages_but_does_not_release(desk: Desk) -> None:
    """Its wildcard would cover the verb; people release."""
    body = an_object("EmergencyStop", {"action": "HaltEntries", "reason": "from git"})
    (await desk("apply", "--server-side", "-f", "-", given=body, who=GITOPS)).check()
    name = body["metadata"]["name"]
    (await desk.patch("estop", name, {"action": "Flatten"}, GITOPS)).check()
    denied(
        await add(desk, name, GITOPS.name, GITOPS), "release",
        "spec.approvals: approving needs the verb release on emergencystops.quantumtrader.io, "
        "which system:serviceaccount:gitops:controller has only by a wildcard: "
        "let a person do it, or name the account in admission.wildcardServiceAccounts",
    )  # fmt: skip


async def test_a_service_account_that_a_rule_names_may_approve_in_its_own_name(desk: Desk) -> None:
    name = await desk.stop()
    (await add(desk, name, RELEASER.name, RELEASER)).check()
    denied(await add(desk, name, "alice", RELEASER), "release", FOREIGN.format(RELEASER.name, "alice"))


async def test_the_operator_cannot_approve(desk: Desk) -> None:
    answer = await add(desk, await desk.stop(), OPERATOR.name, OPERATOR)
    assert answer.returncode != 0
    assert f'User "{OPERATOR.name}" cannot patch resource "emergencystops"' in answer.stderr


async def test_a_status_patch_that_carries_approvals_approves_nothing(desk: Desk) -> None:
    name = await desk.stop()
    (await desk.write_status(name, {"approvals": "2/2"}, spec={"approvals": [{"by": "alice"}, {"by": "bob"}]})).check()
    assert await desk.approvers(name) == []


async def test_the_approvals_of_a_released_stop_are_its_record(desk: Desk) -> None:
    name = await desk.stop()
    (await add(desk, name, "alice", ALICE)).check()
    await desk.release(name)
    denied(await add(desk, name, "bob", BOB), "release", FINAL)
    denied(await desk.patch("estop", name, {"approvals": []}, ALICE), "release", FINAL)
    (await desk("label", "estop", name, "ticket=42", who=ALICE)).check()


async def test_a_released_stop_cannot_be_made_stronger_for_that_would_stop_nothing(desk: Desk) -> None:
    name = await desk.stop(action="HaltEntries")
    await desk.release(name)
    denied(await desk.patch("estop", name, {"action": "Flatten"}, ALICE), "release", FINAL)


async def test_a_stop_approved_for_release_cannot_be_made_stronger_for_that_would_stop_nothing(desk: Desk) -> None:
    """Its engines may still wait for the cooldown; they were told that it is released."""
    name = await desk.stop(action="HaltEntries")
    (await add(desk, name, "alice", ALICE)).check()
    (await desk.patch("estop", name, {"action": "CancelOrders"}, ALICE)).check()
    both = {"action": "Flatten", "approvals": [{"by": "alice"}, {"by": "bob"}]}
    denied(await desk.patch("estop", name, both, BOB), "release", APPROVED)
    (await add(desk, name, "bob", BOB)).check()
    denied(await desk.patch("estop", name, {"action": "Flatten"}, ALICE), "release", APPROVED)
