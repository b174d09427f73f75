"""One EventGate a data directory, and who it is."""

import os
from pathlib import Path

import pytest

from eventgate.processes.lock import AlreadyRunning, DataDirectory, last_address


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


def test_the_address_can_be_read_beside_the_holder_and_after_it(tmp_path: Path) -> None:
    assert last_address(tmp_path) is None
    with DataDirectory(tmp_path, "http://127.0.0.1:9000"):
        assert last_address(tmp_path) == "http://127.0.0.1:9000"
    assert last_address(tmp_path) == "http://127.0.0.1:9000"
    with DataDirectory(tmp_path, "reading the journal"):
        assert last_address(tmp_path) is None
