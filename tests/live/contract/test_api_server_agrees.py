"""The same table as tests/unit/contract, as the real API server sees it, with strict field validation."""

from itertools import count
from typing import Any

import pytest
from pydantic import ValidationError

from contract_cases import CASES, Case
from quantum_api import names
from quantum_api.kinds import KINDS, TRADING_POLICY, Kind
from quantum_cluster.embedded import EmbeddedCluster
from quantum_cluster.kube_client import ApiError, KubeClient

pytestmark = pytest.mark.asyncio(loop_scope="module")
NAMES = (f"case-{number}" for number in count())
STRICT = {"fieldValidation": "Strict"}


def path(kind: Kind, name: str = "") -> str:
    return f"/apis/{names.API_VERSION}/namespaces/default/{kind.plural}" + (f"/{name}" if name else "")


def as_object(kind: Kind, name: str, spec: Any) -> dict[str, Any]:
    body = {"apiVersion": names.API_VERSION, "kind": kind.kind, "metadata": {"name": name}}
    return body if spec is None else {**body, "spec": spec}


async def send(api: KubeClient, case: Case) -> dict[str, Any]:
    """Server-side dry run of the case; an update really creates what it replaces."""
    name = next(NAMES)
    body = as_object(case.kind, name, case.spec)
    if case.old is None:
        return await api.request("POST", path(case.kind), body, dryRun="All", **STRICT)
    created = await api.request("POST", path(case.kind), as_object(case.kind, name, case.old), **STRICT)
    body["metadata"]["resourceVersion"] = created["metadata"]["resourceVersion"]
    return await api.request("PUT", path(case.kind, name), body, dryRun="All", **STRICT)


@pytest.mark.parametrize("case", [c for c in CASES if c.refused is None], ids=lambda c: f"{c.kind.short} {c.name}")
async def test_the_api_server_accepts_it_and_fills_in_the_same_defaults(api: KubeClient, case: Case) -> None:
    answer = await send(api, case)
    assert case.kind.spec.model_validate(answer["spec"]) == case.kind.spec.model_validate(case.spec)


@pytest.mark.parametrize("case", [c for c in CASES if c.refused is not None], ids=lambda c: f"{c.kind.short} {c.name}")
async def test_the_api_server_refuses_it_and_names_the_reason(api: KubeClient, case: Case) -> None:
    assert case.refused is not None
    with pytest.raises(ApiError) as refusal:
        await send(api, case)
    assert refusal.value.status in {400, 422}
    assert case.refused in str(refusal.value)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
async def test_the_kind_needs_no_repair_by_the_api_server(api: KubeClient, kind: Kind) -> None:
    """NonStructuralSchema and its like would silently switch pruning and defaults off."""
    crd = await api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind.plural}.{names.GROUP}")
    conditions = {each["type"]: each["status"] for each in crd["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}


async def test_an_empty_value_written_as_null_becomes_the_default_before_the_operator_sees_it(api: KubeClient) -> None:
    """The one place where pydantic is stricter: it never meets a null, for the API server has replaced it."""
    spec = {
        "instruments": ["BTCUSDT"], "maxOrderNotionalUsdt": 1, "maxPositionNotionalUsdt": 1, "maxGrossExposureUsdt": 1,
        "selector": None, "leaseSeconds": None,
    }  # fmt: skip
    with pytest.raises(ValidationError):
        TRADING_POLICY.spec.model_validate(spec)
    answer = await api.request("POST", path(TRADING_POLICY), as_object(TRADING_POLICY, "null", spec), dryRun="All", **STRICT)
    assert answer["spec"]["leaseSeconds"] == 60
    TRADING_POLICY.spec.model_validate(answer["spec"])


async def test_kubectl_explain_says_unit_default_and_source(cluster: EmbeddedCluster) -> None:
    text = " ".join((await cluster.kubectl("explain", "tp.spec.maxDrawdownBps")).check().stdout.split())
    assert "Unit: basis points of peak equity, 100 = 1 %. Source: RTS 6 (EU 2017/589) art. 12" in text
    assert "Default: 1000." in text


async def test_all_kinds_are_one_category_with_short_names(cluster: EmbeddedCluster) -> None:
    listed = (await cluster.kubectl("api-resources", "--categories=quantumtrader", "--no-headers")).check().stdout
    assert [line.split()[1] for line in sorted(listed.splitlines())] == ["estop", "smode", "tp"]
