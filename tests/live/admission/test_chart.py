"""The chart renders to what a real API server takes, for a real cluster and for the embedded one, and refuses values that cannot work."""

import asyncio
import json
import time
from itertools import count
from typing import Any

import pytest
import yaml
from tests.live.admission.conftest import CHART
from tests.live.admission.desk import GITOPS, NAMESPACE, Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")
EMBEDDED = ("-f", str(CHART / "values-embedded.yaml"))
EXCHANGE = "engines.exchange.venue=live"
PRODUCTION = ("--set", f"accounts.existingSecret=accounts,redis.auth.existingSecret=redis,halt.existingSecret=halt,{EXCHANGE}")
VALUES = pytest.mark.parametrize("values", [EMBEDDED, PRODUCTION], ids=["embedded", "production"])


async def rendered(desk: Desk, *values: str) -> str:
    return (await desk.cluster.run("helm", "template", "quantum-trader", str(CHART), "-n", NAMESPACE, *values)).check().stdout


def objects(text: str) -> dict[tuple[str, str], Any]:
    return {(body["kind"], body["metadata"]["name"]): body for body in yaml.safe_load_all(text) if body}


@VALUES
async def test_helm_finds_nothing_to_complain_about(desk: Desk, values: tuple[str, ...]) -> None:
    (await desk.cluster.run("helm", "lint", "--strict", str(CHART), *values)).check()


@VALUES
async def test_the_api_server_takes_everything_and_pod_security_restricted_has_no_warning(desk: Desk, values: tuple[str, ...]) -> None:
    (await desk("label", "--overwrite", "namespace", NAMESPACE, "pod-security.kubernetes.io/warn=restricted")).check()
    text = await rendered(desk, *values)
    answer = await desk.cluster.kubectl(
        "-n", NAMESPACE, "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-", input=text
    )
    assert answer.check().stderr == ""
    assert len(answer.stdout.splitlines()) == len(objects(text))


@VALUES
async def test_only_the_operator_gets_a_token_and_everything_is_mounted_below_run(desk: Desk, values: tuple[str, ...]) -> None:
    found = objects(await rendered(desk, *values))
    for (kind, name), body in found.items():
        if kind not in {"Deployment", "StatefulSet"}:
            continue
        pod = body["spec"]["template"]["spec"]
        accounts = {key[1]: value for key, value in found.items() if key[0] == "ServiceAccount"}
        refuses = [where.get("automountServiceAccountToken") for where in (pod, accounts.get(pod.get("serviceAccountName"), {}))]
        assert (False in refuses) is (name != "quantum-trader-operator")
        mounts = [mount["mountPath"] for container in pod["containers"] for mount in container.get("volumeMounts", [])]
        assert all(path.startswith("/run/") for path in mounts)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (("--set", "engines.exchange.venue=live"), {"VENUE": "live"}),
        (
            ("--set", "engines.exchange.restUrl=http://a,engines.exchange.streamUrl=ws://b"),
            {"REST_URL": "http://a", "STREAM_URL": "ws://b"},
        ),
        (
            ("--set", "engines.exchange.venue=live,engines.exchange.restUrl=https://a,engines.exchange.streamUrl=wss://b"),
            {"VENUE": "live", "REST_URL": "https://a", "STREAM_URL": "wss://b"},
        ),
    ],
)
async def test_an_engine_is_told_its_venue_by_name_or_by_urls(desk: Desk, values: tuple[str, ...], told: dict[str, str]) -> None:
    """And how many share its address while Redis is away: as many as there are engines."""
    found = objects(await rendered(desk, "--set", "accounts.existingSecret=accounts,engines.replicas=5", *values))
    env = {
        each["name"]: each.get("value")
        for each in found["StatefulSet", "quantum-trader-engine"]["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    names = ("VENUE", "REST_URL", "STREAM_URL")
    assert {name: env[f"QT_ENGINE_{name}"] for name in names if f"QT_ENGINE_{name}" in env} == told
    assert env["QT_ENGINE_RATE_SHARERS"] == "5"


async def test_other_programs_trade_only_where_a_secret_lets_them(desk: Desk) -> None:
    """Without the Secret the engine has no token file, and the route answers that it is closed."""
    closed = await rendered(desk, *PRODUCTION)
    assert "INTENTS_TOKEN" not in closed
    engines = objects(await rendered(desk, *PRODUCTION, "--set", "intents.existingSecret=programs"))["StatefulSet", "quantum-trader-engine"]
    pod = engines["spec"]["template"]["spec"]
    env = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    mounts = {each["name"]: each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    secrets = {each["name"]: each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
    assert env["QT_ENGINE_INTENTS_TOKEN_FILE"] == f"{mounts['intents']}/token"
    assert secrets["intents"] == "programs"


async def test_each_engine_finds_an_account_of_its_own_and_the_simulator_knows_them_all(desk: Desk) -> None:
    found = objects(await rendered(desk, *EMBEDDED, "--set", "engines.replicas=5"))
    files = found["Secret", "quantum-trader-accounts"]["stringData"]
    assert sorted(files) == [f"quantum-trader-engine-{index}.json" for index in range(5)]
    keys = {json.loads(text)["apiKey"] for text in files.values()}
    assert len(keys) == 5
    simulator = found["Deployment", "quantum-trader-simulator"]["spec"]["template"]["spec"]
    assert simulator["volumes"][0]["secret"]["secretName"] == "quantum-trader-accounts"


async def test_an_upgrade_keeps_the_halt_token(desk: Desk) -> None:
    """A new token at each upgrade would lock out whoever holds the old one on the worst day."""
    (await desk.cluster.kubectl("create", "namespace", "elsewhere")).check()
    given = (*EMBEDDED, "-n", "elsewhere", "--dry-run=server", "--set", "crds.install=false,admission.install=false")
    first = objects(await rendered(desk, *given))["Secret", "quantum-trader-halt"]
    owner = {"meta.helm.sh/release-name": "quantum-trader", "meta.helm.sh/release-namespace": "elsewhere"}
    (
        await desk("create", "-f", "-", given={**first, "metadata": {**first["metadata"], "annotations": owner}}, namespace="elsewhere")
    ).check()
    again = objects(await rendered(desk, *given))["Secret", "quantum-trader-halt"]
    assert again["data"]["token"] == first["data"]["token"]


async def test_a_second_release_installs_neither_kinds_nor_guards(desk: Desk) -> None:
    found = objects(await rendered(desk, *EMBEDDED, "--set", "crds.install=false,admission.install=false"))
    assert {kind for kind, _ in found} & {"CustomResourceDefinition", "ValidatingAdmissionPolicy", "ClusterRole"} == set()


async def test_the_kinds_survive_an_uninstall(desk: Desk) -> None:
    crds = [body for (kind, _), body in objects(await rendered(desk, *EMBEDDED)).items() if kind == "CustomResourceDefinition"]
    assert [crd["metadata"]["annotations"]["helm.sh/resource-policy"] for crd in crds] == ["keep"] * 3


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (("--set", EXCHANGE), "accounts: set accounts.existingSecret"),
        (("--set", "accounts.generateDemo=true"), "engines.exchange.restUrl and streamUrl: name the exchange"),
        ((*EMBEDDED, "--set", "operator.requiredApprovals=0"), "/operator/requiredApprovals"),
        ((*EMBEDDED, "--set", "engines.replica=3"), "additional properties 'replica' not allowed"),
        ((*EMBEDDED, "--set", "admission.wildcardServiceAccounts={alice}"), "/admission/wildcardServiceAccounts/0"),
    ],
    ids=["no accounts", "no exchange", "no approvals", "a typing error", "a person as a service account"],
)
async def test_values_that_cannot_work_are_refused_with_the_field(desk: Desk, values: tuple[str, ...], says: str) -> None:
    answer = await desk.cluster.run("helm", "template", "quantum-trader", str(CHART), *values)
    assert answer.returncode != 0
    assert says in answer.stderr


async def test_the_wildcard_of_a_service_account_counts_once_the_chart_names_it(desk: Desk) -> None:
    """A desk whose pull requests are its four eyes may let its GitOps controller loosen."""
    only = ("-s", "templates/admission/loosen.yaml")
    name = await desk.policy()
    limits = count(901)

    async def loosened() -> bool:
        return (await desk.patch("tp", name, {"maxDrawdownBps": next(limits)}, GITOPS)).returncode == 0

    async def install(*values: str, until: bool) -> None:
        text = await rendered(desk, *EMBEDDED, *only, *values)
        (await desk.cluster.kubectl("apply", "--server-side", "-f", "-", input=text)).check()
        deadline = time.monotonic() + 20
        while await loosened() is not until:
            assert time.monotonic() < deadline, "the changed guard does not come into force"
            await asyncio.sleep(0.1)

    assert not await loosened()
    try:
        await install("--set", f"admission.wildcardServiceAccounts={{{GITOPS.name}}}", until=True)
    finally:
        await install(until=False)
