"""What each role of the chart may do, and who may write the status."""

import json
from typing import Any

import pytest
from tests.live.admission.desk import ALICE, OPERATOR, PAUL, TINA, VERA, Desk, Person, an_object

pytestmark = pytest.mark.asyncio(loop_scope="session")
WRITE = ("create", "update", "patch", "delete")
KINDS = ("emergencystops", "strategymodes", "tradingpolicies")
MAY = {
    VERA: {},
    ALICE: {"emergencystops": (*WRITE, "release")},
    TINA: {"strategymodes": WRITE},
    PAUL: {"tradingpolicies": (*WRITE, "loosen")},
}


def _rules(role: dict[str, Any]) -> list[dict[str, Any]]:
    return role.get("rules") or []


async def _may(desk: Desk, who: Person) -> set[tuple[str, str]]:
    """Verb and resource of our group, as the API server's own authorizer lists them."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "trading"}}
    answer = (
        await desk("create", "--raw", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", "-f", "-", given=review, who=who)
    ).check()
    rules = json.loads(answer.stdout)["status"]["resourceRules"]
    ours = [rule for rule in rules if "quantumtrader.io" in rule["apiGroups"]]
    return {(verb, resource) for rule in ours for verb in rule["verbs"] for resource in rule["resources"]}


@pytest.mark.parametrize("who", MAY, ids=lambda who: who.name)
async def test_a_role_may_read_all_three_kinds_and_write_its_own(desk: Desk, who: Person) -> None:
    read = {(verb, kind) for verb in ("get", "list", "watch") for kind in KINDS}
    assert await _may(desk, who) == read | {(verb, kind) for kind, verbs in MAY[who].items() for verb in verbs}


async def test_the_operator_reads_the_kinds_patches_their_status_and_creates_stops_and_no_more(desk: Desk) -> None:
    read = {(verb, kind) for verb in ("get", "list", "watch") for kind in KINDS}
    assert await _may(desk, OPERATOR) == read | {("patch", f"{kind}/status") for kind in KINDS} | {("create", "emergencystops")}


async def test_nobody_but_the_operator_is_granted_a_status(desk: Desk) -> None:
    """Kubernetes' own roles included: only cluster-admin's wildcard, and controllers that act on every kind, come near."""
    listed = json.loads((await desk("get", "roles,clusterroles", "-A", "-o", "json")).check().stdout)["items"]
    granting = [
        role["metadata"]["name"]
        for role in listed
        for rule in _rules(role)
        if any(resource in {"emergencystops/status", "*/status"} for resource in rule.get("resources", []))
    ]
    assert granting == ["quantum-trader-operator"]


async def test_no_role_of_the_chart_has_a_wildcard(desk: Desk) -> None:
    listed = json.loads((await desk("get", "roles,clusterroles", "-A", "-o", "json")).check().stdout)["items"]
    ours = [role for role in listed if role["metadata"]["name"].startswith("quantum-trader-")]
    assert len(ours) == 5
    wild = [role["metadata"]["name"] for role in ours for rule in _rules(role) if "*" in json.dumps(rule)]
    assert wild == []


async def test_a_trader_changes_the_mode_and_neither_stops_nor_limits(desk: Desk) -> None:
    """A bolder mode is no loosening: it moves within the limits."""
    body = an_object("StrategyMode", {"mode": "defensive"})
    (await desk("create", "-f", "-", given=body, who=TINA)).check()
    (await desk.patch("smode", body["metadata"]["name"], {"mode": "aggressive"}, TINA)).check()
    refused = await desk.patch("estop", await desk.stop(), {"action": "Flatten"}, TINA)
    assert 'User "tina" cannot patch resource "emergencystops"' in refused.stderr


async def test_the_guards_compile_against_the_kinds_without_a_warning(desk: Desk) -> None:
    guards = json.loads((await desk("get", "validatingadmissionpolicies", "-o", "json")).check().stdout)["items"]
    assert sorted(guard["metadata"]["name"] for guard in guards) == [
        f"quantum-trader-{word}" for word in ("keep", "keep-kinds", "loosen", "origin", "release")
    ]
    assert [guard["spec"]["failurePolicy"] for guard in guards] == ["Fail"] * 5
    assert [warning for guard in guards for warning in guard.get("status", {}).get("typeChecking", {}).get("expressionWarnings", [])] == []
