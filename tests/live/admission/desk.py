"""People, roles and short ways to ask the API server, for the tests of the guards."""

import json
from dataclasses import dataclass
from itertools import count
from typing import Any

from quantum_api import names
from quantum_cluster.embedded import Completed, EmbeddedCluster

NAMESPACE = "trading"
NUMBERS = count()


@dataclass(frozen=True)
class Person:
    """Who a request is impersonated as."""

    name: str
    groups: tuple[str, ...] = ()


ALICE, BOB = Person("alice", ("risk-officers",)), Person("bob", ("risk-officers",))
TINA = Person("tina", ("traders",))
PAUL = Person("paul", ("policy-admins",))
VERA = Person("vera", ("viewers",))
WALT = Person("walt")
"""May write and delete stops and policies, but has neither special verb."""
OPERATOR = Person(f"system:serviceaccount:{NAMESPACE}:quantum-trader-operator")
FOREIGN_OPERATOR = Person("system:serviceaccount:other:quantum-trader-operator")
RELEASER = Person(f"system:serviceaccount:{NAMESPACE}:releaser")
"""A service account that a rule grants the verb `release` by name."""
GITOPS = Person("system:serviceaccount:gitops:controller")
"""A GitOps controller with the usual cluster-admin."""

_WRITE = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]


def _granted(name: str, rules: list[dict[str, Any]], *people: Person) -> list[dict[str, Any]]:
    api = "rbac.authorization.k8s.io"
    meta = {"name": name, "namespace": NAMESPACE}
    subjects = [{"kind": "User", "name": person.name, "apiGroup": api} for person in people]
    reference = {"apiGroup": api, "kind": "Role", "name": name}
    return [
        {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": meta, "rules": rules},
        {"apiVersion": f"{api}/v1", "kind": "RoleBinding", "metadata": meta, "roleRef": reference, "subjects": subjects},
    ]


def _rule(resource: str, verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [names.GROUP], "resources": [resource], "verbs": verbs}


GRANTS = [
    *_granted("writers", [_rule("emergencystops", _WRITE), _rule("tradingpolicies", _WRITE)], WALT, FOREIGN_OPERATOR),
    *_granted("releasers", [_rule("emergencystops", ["get", "patch", "release"])], RELEASER),
]


class Desk:
    """One namespace with the guards up."""

    def __init__(self, cluster: EmbeddedCluster) -> None:
        self.cluster = cluster

    async def __call__(self, *args: str, who: Person | None = None, given: Any = None, namespace: str = NAMESPACE) -> Completed:
        text = None if given is None else json.dumps(given)
        who = who or Person("")
        return await self.cluster.kubectl("-n", namespace, *args, as_user=who.name or None, as_groups=who.groups, input=text)

    async def patch(self, kind: str, name: str, spec: dict[str, Any], who: Person | None = None) -> Completed:
        return await self("patch", kind, name, "--type=merge", "-p", json.dumps({"spec": spec}), who=who)

    async def spec(self, kind: str, name: str, namespace: str = NAMESPACE) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self("get", kind, name, "-o", "json", namespace=namespace)).check().stdout)["spec"]
        return found

    async def approvers(self, name: str) -> list[str]:
        return [entry["by"] for entry in (await self.spec("estop", name)).get("approvals", [])]

    async def stop(self, namespace: str = NAMESPACE, **spec: Any) -> str:
        body = an_object("EmergencyStop", {"action": "Flatten", "reason": "drill", **spec})
        (await self("create", "-f", "-", given=body, namespace=namespace)).check()
        return str(body["metadata"]["name"])

    async def policy(self, **spec: Any) -> str:
        body = an_object("TradingPolicy", {**POLICY, **spec})
        (await self("create", "-f", "-", given=body)).check()
        return str(body["metadata"]["name"])

    async def release(self, name: str) -> None:
        """What the operator writes once enough people have approved."""
        condition = {"type": "Released", "status": "True", "reason": "Released", "lastTransitionTime": "2026-01-01T00:00:00Z"}
        (await self.write_status(name, {"conditions": [condition]})).check()

    async def write_status(self, name: str, status: dict[str, Any], who: Person | None = None, **more: Any) -> Completed:
        patch = json.dumps({"status": status, **more})
        return await self("patch", "estop", name, "--subresource=status", "--type=merge", "-p", patch, who=who)


POLICY = {
    "instruments": ["BTCUSDT", "ETHUSDT"], "maxOrderNotionalUsdt": 1_000, "maxPositionNotionalUsdt": 5_000, "maxGrossExposureUsdt": 10_000,
    "maxLeverageBps": 20_000, "maxDrawdownBps": 900, "warnDrawdownBps": 400, "onDrawdown": "CancelOrders", "onLeaseExpiry": "ExitOnly",
    "onOutage": "CancelOrders",
}  # fmt: skip


def an_object(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": names.API_VERSION, "kind": kind, "metadata": {"name": f"{kind.lower()}-{next(NUMBERS)}"}, "spec": spec}


def denied(answer: Completed, guard: str, message: str) -> None:
    """The whole sentence that kubectl prints, to the letter."""
    policy = f"quantum-trader-{guard}"
    head, _, said = answer.stderr.strip().partition(f": ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request: ")
    assert said == message, answer.stderr + answer.stdout
    assert answer.returncode != 0
    assert "(Forbidden)" in head


WITH_ORIGIN = {"action": "Flatten", "reason": "drawdown", "origin": {"engine": "engine-0", "latchId": "a1", "trigger": "Drawdown"}}
