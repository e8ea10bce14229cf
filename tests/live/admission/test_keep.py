"""An unreleased stop is not deleted, by anyone, by any road; who writes origin and status."""

import json

import pytest
from tests.live.admission.desk import (
    ALICE,
    FOREIGN_OPERATOR,
    GITOPS,
    OPERATOR,
    POLICY,
    WALT,
    WITH_ORIGIN,
    Desk,
    Person,
    an_object,
    denied,
)

from quantum_api.kinds import KINDS

pytestmark = pytest.mark.asyncio(loop_scope="session")
KEPT = "an EmergencyStop that is not released cannot be deleted, by anyone: approve its release and wait for the condition Released"
ADMIN = Person("root", ("system:masters",))


@pytest.mark.parametrize("who", [ALICE, WALT, GITOPS, ADMIN], ids=lambda who: who.name)
async def test_nobody_deletes_an_unreleased_stop(desk: Desk, who: Person) -> None:
    name = await desk.stop()
    denied(await desk("delete", "estop", name, who=who), "keep", KEPT)
    denied(await desk("delete", "estop", name, "--force", "--grace-period=0", who=who), "keep", KEPT)
    denied(await desk("delete", "estop", name, "--cascade=orphan", who=who), "keep", KEPT)


async def test_deleting_them_all_at_once_deletes_none(desk: Desk) -> None:
    name = await desk.stop()
    path = "/apis/quantumtrader.io/v1alpha1/namespaces/trading/emergencystops"
    denied(await desk("delete", "--raw", path, who=WALT), "keep", KEPT)
    assert await desk.spec("estop", name)


async def test_replacing_by_force_is_a_deletion_too(desk: Desk) -> None:
    name = await desk.stop()
    weaker = {**an_object("EmergencyStop", {"action": "HaltEntries", "reason": "drill"}), "metadata": {"name": name}}
    denied(await desk("replace", "--force", "-f", "-", given=weaker, who=WALT), "keep", KEPT)
    assert (await desk.spec("estop", name))["action"] == "Flatten"


async def test_a_finalizer_does_not_make_room_for_a_deletion(desk: Desk) -> None:
    """A deletion that is only marked would be completed by whoever removes the finalizer."""
    name = await desk.stop()
    for finalizers in (["example.com/mine"], []):
        patch = json.dumps({"metadata": {"finalizers": finalizers}})
        (await desk("patch", "estop", name, "--type=merge", "-p", patch, who=WALT)).check()
        denied(await desk("delete", "estop", name, "--wait=false", who=WALT), "keep", KEPT)
    marked = (await desk("get", "estop", name, "-o", "jsonpath={.metadata.deletionTimestamp}")).check().stdout
    assert marked == ""


@pytest.mark.parametrize(
    "who",
    [
        Person("system:serviceaccount:kube-system:generic-garbage-collector"),
        Person("system:serviceaccount:kube-system:namespace-controller"),
        Person("system:kube-controller-manager", ("system:masters",)),
    ],
    ids=lambda who: who.name,
)
async def test_no_controller_deletes_it_while_its_namespace_lives(desk: Desk, who: Person) -> None:
    """An owner reference to something deletable would else let the garbage collector do it."""
    denied(await desk("delete", "estop", await desk.stop(), who=who), "keep", KEPT)


async def test_the_end_of_a_namespace_takes_its_stops_along(desk: Desk) -> None:
    """The engines end with it; refusing would leave the namespace terminating for ever."""
    (await desk.cluster.kubectl("create", "namespace", "ending")).check()
    await desk.stop(namespace="ending")
    (await desk("apply", "-f", "-", given=an_object("TradingPolicy", POLICY), namespace="ending")).check()
    (await desk.cluster.kubectl("delete", "namespace", "ending", "--timeout=60s")).check()


async def test_a_released_stop_may_be_tidied_away(desk: Desk) -> None:
    name = await desk.stop()
    await desk.release(name)
    (await desk("delete", "estop", name, who=ALICE)).check()


async def test_a_condition_that_says_false_releases_nothing(desk: Desk) -> None:
    name = await desk.stop()
    condition = {"type": "Released", "status": "False", "reason": "AwaitingApprovals", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    (await desk.write_status(name, {"conditions": [condition]})).check()
    denied(await desk("delete", "estop", name, who=ALICE), "keep", KEPT)


@pytest.mark.parametrize("who", [ALICE, WALT], ids=lambda who: who.name)
async def test_a_stranger_cannot_write_the_status_that_would_release(desk: Desk, who: Person) -> None:
    name = await desk.stop()
    answer = await desk.write_status(name, {"approvals": "2/2"}, who)
    assert answer.returncode != 0
    assert f'User "{who.name}" cannot get resource "emergencystops/status"' in answer.stderr
    applied = {**an_object("EmergencyStop", {}), "metadata": {"name": name}, "status": {"approvals": "2/2"}}
    answer = await desk("apply", "--server-side", "--subresource=status", "-f", "-", given=applied, who=who)
    assert f'User "{who.name}" cannot patch resource "emergencystops/status"' in answer.stderr


async def test_a_status_written_with_the_object_is_ignored(desk: Desk) -> None:
    condition = {"type": "Released", "status": "True", "reason": "Released", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    body = {**an_object("EmergencyStop", {"action": "Flatten", "reason": "drill"}), "status": {"conditions": [condition]}}
    (await desk("create", "-f", "-", given=body, who=WALT)).check()
    denied(await desk("delete", "estop", body["metadata"]["name"], who=WALT), "keep", KEPT)


@pytest.mark.parametrize("kind", [kind.plural for kind in KINDS])
async def test_nobody_deletes_a_kind_and_with_it_every_stop(desk: Desk, kind: str) -> None:
    said = "deleting this kind would delete its objects, unreleased stops included: uninstall the release that guards it first"
    denied(await desk("delete", "crd", f"{kind}.quantumtrader.io", who=ADMIN), "keep-kinds", said)


async def test_other_kinds_are_none_of_our_business(desk: Desk) -> None:
    schema = {"openAPIV3Schema": {"type": "object"}}
    foreign = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }  # fmt: skip
    (await desk("create", "-f", "-", given=foreign)).check()
    (await desk("delete", "crd", "things.example.com")).check()


async def test_only_the_operator_of_the_namespace_writes_origin(desk: Desk) -> None:
    said = "spec.origin is written by system:serviceaccount:trading:quantum-trader-operator alone: leave it out"
    for who in (ALICE, FOREIGN_OPERATOR, ADMIN):
        denied(await desk("create", "-f", "-", given=an_object("EmergencyStop", WITH_ORIGIN), who=who), "origin", said)
    body = an_object("EmergencyStop", WITH_ORIGIN)
    (await desk("create", "-f", "-", given=body, who=OPERATOR)).check()
    (await desk.patch("estop", body["metadata"]["name"], {"approvals": [{"by": "alice"}]}, ALICE)).check()
