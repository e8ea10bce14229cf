"""Lays a pod's volumes out as directories.

In    the pod's volumes, what the node knows about configmaps, secrets, claims and tokens
Out   one directory per volume; its files replaced all at once when their source changes
Flow  pod worker -> HERE -> launcher binds them
Why   a reader must never see half an update: files live behind a link that is swapped, as a kubelet does it
"""

import os
import shutil
import uuid
from pathlib import Path

from quantum_cluster.node.context import NodeContext
from quantum_cluster.node.fields import NotYetError, Object, PodPlace
from quantum_cluster.node.volumes import FILE_KINDS, Files, FileSources, volume_files


def lay_out(volume: Object, pod: Object, place: PodPlace, context: NodeContext, pod_dir: Path, tokens: dict[str, str]) -> Path:
    """Make or refresh one volume; NotYetError while something it needs is missing."""
    directory = pod_dir / "volumes" / str(volume["name"])
    if any(kind in volume for kind in FILE_KINDS):
        write_files(directory, volume_files(volume, pod, place, FileSources(context, tokens)))
        return directory
    if "emptyDir" in volume:
        directory.mkdir(parents=True, exist_ok=True)
        return directory
    if "hostPath" in volume:
        return _host_path(volume["hostPath"])
    if "persistentVolumeClaim" in volume:
        return _claimed(volume["persistentVolumeClaim"]["claimName"], pod["metadata"]["namespace"], context)
    kinds = ", ".join(key for key in volume if key != "name")
    raise NotYetError("FailedMount", f"volume {volume['name']} is of a kind this node does not support: {kinds}")


def write_files(directory: Path, files: Files) -> None:
    """Fill a fresh directory, then swing ``..data`` over to it; do nothing when the content is the same."""
    link = directory / "..data"
    if link.exists() and _content(link) == files:
        return
    fresh = directory / f"..{uuid.uuid4().hex}"
    fresh.mkdir(parents=True)
    for name, (content, mode) in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
    previous = link.resolve() if link.exists() else None
    partial = directory / "..data_tmp"
    partial.symlink_to(fresh.name)
    partial.replace(link)
    _link_tops(directory, {Path(name).parts[0] for name in files})
    if previous is not None:
        shutil.rmtree(previous)


def _content(top: Path) -> Files:
    paths = (path for path in top.resolve().rglob("*") if path.is_file())
    return {str(path.relative_to(top.resolve())): (path.read_bytes(), path.stat().st_mode & 0o7777) for path in paths}


def _link_tops(directory: Path, names: set[str]) -> None:
    for entry in directory.iterdir():
        if entry.is_symlink() and not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
    for name in names:
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(Path("..data") / name)


def _host_path(body: Object) -> Path:
    path = Path(body["path"])
    if body.get("type") == "DirectoryOrCreate":
        path.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        raise NotYetError("FailedMount", f"hostPath {path} does not exist on this machine")
    return path


def _claimed(claim_name: str, namespace: str, context: NodeContext) -> Path:
    claim = context.claims.get(f"{namespace}/{claim_name}")
    if claim is None or claim.get("status", {}).get("phase") != "Bound":
        raise NotYetError("ContainerCreating", f"persistentvolumeclaim {claim_name!r} is not bound yet")
    volume = context.volumes.get(f"/{claim['spec']['volumeName']}")
    if volume is None:
        raise NotYetError("ContainerCreating", f"persistentvolume {claim['spec']['volumeName']!r} is not known yet")
    path = Path(volume["spec"].get("hostPath", {}).get("path", os.devnull))
    if not path.is_dir():
        raise NotYetError("FailedMount", f"persistentvolume {volume['metadata']['name']!r} is not a directory of this node")
    return path
