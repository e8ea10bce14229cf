"""An unreleased stop is deleted with every trick there is, and at last with the guard out of the way (DESIGN 2, promise 3)."""

import json

import pytest
from tests.chaos import laws
from tests.chaos.system import OURS, System, eventually

from quantum_cluster.kube_client import ApiError

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos]
BINDING = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
GUARD = "quantum-trader-keep"
REFUSAL = "cannot be deleted, by anyone"
TRICKS = {
    "by force": ("delete", "estop", "kept", "--force", "--grace-period=0"),
    "with its dependents": ("delete", "estop", "kept", "--cascade=foreground"),
    "as a collection": ("delete", "estop", "--all"),
    "by replacing it": ("replace", "--force", "-f", "-"),
}


async def test_no_trick_deletes_an_unreleased_stop(system: System) -> None:
    await system.go_long()
    await system.stop("kept")
    await system.until("emergencystops", "kept", "PositionsFlat")
    uid = (await system.stops())["kept"]["metadata"]["uid"]
    weaker = {"apiVersion": "quantumtrader.io/v1alpha1", "kind": "EmergencyStop", "metadata": {"name": "kept"}}
    weaker["spec"] = {"action": "HaltEntries", "reason": "nothing to see"}  # type: ignore[assignment]
    for trick, command in TRICKS.items():
        ran = await system.kubectl.run(*command, stdin=json.dumps(weaker))
        assert ran.code != 0, trick
        assert REFUSAL in ran.err, trick
    finalizer = json.dumps({"metadata": {"finalizers": ["example.org/mine"]}})
    await system.kubectl.run("patch", "estop", "kept", "--type=merge", "-p", finalizer)
    assert REFUSAL in (await system.kubectl.run("delete", "estop", "kept", "--wait=false")).err
    await system.kubectl.must("patch", "estop", "kept", "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    kept = (await system.stops())["kept"]
    assert (kept["metadata"]["uid"], kept["metadata"].get("deletionTimestamp")) == (uid, None)
    await system.until("emergencystops", "kept", "GateClosed")
    assert laws.no_entry_while_closed(await system.venue.log(), await system.closings("kept")) == []


async def test_a_stop_whose_object_is_really_gone_stays_latched_and_gets_its_object_back(system: System) -> None:
    """The guard is taken away, the object deleted, the guard put back: the latch is the engine's, and asks for its object again."""
    await system.go_long()
    await system.stop("erased")
    stop = await system.until("emergencystops", "erased", "PositionsFlat")
    uid = stop["metadata"]["uid"]
    closed = await system.closings("erased")
    guard = await system.api.get(f"{BINDING}/{GUARD}")
    await system.api.delete(f"{BINDING}/{GUARD}")
    try:
        await eventually(lambda: erased(system), "the stop is gone")
    finally:
        binding = {"metadata": {"name": GUARD, "labels": guard["metadata"]["labels"], "annotations": guard["metadata"]["annotations"]}}
        await system.api.create(BINDING, {"spec": guard["spec"], **binding})

    async def back() -> bool:
        return {e for e, s in (await system.own_stops()).items() if s["spec"]["origin"]["latchId"] == uid} == set(system.engines)

    await eventually(back, "an object per engine names the latch")
    for engine, returned in (await system.own_stops()).items():
        assert returned["spec"]["action"] == "Flatten"
        await system.until("emergencystops", returned["metadata"]["name"], "GateClosed")
        assert [latch["id"] for latch in (await system.status(engine))["latches"]] == [uid]
    await system.venue.drift(300)
    name = (await system.own_stops())[system.engines[0]]["metadata"]["name"]

    async def guarded_again() -> bool:
        return REFUSAL in (await system.kubectl.run("delete", "estop", name, "--dry-run=server")).err

    await eventually(guarded_again, "the guard is back")
    assert laws.no_entry_while_closed(await system.venue.log(), closed) == []
    assert laws.flat(await system.venue.accounts()) == []


async def erased(system: System) -> bool:
    """The guard is forgotten by the API server a moment after its binding is gone."""
    try:
        await system.api.delete(f"{OURS}/emergencystops/erased")
    except ApiError as error:
        if error.status != 404:
            raise
    return "erased" not in await system.stops()
