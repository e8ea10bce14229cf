"""Gives every claim of the `local` storage class a directory of the cluster's state.

In    claims and volumes from the API server
Out   a PersistentVolume per claim; the directory's end when the claim is gone
Flow  StatefulSet's claim -> HERE -> volume binder -> scheduler -> pod
Why   data must outlive its pod and not its claim
"""

import asyncio
import logging
import shutil
from pathlib import Path
from typing import Final

from quantum_cluster.kube_client import UNREACHABLE, ApiError, KubeClient, Object

log = logging.getLogger("quantum_cluster.provisioner")

PROVISIONER: Final = "cluster.local/directory"
CLASS_NAME: Final = "local"
_RETRY_SECONDS: Final = 0.5
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"

STORAGE_CLASS: Final[Object] = {
    "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": PROVISIONER,
    "metadata": {"name": CLASS_NAME, "annotations": {_DEFAULT_CLASS: "true"}},
    "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate",
}  # fmt: skip


class Provisioner:
    """Work is queued by the informers' changes and done one after the other."""

    def __init__(self, client: KubeClient, directory: Path) -> None:
        self._client = client
        self._directory = directory
        self._queue: asyncio.Queue[tuple[str, Object]] = asyncio.Queue()

    def claim_changed(self, kind: str, claim: Object) -> None:
        if kind != "DELETED" and claim["spec"].get("storageClassName") == CLASS_NAME and not claim["spec"].get("volumeName"):
            self._queue.put_nowait(("provide", claim))

    def volume_changed(self, kind: str, volume: Object) -> None:
        ours = volume["spec"].get("storageClassName") == CLASS_NAME and "hostPath" in volume["spec"]
        if ours and kind != "DELETED" and volume.get("status", {}).get("phase") == "Released":
            self._queue.put_nowait(("reclaim", volume))

    async def run(self) -> None:
        while True:
            verb, item = await self._queue.get()
            try:
                await (self._provide(item) if verb == "provide" else self._reclaim(item))
            except ApiError as error:
                if error.status not in {404, 409}:
                    log.warning("%s %s: %s", verb, item["metadata"]["name"], error)
                    self._again(verb, item)
            except UNREACHABLE:
                self._again(verb, item)

    def _again(self, verb: str, item: Object) -> None:
        asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._queue.put_nowait, (verb, item))

    async def _provide(self, claim: Object) -> None:
        meta, spec = claim["metadata"], claim["spec"]
        name = f"pvc-{meta['uid']}"
        path = self._directory / name
        path.mkdir(mode=0o700, exist_ok=True)
        reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        reference |= {"namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
        volume = {
            "apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
            "spec": {
                "capacity": {"storage": spec["resources"]["requests"]["storage"]}, "accessModes": spec["accessModes"],
                "claimRef": reference, "storageClassName": CLASS_NAME, "persistentVolumeReclaimPolicy": "Delete",
                "volumeMode": "Filesystem", "hostPath": {"path": str(path)},
            },
        }  # fmt: skip
        await self._client.create("/api/v1/persistentvolumes", volume)

    async def _reclaim(self, volume: Object) -> None:
        path = Path(volume["spec"]["hostPath"]["path"])
        if path.parent == self._directory:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)
        await self._client.delete(f"/api/v1/persistentvolumes/{volume['metadata']['name']}")
