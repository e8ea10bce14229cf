"""A container's variables and command line."""

from collections.abc import Mapping
from typing import Any

import pytest

from quantum_cluster.node.environment import build_environment, command_line, expand, service_variables
from quantum_cluster.node.fields import NotYetError, PodPlace, field_text, parse_quantity, resource_text

PLACE = PodPlace("127.64.1.7", "127.64.0.1")
POD: dict[str, Any] = {
    "metadata": {"name": "engine-0", "namespace": "prod", "uid": "u-1", "labels": {"app": "engine"}, "annotations": {"a/b": "c"}},
    "spec": {"nodeName": "n1", "serviceAccountName": "trader", "containers": []},
}


class Configuration:
    def config_map(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        return {"A": b"1", "B": b"2"} if (namespace, name) == ("prod", "settings") else None

    def secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        return {"token": b"s3cret"} if (namespace, name) == ("prod", "keys") else None


def environment(**container: Any) -> dict[str, str]:
    return build_environment({"name": "c", **container}, POD, PLACE, Configuration(), {"PATH": "/bin"})


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(A)-$(B)", "1-2"), ("$(UNKNOWN)", "$(UNKNOWN)"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$A", "$A"), ("cost: $5", "cost: $5"),
        ("$(A", "$(A"), ("$()", "$()"), ("", ""),
    ],
)  # fmt: skip
def test_references_expand_as_in_kubernetes(text: str, expanded: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == expanded


def test_a_later_variable_sees_an_earlier_one_and_not_the_other_way_round() -> None:
    made = environment(env=[{"name": "X", "value": "$(Y)"}, {"name": "Y", "value": "y"}, {"name": "Z", "value": "$(Y)!"}])
    assert (made["X"], made["Z"]) == ("$(Y)", "y!")


def test_env_wins_over_env_from() -> None:
    made = environment(envFrom=[{"configMapRef": {"name": "settings"}, "prefix": "P_"}], env=[{"name": "P_A", "value": "own"}])
    assert (made["P_A"], made["P_B"]) == ("own", "2")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "engine-0"), ("metadata.namespace", "prod"), ("metadata.uid", "u-1"), ("metadata.labels['app']", "engine"),
        ("metadata.annotations['a/b']", "c"), ("metadata.labels['none']", ""), ("spec.nodeName", "n1"), ("status.podIP", "127.64.1.7"),
        ("status.hostIP", "127.64.0.1"), ("spec.serviceAccountName", "trader"), ("metadata.labels", 'app="engine"'),
    ],
)  # fmt: skip
def test_a_field_reference_gives_the_pods_own_field(path: str, value: str) -> None:
    assert field_text(POD, PLACE, path) == value


def test_a_secret_key_becomes_a_variable() -> None:
    made = environment(env=[{"name": "T", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}}])
    assert made["T"] == "s3cret"


def test_a_missing_key_holds_the_container_back_and_says_which() -> None:
    with pytest.raises(NotYetError, match="couldn't find key nope in secret keys") as refused:
        environment(env=[{"name": "T", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "nope"}}}])
    assert refused.value.reason == "CreateContainerConfigError"


def test_an_optional_key_may_be_missing() -> None:
    made = environment(env=[{"name": "T", "valueFrom": {"configMapKeyRef": {"name": "gone", "key": "k", "optional": True}}}])
    assert "T" not in made


def test_a_container_without_a_command_is_told_that_images_do_not_run_here() -> None:
    with pytest.raises(NotYetError, match="runs processes, not images"):
        command_line({"name": "c", "args": ["x"]}, {})


def test_resources_are_rounded_up_to_the_divisor() -> None:
    container = {"resources": {"limits": {"cpu": "1500m", "memory": "64Mi"}}}
    assert resource_text(container, "limits.cpu", "1") == "2"
    assert resource_text(container, "limits.memory", "1Mi") == "64"
    assert resource_text(container, "requests.memory", "1Mi") == "0"
    assert parse_quantity("2Gi") == 2 * 2**30


def test_services_are_published_as_variables() -> None:
    service = {"metadata": {"name": "my-redis"}, "spec": {"clusterIP": "127.64.128.9", "ports": [{"name": "main", "port": 6379}]}}
    headless = {"metadata": {"name": "web"}, "spec": {"clusterIP": "None", "ports": [{"port": 80}]}}
    made = service_variables([service, headless])
    assert made["MY_REDIS_SERVICE_HOST"] == "127.64.128.9"
    assert made["MY_REDIS_SERVICE_PORT"] == made["MY_REDIS_SERVICE_PORT_MAIN"] == "6379"
    assert made["MY_REDIS_PORT"] == made["MY_REDIS_PORT_6379_TCP"] == "tcp://127.64.128.9:6379"
    assert not [name for name in made if name.startswith("WEB")]
