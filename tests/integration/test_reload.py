"""SIGHUP on a running EventGate: sinks come, change and go alone, a mistake changes nothing, and nothing is lost."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.whole import eventgate, get
from tests.patience import PATIENCE
from tests.serving import Serving


class Receiver:
    """A plain TCP syslog receiver that counts who connects and keeps what comes."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self.messages: list[bytes] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        """Octet counting: MSG-LEN SP MSG (RFC 6587, section 3.4.1)."""
        with connection, connection.makefile("rb") as stream:
            while length := b"".join(iter(lambda: stream.read(1).strip(), b"")):
                self.messages.append(stream.read(int(length)))

    def close(self) -> None:
        self._listener.close()
        for connection in self._open:
            connection.close()

    def ids(self) -> list[str]:
        return [json.loads(message.partition(b"{")[1] + message.partition(b"{")[2])["id"] for message in self.messages]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def out(public_path: Path) -> Path:
    made = public_path / "out"
    made.mkdir()
    return made


def tcp(name: str, receiver: Receiver, extra: str = "") -> str:
    return f'[[sinks]]\nname = "{name}"\ntransport = "tcp"\naddress = "127.0.0.1:{receiver.port}"\n{extra}\n'


def file(name: str, path: Path, extra: str = "") -> str:
    return f'[[sinks]]\nname = "{name}"\ntransport = "file"\npath = "{path}"\n{extra}\n'


def hang_up(serving: Serving) -> dict[str, Any]:
    """Reload, and wait for the outcome."""
    outcome = serving.data / "reload.json"
    before = outcome.read_text() if outcome.exists() else ""
    os.kill(serving.pid, signal.SIGHUP)
    serving.wait_until(lambda: outcome.exists() and outcome.read_text() != before)
    return json.loads(outcome.read_text())


def send(serving: Serving, count: int) -> None:
    eventgate("send", "--sample", str(count), serving=serving)


def sinks(serving: Serving) -> dict[str, dict[str, Any]]:
    return {sink["name"]: sink for sink in get(serving, "/v2/sinks")["data"]}


def done(serving: Serving, *names: str) -> dict[str, dict[str, Any]]:
    serving.wait_until(lambda: all(sinks(serving)[name]["pending"] == 0 for name in names))
    return sinks(serving)


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()]


def test_sinks_come_change_and_go_alone(public_path: Path, out: Path, receiver: Receiver) -> None:
    config = public_path / "eventgate.toml"
    steady = tcp("steady", receiver)
    with Serving(public_path, config=steady + file("out", out / "one")) as serving:
        send(serving, 40)
        before = done(serving, "steady", "out")
        forward = serving.children()["forward"]

        # One is added: it begins at the beginning.
        config.write_text(steady + file("out", out / "one") + file("late", out / "late"))
        assert hang_up(serving)["added"] == ["late"]
        assert done(serving, "late")["late"]["delivered"] == 40

        # One moves: its cursor is kept, so nothing comes twice.
        config.write_text(steady + file("out", out / "two") + file("late", out / "late"))
        assert hang_up(serving)["changed"] == {"out": ["path"]}
        send(serving, 10)
        after = done(serving, "steady", "out", "late")
        assert len(ids(out / "one")) == 40
        assert len(ids(out / "two")) == 10
        assert after["out"]["delivered"] == 50
        assert after["out"]["generation"] == before["out"]["generation"]

        # A filter changes: what comes from then on goes through the new one.
        none = 'filter = ["severity·>·10"]'
        config.write_text(steady + file("out", out / "two", none) + file("late", out / "late"))
        assert hang_up(serving)["changed"] == {"out": ["filter"]}
        send(serving, 10)
        assert done(serving, "steady", "out")["out"]["filtered"] == 10

        # One goes, and when it comes back it goes on where it was.
        config.write_text(steady + file("out", out / "two"))
        assert hang_up(serving)["removed"] == ["late"]
        assert set(sinks(serving)) == {"steady", "out"}
        send(serving, 10)
        config.write_text(steady + file("out", out / "two") + file("late", out / "late"))
        assert hang_up(serving)["added"] == ["late"]
        assert done(serving, "late")["late"]["delivered"] == 70
        stored = ids(out / "late")
        assert len(stored) == len(set(stored)) == 70

        # Nobody touched the one that stayed: one connection, every event once, and the process is the same.
        done(serving, "steady")
        assert receiver.connections == 1
        serving.wait_until(lambda: len(receiver.messages) == 70)
        assert receiver.ids() == stored
        assert serving.children()["forward"] == forward


def test_a_mistake_changes_nothing_and_says_all_there_are(public_path: Path, receiver: Receiver) -> None:
    config, good = public_path / "eventgate.toml", tcp("steady", receiver)
    with Serving(public_path, config=good) as serving:
        config.write_text(
            good + file("bad", public_path / "x", 'format = "smoke"') + tcp("worse", receiver, "adress=1")
        )
        outcome = hang_up(serving)
        assert outcome["outcome"] == "refused"
        assert [line.split(": ")[1] for line in outcome["mistakes"]] == ["sinks.bad.format", "sinks.worse.adress"]
        assert "configuration refused, nothing has changed" in serving.said()
        config.write_text("[[sinks")
        assert "expected TOML" in hang_up(serving)["mistakes"][0]
        send(serving, 5)
        assert done(serving, "steady")["steady"]["delivered"] == 5
        assert receiver.connections == 1


def test_what_a_reload_cannot_change_is_said_and_stays(public_path: Path, receiver: Receiver) -> None:
    config, sink = public_path / "eventgate.toml", tcp("steady", receiver)
    with Serving(public_path, config=sink) as serving:
        config.write_text('[database]\nconnections = 9\n[metrics]\ntoken = "hush-hush"\n' + sink)
        outcome = hang_up(serving)
        assert (outcome["outcome"], outcome["needs_restart"]) == ("taken", ["database.connections", "metrics.token"])
        assert "some of it needs a restart" in serving.said()
        assert "hush-hush" not in serving.said()


def test_what_is_hardly_meant_is_logged_at_the_start_and_said_by_a_reload(
    public_path: Path, receiver: Receiver
) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    mute = '[[sinks]]\nname = "mute"\ntransport = "hec"\nurl = "https://127.0.0.1:1"\ntoken = "hush-hush"\n'
    config, of_nobody = public_path / "eventgate.toml", tcp("steady", receiver, f'company = "{nobody}"')
    unknown, unreachable = f"sinks.{{}}.company: no company has the id {nobody}", "nothing can be delivered there"
    with Serving(public_path, config=of_nobody + mute) as serving:
        said = serving.said()
        assert unknown.format("steady") in said
        assert f"sinks.mute.url: {unreachable}" in said
        mine = serving.bootstrap["companyId"]
        config.write_text(of_nobody.replace("steady", "late") + mute + tcp("own", receiver, f'company = "{mine}"'))
        taken = command(serving, "reload")
        assert taken.returncode == 0
        assert f"Remark: sinks.mute.url: {unreachable}" in taken.stderr
        said = serving.said()[len(said) :]
        assert unknown.format("late") in said
        assert f"sinks.mute.url: {unreachable}" in said
        assert "sinks.own" not in said
        assert "hush-hush" not in serving.said()


def test_a_forward_process_that_dies_comes_back_with_the_newest_sinks(public_path: Path, out: Path) -> None:
    """Whether it dies before it hears of them, while it takes them, or after."""
    config = public_path / "eventgate.toml"
    with Serving(public_path, config=file("out", out / "0")) as serving:
        for number in range(1, 4):
            send(serving, 20)
            config.write_text(file("out", out / str(number)) + file(f"more-{number}", out / f"more-{number}"))
            victim = serving.children()["forward"]
            os.kill(serving.pid, signal.SIGHUP)
            time.sleep(0.02 * number**2)
            os.kill(victim, signal.SIGKILL)
            serving.wait_until(lambda gone=victim: serving.children().get("forward", gone) != gone)
            serving.wait_until(lambda new=f"more-{number}": new in sinks(serving))
            everything = done(serving, "out", f"more-{number}")
            assert set(everything) == {"out", f"more-{number}"}
            assert everything["out"]["delivered"] == 20 * number
        stored = ids(out / "more-3")
        delivered = [
            id_ for number in range(4) for id_ in (ids(out / str(number)) if (out / str(number)).exists() else [])
        ]
        assert list(dict.fromkeys(delivered)) == stored


def command(serving: Serving, *arguments: str) -> subprocess.CompletedProcess[str]:
    config = ["--config", str(serving.data.parent / "eventgate.toml")] if "plan" in arguments else []
    told = [sys.executable, "-m", "eventgate", *arguments, *config, "--data", str(serving.data)]
    return subprocess.run(told, check=False, capture_output=True, text=True, timeout=PATIENCE)


def test_plan_shows_the_difference_first_and_reload_takes_it(public_path: Path, out: Path) -> None:
    config = public_path / "eventgate.toml"
    kafka = '[[sinks]]\nname = "kafka"\ntransport = "kafka"\nbrokers = ["127.0.0.1:1"]\ntopic = "a"\nusername = "me"\n'
    kafka += 'sasl_mechanism = "PLAIN"\npassword = "hush-hush"\n'
    with Serving(public_path, config=file("out", out / "1") + file("old", out / "old") + kafka) as serving:
        same = command(serving, "plan")
        assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "Nothing differs."), same.stderr

        config.write_text(file("out", out / "2") + file("new", out / "new") + kafka.replace("hush-hush", "hush"))
        differs = command(serving, "plan")
        assert differs.returncode == 5
        assert differs.stdout.splitlines()[:4] == [
            "+ new: file, starts",
            "~ out: path; starts anew from its cursor",
            "~ kafka: password; starts anew from its cursor",
            "- old: stops; its cursor is kept for when it comes back",
        ]
        assert "A sink that was given another name is a new one" in differs.stdout
        as_json = json.loads(command(serving, "plan", "--json").stdout)
        assert as_json["changed"] == {"out": ["path"], "kafka": ["password"]}

        taken = command(serving, "reload")
        assert taken.returncode == 0, taken.stderr
        assert taken.stdout.splitlines()[-1] == "Taken."
        assert command(serving, "plan").returncode == 0

        config.write_text("[search]\nconnections = 9\n" + config.read_text())
        needs = command(serving, "plan")
        assert (needs.returncode, needs.stdout.splitlines()[-1]) == (6, "Needs a restart: search.connections")

        config.write_text("[search]\nconnections = 0\n")
        assert command(serving, "plan").returncode == 1
        refused = command(serving, "reload")
        assert refused.returncode == 1
        assert "search.connections" in refused.stderr
        assert "Refused; nothing has changed." in refused.stderr
        assert set(sinks(serving)) == {"out", "new", "kafka"}
        shown = differs.stdout + taken.stdout + serving.said() + json.dumps(sinks(serving))
        assert "hush" not in shown
    stopped = command(serving, "reload")
    assert stopped.returncode == 1
    assert "no EventGate runs on" in stopped.stderr
