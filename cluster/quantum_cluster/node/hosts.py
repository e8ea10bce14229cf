"""Writes the names a pod can resolve.  Pure.

In    the pod, the services, the ready pods behind headless ones
Out   the text of its /etc/hosts
Flow  services, readiness -> HERE -> every pod's hosts file
Why   there is no cluster DNS; getaddrinfo reads this file anew at every call
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Backend:
    """A ready pod behind a service; ``hostname`` only if it has a name of its own there."""

    ip: str
    hostname: str | None


@dataclass(frozen=True)
class NamedService:
    namespace: str
    name: str
    cluster_ip: str | None
    backends: tuple[Backend, ...] = ()


def render_hosts(pod: Object, pod_ip: str, services: Iterable[NamedService]) -> str:
    namespace = pod["metadata"]["namespace"]
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost", _line(pod_ip, own_names(pod))]
    for alias in pod["spec"].get("hostAliases", []):
        lines.append(_line(alias["ip"], alias["hostnames"]))
    for service in sorted(services, key=lambda each: (each.namespace, each.name)):
        lines += _service_lines(service, namespace)
    return "\n".join(lines) + "\n"


def own_names(pod: Object) -> list[str]:
    hostname = pod["spec"].get("hostname") or pod["metadata"]["name"]
    subdomain = pod["spec"].get("subdomain")
    if not subdomain:
        return [hostname]
    return [f"{hostname}.{subdomain}.{pod['metadata']['namespace']}.svc.cluster.local", hostname]


def _service_lines(service: NamedService, own_namespace: str) -> list[str]:
    names = _forms(service.name, service.namespace, own_namespace)
    if service.cluster_ip:
        return [_line(service.cluster_ip, names)]
    lines = []
    for backend in service.backends:
        own = _forms(f"{backend.hostname}.{service.name}", service.namespace, own_namespace) if backend.hostname else []
        lines.append(_line(backend.ip, [*own, *names]))
    return lines


def _forms(name: str, namespace: str, own_namespace: str) -> list[str]:
    """Every form that a cluster's DNS search list would find; the longest first, so reverse look-ups give it."""
    full = f"{name}.{namespace}"
    return [f"{full}.svc.cluster.local", f"{full}.svc", full, *([name] if namespace == own_namespace else [])]


def _line(ip: str, names: Sequence[str]) -> str:
    return f"{ip} {' '.join(names)}"
