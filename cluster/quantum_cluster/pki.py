"""Makes the cluster's certificates: its own authority, one credential per component, the key that signs service-account tokens.

In    a directory, the addresses that servers answer at
Out   PEM files; kubeconfig files that carry them
Flow  EmbeddedCluster -> HERE -> etcd, kube-apiserver, controller manager, scheduler, node, people
Why   the authority and the token key survive a restart that keeps data, everything else is issued anew
"""

import base64
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID: Final = timedelta(days=365)


@dataclass(frozen=True)
class Credential:
    """Paths of one certificate and its key."""

    cert: Path
    key: Path


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory: Path, name: str) -> None:
        self.cert_path = directory / f"{name}.crt"
        self.key_path = directory / f"{name}.key"
        self._directory = directory
        if self.key_path.exists() and self.cert_path.exists():
            self._key = _load_key(self.key_path)
            self._cert = x509.load_pem_x509_certificate(self.cert_path.read_bytes())
            return
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name, ())
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        self._cert = (
            _builder(subject, subject, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        _write_private(self.key_path, _pem(self._key))
        self.cert_path.write_bytes(self._cert.public_bytes(serialization.Encoding.PEM))

    def issue(self, file: str, name: str, groups: Sequence[str] = (), serves: Sequence[str] = ()) -> Credential:
        """A client certificate, and a server's too when it serves names or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if serves else [])]
        builder = _builder(_name(name, groups), self._cert.subject, key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        if serves:
            builder = builder.add_extension(x509.SubjectAlternativeName([_san(each) for each in serves]), critical=False)
        made = Credential(self._directory / f"{file}.crt", self._directory / f"{file}.key")
        _write_private(made.key, _pem(key))
        made.cert.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return made


def token_key(directory: Path) -> Path:
    """The key that signs service-account tokens: kept, or every token in a kept cluster would turn invalid."""
    path = directory / "service-account.key"
    if not path.exists():
        _write_private(path, _pem(ec.generate_private_key(ec.SECP256R1())))
    return path


def write_kubeconfig(path: Path, cluster: str, server: str, authority: Path, credential: Credential) -> None:
    """A self-contained kubeconfig: it may be copied away."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": _encoded(authority)}}],
        "users": [
            {
                "name": cluster,
                "user": {"client-certificate-data": _encoded(credential.cert), "client-key-data": _encoded(credential.key)},
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
    }
    _write_private(path, yaml.safe_dump(document, sort_keys=False).encode())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _VALID)
    )


def _name(common_name: str, groups: Sequence[str]) -> x509.Name:
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _san(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    # Traditional form ("EC PRIVATE KEY"): the one that every Go component reads, token signing included.
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds no elliptic-curve key; remove the cluster's state and start again")
    return key


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _write_private(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        handle.write(content)
    partial.replace(path)
