"""Builds a container's environment and command line.  Pure.

In    container, pod, configmaps and secrets as they are now, services of the namespace
Out   variables and argument list, or NotYetError naming what is missing
Flow  pod -> HERE -> launcher
Why   order matters: services, then envFrom, then env; a later one wins, and $(NAME) sees only earlier ones
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from quantum_cluster.node.fields import NotYetError, Object, PodPlace, field_text, resource_text

_REFERENCE: Final = re.compile(r"\$(?:\$|\(([^()]*)\))")


class Configuration(Protocol):
    """Configmaps and secrets, decoded; None when there is no such object."""

    def config_map(self, namespace: str, name: str) -> Mapping[str, bytes] | None: ...
    def secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None: ...


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace $(NAME); an unknown name stays as written, and $$ is a dollar sign."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else variables.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def build_environment(
    container: Object, pod: Object, place: PodPlace, configuration: Configuration, base: Mapping[str, str]
) -> dict[str, str]:
    """``base`` are the node's own and the services' variables."""
    variables = dict(base)
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom", []):
        variables.update(_from_source(source, namespace, configuration))
    for entry in container.get("env", []):
        value = _entry_value(entry, container, pod, place, configuration, variables)
        if value is not None:
            variables[entry["name"]] = value
    return variables


def command_line(container: Object, variables: Mapping[str, str]) -> list[str]:
    if not container.get("command"):
        raise NotYetError("CreateContainerError", f"container {container['name']} has no command: this node runs processes, not images")
    return [expand(part, variables) for part in [*container["command"], *container.get("args", [])]]


def service_variables(services: Iterable[Object]) -> dict[str, str]:
    """NAME_SERVICE_HOST and its relatives, as every kubelet publishes them."""
    variables: dict[str, str] = {}
    for service in services:
        address, ports = service["spec"].get("clusterIP"), service["spec"].get("ports", [])
        if not ports or address in {None, "", "None"}:
            continue
        prefix = service["metadata"]["name"].upper().replace("-", "_")
        variables[f"{prefix}_SERVICE_HOST"] = address
        variables[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        variables[f"{prefix}_PORT"] = _url(ports[0], address)
        for port in ports:
            if port.get("name"):
                variables[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
            protocol = port.get("protocol", "TCP")
            link = f"{prefix}_PORT_{port['port']}_{protocol}"
            variables |= {link: _url(port, address), f"{link}_PROTO": protocol.lower()}
            variables |= {f"{link}_PORT": str(port["port"]), f"{link}_ADDR": address}
    return variables


def _url(port: Object, address: str) -> str:
    return f"{port.get('protocol', 'TCP').lower()}://{address}:{port['port']}"


def _from_source(source: Object, namespace: str, configuration: Configuration) -> dict[str, str]:
    kind = "secretRef" if "secretRef" in source else "configMapRef"
    data = _data(kind, source[kind], namespace, configuration)
    return {source.get("prefix", "") + key: value.decode() for key, value in (data or {}).items()}


def _entry_value(
    entry: Object, container: Object, pod: Object, place: PodPlace, configuration: Configuration, variables: Mapping[str, str]
) -> str | None:
    source: dict[str, Any] | None = entry.get("valueFrom")
    if not source:
        return expand(entry.get("value", ""), variables)
    if "fieldRef" in source:
        return field_text(pod, place, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_text(container, source["resourceFieldRef"]["resource"], str(source["resourceFieldRef"].get("divisor", "1")))
    kind = "secretKeyRef" if "secretKeyRef" in source else "configMapKeyRef"
    reference = source[kind]
    data = _data(kind, reference, pod["metadata"]["namespace"], configuration)
    if data is not None and reference["key"] in data:
        return data[reference["key"]].decode()
    if reference.get("optional"):
        return None
    raise NotYetError("CreateContainerConfigError", f"couldn't find key {reference['key']} in {_noun(kind)} {reference['name']}")


def _data(kind: str, reference: Object, namespace: str, configuration: Configuration) -> Mapping[str, bytes] | None:
    read = configuration.secret if kind.startswith("secret") else configuration.config_map
    data = read(namespace, reference["name"])
    if data is None and not reference.get("optional"):
        raise NotYetError("CreateContainerConfigError", f"{_noun(kind)} {reference['name']!r} not found")
    return data


def _noun(kind: str) -> str:
    return "secret" if kind.startswith("secret") else "configmap"
