"""Processes are known by more than a number."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from quantum_cluster.address_block import AddressBlock, NoBlockError, claim_block
from quantum_cluster.process import ProcessRecord, signal_marked, signal_recorded, start_ticks


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], env={**os.environ, "MARK_OF_TEST": "m-1"}) as process:
        yield process
        process.kill()


def test_a_recycled_pid_is_never_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    """After a crash the recorded pid may belong to somebody else by now."""
    record = ProcessRecord("x", sleeper.pid, start_ticks(sleeper.pid) or 0)
    assert not signal_recorded(replace(record, start_ticks=record.start_ticks - 1), signal.SIGKILL)
    assert sleeper.poll() is None
    assert signal_recorded(record, signal.SIGKILL)
    assert sleeper.wait(5) == -signal.SIGKILL


def test_a_dead_process_has_no_start_time(sleeper: subprocess.Popen[bytes]) -> None:
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert start_ticks(sleeper.pid) is None


def test_a_process_is_found_by_the_mark_in_its_environment(sleeper: subprocess.Popen[bytes]) -> None:
    assert signal_marked("MARK_OF_TEST", "m-2", signal.SIGKILL) == []
    assert signal_marked("MARK_OF_TEST", "m-1", signal.SIGKILL) == [sleeper.pid]
    assert sleeper.wait(5) == -signal.SIGKILL


def test_a_block_belongs_to_one_cluster_until_it_is_released() -> None:
    first = claim_block()
    try:
        with pytest.raises(NoBlockError):
            claim_block(first.block.number)
        second = claim_block()
        second.release()
        assert second.block != first.block
    finally:
        first.release()
    again = claim_block(first.block.number)
    again.release()


def test_pod_addresses_never_reach_the_services_half() -> None:
    block = AddressBlock(64)
    addresses = {block.pod_address(index) for index in range(0, 126 * 256, 97)}
    assert block.pod_address(0) == block.pod_address(126 * 256) == "127.64.1.1"
    assert not [each for each in addresses if int(each.split(".")[2]) >= 128]
