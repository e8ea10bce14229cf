"""Forwards service addresses to ready pods.

In    services, ready pods
Out   a TCP listener per service port that has a ready pod behind it; named services for the hosts files
Flow  node -> HERE -> pods
Why   with nobody ready there is no listener: a client is refused at once instead of hanging
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quantum_cluster.kube_client import Object
from quantum_cluster.node.hosts import NamedService
from quantum_cluster.node.pod_worker import PodWorker
from quantum_cluster.node.relay import Address, Relay

log = logging.getLogger("quantum_cluster.services")


def selects(service: Object, pod: Object) -> bool:
    selector, labels = service["spec"].get("selector") or {}, pod["metadata"].get("labels", {})
    same_namespace = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return bool(selector) and same_namespace and all(labels.get(key) == value for key, value in selector.items())


def backends_of(service: Object, workers: Iterable[PodWorker]) -> list[PodWorker]:
    unready_too = service["spec"].get("publishNotReadyAddresses", False)
    return [each for each in workers if selects(service, each.pod) and (each.ready or unready_too)]


def named_services(services: Iterable[Object], workers: Sequence[PodWorker]) -> list[NamedService]:
    return [_named(service, workers) for service in services if service["spec"].get("type") != "ExternalName"]


def _named(service: Object, workers: Sequence[PodWorker]) -> NamedService:
    meta, address = service["metadata"], service["spec"].get("clusterIP")
    if address and address != "None":
        return NamedService(meta["namespace"], meta["name"], address)
    found = tuple(sorted((each.as_backend() for each in backends_of(service, workers)), key=lambda each: each.ip))
    in_service = tuple(each if _subdomain(each.ip, workers) == meta["name"] else type(each)(each.ip, None) for each in found)
    return NamedService(meta["namespace"], meta["name"], None, in_service)


def _subdomain(ip: str, workers: Sequence[PodWorker]) -> str | None:
    return next((each.pod["spec"].get("subdomain") for each in workers if each.place.pod_ip == ip), None)


@dataclass(frozen=True)
class _Listener:
    server: asyncio.Server
    relay: Relay


class ServiceProxy:
    """Keeps listeners in step with services and readiness."""

    def __init__(self, api_server: Address) -> None:
        self._api_server = api_server
        self._listeners: dict[Address, _Listener] = {}
        self._retired: list[_Listener] = []

    async def refresh(self, services: Iterable[Object], workers: Sequence[PodWorker]) -> None:
        wanted: dict[Address, list[Address]] = {}
        for service in services:
            wanted |= self._targets(service, workers)
        for address in [each for each in self._listeners if not wanted.get(each)]:
            listener = self._listeners.pop(address)
            listener.server.close()
            self._retired.append(listener)
        self._retired = [each for each in self._retired if each.relay.busy]
        for address, targets in wanted.items():
            if targets:
                await self._serve(address, targets)

    def close(self) -> None:
        for listener in [*self._listeners.values(), *self._retired]:
            listener.server.close()
            listener.relay.abort()
        self._listeners.clear()

    def _targets(self, service: Object, workers: Sequence[PodWorker]) -> dict[Address, list[Address]]:
        address = service["spec"].get("clusterIP")
        if not address or address == "None":
            return {}
        ports = [port for port in service["spec"].get("ports", []) if port.get("protocol", "TCP") == "TCP"]
        if service["metadata"]["namespace"] == "default" and service["metadata"]["name"] == "kubernetes":
            return {(address, int(port["port"])): [self._api_server] for port in ports}
        backends = backends_of(service, workers)
        return {(address, int(port["port"])): _addresses(port, backends) for port in ports}

    async def _serve(self, address: Address, targets: list[Address]) -> None:
        if address in self._listeners:
            self._listeners[address].relay.targets = targets
            return
        relay = Relay(targets)
        try:
            server = await asyncio.get_running_loop().create_server(relay.accept, *address)
        except OSError as error:
            log.warning("cannot listen at %s:%d: %s", *address, error)
            return
        self._listeners[address] = _Listener(server, relay)


def _addresses(port: Object, backends: Sequence[PodWorker]) -> list[Address]:
    found = ((each.place.pod_ip, _target_port(port, each.pod)) for each in backends)
    return [(ip, number) for ip, number in found if number is not None]


def _target_port(port: Object, pod: Object) -> int | None:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    declared = (each for container in pod["spec"]["containers"] for each in container.get("ports", []))
    return next((int(each["containerPort"]) for each in declared if each.get("name") == target), None)
