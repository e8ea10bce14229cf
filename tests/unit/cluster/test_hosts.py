"""Names a pod can resolve."""

from typing import Any

from quantum_cluster.node.hosts import Backend, NamedService, render_hosts

POD: dict[str, Any] = {
    "metadata": {"name": "web-0", "namespace": "prod"},
    "spec": {"hostname": "web-0", "subdomain": "web", "hostAliases": [{"ip": "127.0.0.9", "hostnames": ["old", "older"]}]},
}


def names(services: list[NamedService]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in render_hosts(POD, "127.64.1.1", services).splitlines():
        ip, *line_names = line.split()
        for name in line_names:
            found.setdefault(name, []).append(ip)
    return found


def test_a_service_has_every_form_that_cluster_dns_would_find() -> None:
    found = names([NamedService("prod", "redis", "127.64.128.5")])
    forms = ("redis", "redis.prod", "redis.prod.svc", "redis.prod.svc.cluster.local")
    assert [found[each] for each in forms] == [["127.64.128.5"]] * 4


def test_a_bare_name_means_the_own_namespace() -> None:
    found = names([NamedService("other", "redis", "127.64.128.5")])
    assert "redis" not in found
    assert found["redis.other"] == ["127.64.128.5"]


def test_a_headless_service_resolves_to_its_ready_pods_and_each_by_name() -> None:
    web = NamedService("prod", "web", None, (Backend("127.64.1.1", "web-0"), Backend("127.64.1.2", "web-1"), Backend("127.64.1.3", None)))
    found = names([web])
    assert found["web.prod.svc"] == ["127.64.1.1", "127.64.1.2", "127.64.1.3"]
    assert found["web-1.web.prod.svc.cluster.local"] == found["web-1.web"] == ["127.64.1.2"]


def test_a_pod_knows_itself_and_its_aliases() -> None:
    found = names([])
    assert found["web-0"] == found["web-0.web.prod.svc.cluster.local"] == ["127.64.1.1"]
    assert found["older"] == ["127.0.0.9"]
    assert found["localhost"] == ["127.0.0.1", "::1"]
