"""Locks between processes: exclusive, gone with their holder, and never waited for without end."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eventgate.access.rates.file_lock import FileLocks

_HOLD = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, 5)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def descriptor(tmp_path: Path) -> int:
    return os.open(tmp_path / "locked", os.O_RDWR | os.O_CREAT)


@contextmanager
def _another_process_holds_5(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    other = subprocess.Popen([sys.executable, "-c", _HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == b"held\n"
        yield other
    finally:
        other.kill()
        other.communicate()


def _can_be_had(path: Path, number: int) -> bool:
    ask = "import fcntl, os, sys; fcntl.lockf(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, {})"
    asked = subprocess.run([sys.executable, "-c", ask.format(number), path], capture_output=True, check=False)
    return asked.returncode == 0


def test_a_lock_keeps_others_out_and_is_let_go(tmp_path: Path, descriptor: int) -> None:
    locks, path = FileLocks(descriptor), tmp_path / "locked"
    with locks.held([3, 5]):
        assert (_can_be_had(path, 5), _can_be_had(path, 4)) == (False, True)
    assert _can_be_had(path, 5)
    locks.close()


def test_who_does_not_let_go_stops_nobody(tmp_path: Path, descriptor: int) -> None:
    locks, path = FileLocks(descriptor), tmp_path / "locked"
    with _another_process_holds_5(path) as other:
        with locks.held([5]):
            pass
        other.kill()
        other.wait()
        with locks.held([5]):
            assert not _can_be_had(path, 5)
    locks.close()
