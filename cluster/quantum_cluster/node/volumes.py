"""Says which files a volume holds, and where a volume may be mounted.  Pure.

In    a volume of a pod, configmaps, secrets, service-account tokens
Out   file names with content and mode, or NotYetError
Flow  pod -> HERE -> volume writer, launcher
Why   the same rules for secret, configMap, downwardAPI and projected: items pick and rename, optional forgives absence
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from quantum_cluster.node.environment import Configuration
from quantum_cluster.node.fields import NotYetError, Object, PodPlace, field_text, resource_text

Files = dict[str, tuple[bytes, int]]

FILE_KINDS: Final = ("secret", "configMap", "downwardAPI", "projected")
_DEFAULT_MODE: Final = 0o644


@dataclass(frozen=True)
class FileSources:
    """Where file contents come from; tokens are keyed by audience."""

    configuration: Configuration
    tokens: Mapping[str, str]


def volume_files(volume: Object, pod: Object, place: PodPlace, sources: FileSources) -> Files:
    kind = next(each for each in FILE_KINDS if each in volume)
    body = volume[kind]
    default_mode = int(body.get("defaultMode", _DEFAULT_MODE))
    if kind != "projected":
        return _source_files(kind, body, pod, place, sources, default_mode)
    files: Files = {}
    for source in body.get("sources", []):
        for inner, inner_body in source.items():
            files |= _source_files(inner, inner_body, pod, place, sources, default_mode)
    return files


def token_requests(volume: Object) -> list[tuple[str, int]]:
    """Audience and lifetime in seconds of every service-account token that a projected volume asks for."""
    found = (source.get("serviceAccountToken") for source in volume.get("projected", {}).get("sources", []))
    return [(each.get("audience", ""), int(each.get("expirationSeconds", 3600))) for each in found if each]


def _source_files(kind: str, body: Object, pod: Object, place: PodPlace, sources: FileSources, mode: int) -> Files:
    if kind == "serviceAccountToken":
        return {body["path"]: (sources.tokens[body.get("audience", "")].encode(), 0o600)}
    if kind == "downwardAPI":
        return {item["path"]: (_downward(item, pod, place).encode(), int(item.get("mode", mode))) for item in body.get("items", [])}
    if kind not in {"secret", "configMap"}:
        raise NotYetError("FailedMount", f"projected source {kind} is not supported by this node")
    name = body.get("secretName") or body["name"]
    read = sources.configuration.secret if kind == "secret" else sources.configuration.config_map
    data = read(pod["metadata"]["namespace"], name)
    if data is None:
        if body.get("optional"):
            return {}
        raise NotYetError("ContainerCreating", f"{kind.lower()} {name!r} not found")
    return _picked(data, body, f"{kind.lower()} {name!r}", mode)


def _picked(data: Mapping[str, bytes], body: Object, what: str, mode: int) -> Files:
    if not body.get("items"):
        return {key: (value, mode) for key, value in data.items()}
    files: Files = {}
    for item in body["items"]:
        if item["key"] in data:
            files[item["path"]] = (data[item["key"]], int(item.get("mode", mode)))
        elif not body.get("optional"):
            raise NotYetError("ContainerCreating", f"{what} has no key {item['key']!r}")
    return files


def _downward(item: Object, pod: Object, place: PodPlace) -> str:
    if "fieldRef" in item:
        return field_text(pod, place, item["fieldRef"]["fieldPath"])
    reference = item["resourceFieldRef"]
    container = next(each for each in pod["spec"]["containers"] if each["name"] == reference["containerName"])
    return resource_text(container, reference["resource"], str(reference.get("divisor", "1")))


def check_mount_path(path: str, exists: Callable[[str], bool]) -> None:
    """A mount needs a place: below /run the launcher makes one, elsewhere the machine must have it."""
    pure = PurePosixPath(path)
    if ".." in pure.parts or not pure.is_absolute():
        raise NotYetError("CreateContainerError", f"mountPath {path} must be absolute and without '..'")
    below_run = any(pure.is_relative_to(top) for top in ("/run", "/var/run"))
    if not below_run and not exists(path):
        message = f"mountPath {path} does not exist on this machine: use a path below /run, or one that exists (no image brings its own)"
        raise NotYetError("CreateContainerError", message)
