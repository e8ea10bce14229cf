"""Files in volumes, and where they may be mounted."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from quantum_cluster.node.fields import NotYetError, PodPlace
from quantum_cluster.node.volume_writer import write_files
from quantum_cluster.node.volumes import FileSources, check_mount_path, token_requests, volume_files

POD = {"metadata": {"name": "p", "namespace": "n", "labels": {"app": "x"}}, "spec": {"containers": []}}
PLACE = PodPlace("127.64.1.1", "127.64.0.1")


class Configuration:
    def config_map(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        return {"a": b"1", "b": b"2"} if name == "settings" else None

    def secret(self, namespace: str, name: str) -> Mapping[str, bytes] | None:
        return {"key": b"k"} if name == "keys" else None


SOURCES = FileSources(Configuration(), {"": "tok", "vault": "tok2"})


def files(volume: dict) -> dict:
    return volume_files({"name": "v", **volume}, POD, PLACE, SOURCES)


def test_items_pick_rename_and_set_modes() -> None:
    body = {"name": "settings", "defaultMode": 0o600, "items": [{"key": "a", "path": "sub/x"}, {"key": "b", "path": "y", "mode": 0o444}]}
    assert files({"configMap": body}) == {"sub/x": (b"1", 0o600), "y": (b"2", 0o444)}


def test_an_absent_secret_holds_the_pod_back_unless_it_is_optional() -> None:
    with pytest.raises(NotYetError, match="secret 'gone' not found"):
        files({"secret": {"secretName": "gone"}})
    assert files({"secret": {"secretName": "gone", "optional": True}}) == {}


def test_a_projected_volume_joins_its_sources() -> None:
    token = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}
    vault = {"serviceAccountToken": {"path": "vault", "audience": "vault"}}
    downward = {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}
    volume = {"projected": {"defaultMode": 0o644, "sources": [token, vault, {"secret": {"name": "keys"}}, downward]}}
    assert files(volume) == {"token": (b"tok", 0o600), "vault": (b"tok2", 0o600), "key": (b"k", 0o644), "labels": (b'app="x"', 0o644)}
    assert token_requests(volume) == [("", 3607), ("vault", 3600)]


@pytest.mark.parametrize("path", ["/run/x", "/var/run/secrets/y", "/tmp"])
def test_a_mount_finds_a_place_below_run_or_where_the_machine_has_one(path: str) -> None:
    check_mount_path(path, lambda each: each == "/tmp")


@pytest.mark.parametrize("path", ["/data", "/runner", "relative", "/run/../etc"])
def test_a_mount_without_a_place_is_refused_with_the_rule(path: str) -> None:
    with pytest.raises(NotYetError, match="mountPath"):
        check_mount_path(path, lambda _: False)


def test_files_change_all_at_once(tmp_path: Path) -> None:
    """Readers follow one link: they see the old set or the new one, never a mixture."""
    write_files(tmp_path / "v", {"a": (b"1", 0o644), "sub/b": (b"1", 0o600)})
    before = (tmp_path / "v" / "..data").resolve()
    write_files(tmp_path / "v", {"a": (b"1", 0o644), "sub/b": (b"1", 0o600)})
    assert (tmp_path / "v" / "..data").resolve() == before
    write_files(tmp_path / "v", {"a": (b"2", 0o644)})
    assert (tmp_path / "v" / "a").read_bytes() == b"2"
    assert sorted(each.name for each in (tmp_path / "v").iterdir() if not each.name.startswith("..")) == ["a"]
