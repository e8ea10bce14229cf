"""Claims a block of loopback addresses, so that several clusters can run side by side on one machine.

In    the block wanted, if there is one (a cluster that keeps its data keeps its block)
Out   a claimed block: one address for the control plane and the node, some for pods, some for services
Flow  EmbeddedCluster -> HERE -> control plane, node
Why   an abstract socket name is exclusive per network namespace, exactly the reach of 127.0.0.0/8, and dies with its process
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Final

_BLOCKS: Final = range(64, 192)


class NoBlockError(Exception):
    """No block of loopback addresses is free, or not the one that is needed."""


@dataclass(frozen=True)
class AddressBlock:
    """127.N.0.0/16: the lower half for the host and pods, the upper half for services."""

    number: int

    @property
    def host(self) -> str:
        return f"127.{self.number}.0.1"

    @property
    def services(self) -> IPv4Network:
        return IPv4Network(f"127.{self.number}.128.0/17")

    @property
    def kubernetes_service(self) -> str:
        return str(self.services[1])

    def pod_address(self, index: int) -> str:
        """Addresses 127.N.1.1 up to 127.N.127.254, round and round."""
        first, room = int(IPv4Address(f"127.{self.number}.1.1")), 126 * 256
        return str(IPv4Address(first + index % room))


@dataclass(frozen=True)
class Claim:
    block: AddressBlock
    held: socket.socket

    def release(self) -> None:
        self.held.close()


def claim_block(wanted: int | None = None) -> Claim:
    """Claim the block asked for, or the first that nobody claims and nothing listens in."""
    listening = _blocks_listened_in()
    for number in _BLOCKS if wanted is None else (wanted,):
        if number in listening:
            continue
        held = _hold(f"quantum-cluster-block-{number}")
        if held is not None:
            return Claim(AddressBlock(number), held)
    if wanted is None:
        raise NoBlockError("every block from 127.64 to 127.191 is in use: look with `ss -ltnp` for what listens there")
    raise NoBlockError(f"addresses 127.{wanted}.x.y, which this cluster's kept data refers to, are in use: look with `ss -ltnp`")


def free_port(host: str, preferred: int) -> int:
    """The customary port if it is free at this address, else any."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise NoBlockError(f"no free port at {host}")


def _hold(name: str) -> socket.socket | None:
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        held.bind(f"\0{name}")
    except OSError:
        held.close()
        return None
    return held


def _blocks_listened_in() -> set[int]:
    """Second octets of listening 127.x addresses: remains of a crashed cluster hold no claim, but still listen."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    local_and_state = ((row.split()[1], row.split()[3]) for row in rows)
    # proc(5): addresses are hexadecimal in host byte order, state 0A is LISTEN.
    return {int(local[4:6], 16) for local, state in local_and_state if state == "0A" and local[6:8] == "7F"}
