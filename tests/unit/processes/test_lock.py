"""One EventGate a data directory, and who it is."""

import os
from pathlib import Path

import pytest

from eventgate.processes.lock import AlreadyRunning, DataDirectory


def test_the_second_is_told_who_and_where(tmp_path: Path) -> None:
    with DataDirectory(tmp_path / "data", "http://127.0.0.1:8080"):
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}, http://127.0.0.1:8080") as refused:
            DataDirectory(tmp_path / "data", "http://127.0.0.1:9090").__enter__()
        assert (refused.value.pid, refused.value.address) == (os.getpid(), "http://127.0.0.1:8080")


def test_it_is_free_again_afterwards_and_a_shorter_address_leaves_no_rest(tmp_path: Path) -> None:
    with DataDirectory(tmp_path, "http://a-rather-long-name.example:8080"):
        pass
    with DataDirectory(tmp_path, "short"):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()} short\n"
