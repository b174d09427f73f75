"""The processes of a running EventGate: killed one by one and all at once, stopped, started twice."""

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventgate.db.embedded import EmbeddedPostgres
from tests.patience import PATIENCE
from tests.services.daemon import listens
from tests.serving import Serving, alive

NOBODY = 65534


@pytest.fixture
def serving(public_path: Path) -> Iterator[Serving]:
    with Serving(public_path, workers=2) as running:
        yield running


def _ends(pids: list[int], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while left := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.02)


def test_one_parent_and_its_children(serving: Serving) -> None:
    assert sorted(serving.children()) == ["forward", "postgres", "worker-1", "worker-2"]
    groups = {os.getpgid(pid) for pid in serving.children().values()}
    assert serving.pid not in groups, "Ctrl-C at the terminal must reach the parent alone"


def test_bootstrap_is_there_before_it_is_ready_and_closed_to_others(serving: Serving) -> None:
    path = serving.data / "bootstrap.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(serving.bootstrap["signingKeyFile"]).stat().st_mode) == 0o600
    assert " ".join(serving.bootstrap) == (
        "url companyId adminUser adminPassword adminAuthKey keyId authKey verifyKeyId signingKeyFile edgeId serial"
    )
    assert serving.bootstrap["url"] == serving.url


@pytest.mark.parametrize("name", ["worker-1", "forward", "postgres"])
def test_a_killed_child_comes_back(serving: Serving, name: str) -> None:
    victim = serving.children()[name]
    os.kill(victim, signal.SIGKILL)
    serving.wait_until(lambda: serving.children().get(name, victim) != victim)
    serving.wait_until(serving.ready)
    assert sorted(serving.children()) == ["forward", "postgres", "worker-1", "worker-2"]


@pytest.mark.parametrize("everyone", [False, True], ids=["the parent", "the group"])
def test_a_kill_leaves_no_orphan_and_the_next_start_recovers(serving: Serving, everyone: bool) -> None:
    before = serving.bootstrap
    children = list(serving.children().values())
    if everyone:
        os.killpg(serving.pid, signal.SIGKILL)
    serving.stop(signal.SIGKILL)
    _ends(children)
    assert not listens(serving.port)
    serving.start()
    assert serving.bootstrap == before


def test_a_first_start_killed_again_and_again_succeeds_at_last(public_path: Path) -> None:
    """At whatever step: while initdb runs, while tables are made, while the first company is."""
    serving = Serving(public_path)
    for tenths in range(2, 30, 4):
        serving.launch()
        time.sleep(tenths / 10)
        os.killpg(serving.pid, signal.SIGKILL)
        serving.process.wait(10)
    with serving:
        assert serving.bootstrap["serial"] == "EG-0001"
        assert list((serving.data / "postgres").glob("*.new*")) == []
        assert list(serving.data.glob("*.new")) == []


def test_the_next_start_need_not_wait(serving: Serving) -> None:
    """The old database may still be on its way out when the new parent comes."""
    serving.stop(signal.SIGKILL)
    serving.start()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_of_the_whole_group_is_clean(serving: Serving, how: signal.Signals) -> None:
    children = list(serving.children().values())
    os.killpg(serving.pid, how)
    assert serving.process.wait(40) == 0
    assert not any(alive(pid) for pid in children)
    assert not (serving.data / "postgres" / "cluster" / "postmaster.pid").exists(), "the database was not stopped"
    assert "Traceback" not in serving.said()


def test_a_second_start_is_told_who_and_where(serving: Serving) -> None:
    second = subprocess.run(serving.command, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert second.returncode == 3
    assert f"process {serving.pid}, {serving.url}" in second.stderr
    assert serving.ready()


def _kept(serving: Serving) -> dict[str, bytes]:
    """The files of the data directory that outlive a run; running.json tells of the run itself."""
    return {path.name: path.read_bytes() for path in serving.data.glob("*.[jp]*") if path.name != "running.json"}


def test_a_second_start_finds_everything_as_it_was(public_path: Path) -> None:
    serving = Serving(public_path)
    with serving:
        before = _kept(serving)
    assert {"bootstrap.json", "signing-key.pem"} <= set(before)
    with serving:
        assert _kept(serving) == before


def test_a_taken_port_is_said_and_not_shared(public_path: Path) -> None:
    serving = Serving(public_path)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", serving.port))
        other.listen()
        serving.launch()
        assert serving.process.wait(30) == 1
    assert f"port {serving.port} on 127.0.0.1 is taken by another program" in serving.said()
    assert not (serving.data / "postgres").exists(), "the port comes first"


async def test_an_external_database(public_path: Path) -> None:
    async with EmbeddedPostgres(public_path / "elsewhere") as postgres:
        with Serving(public_path, variables={"EVENTGATE_DATABASE__URL": postgres.url}) as serving:
            assert sorted(serving.children()) == ["forward", "worker-1"]
            assert postgres.url not in serving.said()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else for a test")
class TestAccounts:
    def test_an_ordinary_user(self, public_path: Path) -> None:
        os.chown(public_path, NOBODY, NOBODY)
        with Serving(public_path, user=NOBODY) as serving:
            assert {Path(f"/proc/{pid}").stat().st_uid for pid in serving.children().values()} == {NOBODY}
            assert stat.S_IMODE(serving.data.stat().st_mode) == 0o700
            os.kill(serving.children()["postgres"], signal.SIGKILL)
            serving.wait_until(lambda: "postgres" in serving.children())
            serving.wait_until(serving.ready)

    def test_root_keeps_the_database_from_its_rights(self, serving: Serving) -> None:
        assert Path(f"/proc/{serving.children()['postgres']}").stat().st_uid != 0

    def test_a_user_without_a_name_is_told(self, public_path: Path) -> None:
        os.chown(public_path, 54321, 54321)
        serving = Serving(public_path, user=54321)
        serving.launch()
        assert serving.process.wait(30) == 1
        assert "the user id 54321 has no entry in /etc/passwd" in serving.said()

    def test_a_directory_out_of_reach_is_named(self, public_path: Path) -> None:
        closed = public_path / "closed"
        closed.mkdir(mode=0o700)
        serving = Serving(closed)
        serving.launch()
        assert serving.process.wait(30) == 1
        assert f"cannot enter {closed}" in serving.said()
