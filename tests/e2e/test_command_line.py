"""The commands a newcomer types, against a whole EventGate."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.patience import PATIENCE
from tests.serving import Serving


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    with TemporaryDirectory(prefix="eventgate-test-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # the database's account passes through
        sink = f'[[sinks]]\nname = "file"\ntransport = "file"\npath = "{directory / "events.ndjson"}"\n'
        with Serving(directory, config=sink) as running:
            yield running


def _command(serving: Serving, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "eventgate", *arguments, "--data", str(serving.data)]


def _run(serving: Serving, *arguments: str, stdin: bytes = b"", status: int = 0) -> tuple[str, str]:
    environment = {**os.environ, "COLUMNS": "140", "TZ": "UTC"}
    done = subprocess.run(
        _command(serving, *arguments), check=False, input=stdin, capture_output=True, timeout=PATIENCE, env=environment
    )
    assert done.returncode == status, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def _event(**members: object) -> bytes:
    event = {"timestamp": datetime.now(UTC).isoformat(), "alertCode": "TEST", "severity": 5, **members}
    return json.dumps(event).encode()


def test_sample_alerts_are_sent_and_found(serving: Serving) -> None:
    _, said = _run(serving, "send", "--sample", "1000", "--batch", "300")
    assert "1,000 events stored, 0 known already, 0 rejected; 4 signed writes" in said
    shown, footer = _run(serving, "alerts", "--filter", "severity·>·6", "--limit", "5")
    assert len(shown.splitlines()) == 6
    assert "EG-0001" in shown
    assert "newest first" in footer
    whole, _ = _run(serving, "alerts", "-f", "severity > 6", "-n", "150", "--json")
    alerts = [json.loads(line) for line in whole.splitlines()]
    assert len({alert["id"] for alert in alerts}) == 150
    assert all(alert["severity"] > 6 for alert in alerts)


def test_a_file_is_sent_partly_and_each_reject_told_by_its_line(serving: Serving, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(
        b"\n".join([_event(message="good"), b"{bad}", _event(severity=11), b"", _event(message="good too")])
    )
    _, said = _run(serving, "send", str(file), status=1)
    assert "line 2: not JSON" in said
    assert "line 3: /severity" in said
    assert "2 events stored, 0 known already, 2 rejected" in said
    _, said = _run(serving, "send", str(file), status=1)
    assert "0 events stored, 2 known already, 2 rejected" in said


def test_standard_input_is_sent(serving: Serving) -> None:
    _, said = _run(serving, "send", "-", stdin=b"[" + _event(message="one") + b",\n" + _event(message="two") + b"]")
    assert "2 events stored" in said


def test_a_hostile_message_does_not_reach_the_terminal(serving: Serving) -> None:
    _run(serving, "send", "-", stdin=_event(message="\x1b]0;owned\x07[bold]hostile[/bold]"))
    shown, _ = _run(serving, "alerts", "-f", 'message contains "hostile"')
    assert "\\x1b]0;owned\\x07[bold]hostile[/bold]" in shown
    assert "\x1b" not in shown


def test_tail_follows_and_resumes(serving: Serving) -> None:
    told = f"tail-{time.monotonic_ns()}"
    condition = ("--json", "--filter", f'message·contains·"{told}"')
    with _tail(serving, *condition) as tail:
        _run(serving, "send", "-", stdin=_event(message=f"{told} first"))
        assert json.loads(tail.stdout.readline())["message"] == f"{told} first"
        place = _stopped_at(tail)
    _run(serving, "send", "-", stdin=_event(message=f"{told} while away"))
    with _tail(serving, *condition, "--after", place) as tail:
        assert json.loads(tail.stdout.readline())["message"] == f"{told} while away"
        _stopped_at(tail)


def test_a_tail_that_saw_nothing_resumes_too(serving: Serving) -> None:
    with _tail(serving) as tail:
        time.sleep(0.3)  # the place comes right behind the answer's head
        place = _stopped_at(tail)
    _run(serving, "send", "-", stdin=_event(message="nobody looked"))
    with _tail(serving, "--after", place) as tail:
        assert "nobody looked" in tail.stdout.readline()
        _stopped_at(tail)


def _tail(serving: Serving, *arguments: str) -> subprocess.Popen[str]:
    """A tail that is connected."""
    tail = subprocess.Popen(
        _command(serving, "tail", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert tail.stderr is not None
    assert tail.stderr.readline() == "Following; Ctrl-C stops.\n"
    return tail


def _stopped_at(tail: subprocess.Popen[str]) -> str:
    """Interrupt it; the place that it tells to go on from."""
    tail.send_signal(signal.SIGINT)
    assert tail.stderr is not None
    said = tail.stderr.read()
    assert tail.wait(10) == 130
    assert "--after " in said
    return said.rpartition("--after ")[2].strip()


def test_a_sink_is_rewound_paused_resumed_and_tested(serving: Serving) -> None:
    _run(serving, "send", "--sample", "5")
    serving.wait_until(lambda: '"pending": 0' in _run(serving, "sinks", "list", "--json")[0])
    dry, _ = _run(serving, "sinks", "rewind", "file", "--to", "2026-01-01 00:00", "--dry-run")
    assert "events would be delivered again, less what the sink's filter leaves out, in a second or so" in dry
    done, _ = _run(serving, "sinks", "rewind", "file", "--to", "0")
    assert "Generation 1 delivers " in done
    for verb, word in (("pause", "paused"), ("resume", "resumed")):
        assert _run(serving, "sinks", verb, "file")[0] == f"file: {word}\n"
    serving.wait_until(lambda: '"state": "running"' in _run(serving, "sinks", "list", "--json")[0])
    said = _run(serving, "sinks", "test", "file")[0]
    assert "delivered, confirmed" in said
    assert "events.ndjson, from " in said


def test_nobody_is_asked_whether_to_forget_a_sink_that_cannot_be_forgotten(serving: Serving) -> None:
    for name, said in (("nosuch", "There is no sink nosuch"), ("file", "file is configured.")):
        shown, refused = _run(serving, "sinks", "forget", name, status=2)
        assert said in refused
        assert "cannot be undone" not in shown + refused


def test_where_an_event_is_and_what_a_sink_makes_of_it(serving: Serving) -> None:
    _run(serving, "send", "-", stdin=_event(message="an \x1b[2J evil twin"))
    id_ = json.loads(_run(serving, "alerts", "-n", "1", "--json")[0])["id"]
    serving.wait_until(lambda: '"deliveries": [{' in _run(serving, "where", id_, "--json")[0])
    told, _ = _run(serving, "where", id_)
    words = [line.split()[:2] for line in told.splitlines()]
    assert [line[0] for line in words] == ["sensor", "signed", "gate", "journal", "file"]
    assert "events.ndjson, from " in told
    shown, said = _run(serving, "sinks", "preview", "file", id_)
    assert json.loads(shown)["id"] == id_
    assert "the filter lets it through" in said
    raw, _ = _run(serving, "sinks", "preview", "file", id_, "--raw")
    assert raw == shown.rstrip("\n")
    assert "There are none." in _run(serving, "sinks", "letters", "file")[1]
    _, refused = _run(serving, "sinks", "redrive", "file", "--all", status=1)
    assert "no such dead letters" in refused


def test_sinks_are_shown(serving: Serving) -> None:
    shown, _ = _run(serving, "sinks")
    assert shown.splitlines()[1].split()[0] == "file"
    (sink,) = [json.loads(line) for line in _run(serving, "sinks", "--json")[0].splitlines()]
    assert sink["name"] == "file"


def test_the_chain_is_verified_while_it_runs(serving: Serving) -> None:
    _run(serving, "send", "-", stdin=_event(message="one at least"))
    shown, _ = _run(serving, "verify")
    assert shown.startswith("The chain holds: ")


def test_interrupted_it_says_how_far_it_came_and_the_rest_can_follow(serving: Serving) -> None:
    with subprocess.Popen(
        _command(serving, "send", "-", "--batch", "1"), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as sending:
        assert sending.stdin
        assert sending.stderr
        for number in range(3):
            sending.stdin.write(_event(message=f"before the interruption {number}") + b"\n")
        sending.stdin.flush()
        _wait_for_alert(serving, "before the interruption 2")
        sending.send_signal(signal.SIGINT)
        said = sending.stderr.read().decode()
        assert sending.wait(10) == 130
    assert "Stopped early. 3 events stored" in said


def _wait_for_alert(serving: Serving, text: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _run(serving, "alerts", "--json", "-f", f'message contains "{text}"')[0]:
        assert time.monotonic() < deadline


def test_mistakes_are_told_in_one_paragraph(serving: Serving) -> None:
    _, said = _run(serving, "alerts", "-f", "severity above 6", status=1)
    assert "filter-malformed" in said
    assert "Traceback" not in said
    _, said = _run(serving, "alerts", "--key", "egk_wrong", status=1)
    assert "key-malformed" in said
    _, said = _run(serving, "send", "/no/such/file", status=2)
    assert said.strip() == "eventgate: /no/such/file: No such file or directory"


def test_a_company_is_made_changed_and_retired(serving: Serving) -> None:
    def companies(verb: str, *arguments: str, status: int = 0) -> tuple[str, str]:
        return _run(serving, "companies", verb, *arguments, status=status)

    said, _ = companies("create", "Harbour Ltd", "--admin-login", "ada", "--rate-limit", "200")
    assert "#token=" in said.splitlines()[-1]
    shown, _ = companies("list", "--json")
    harbour = next(each for each in map(json.loads, shown.splitlines()) if each["name"] == "Harbour Ltd")
    assert harbour["rateLimit"] == 200
    said, _ = companies("update", harbour["id"], "--no-rate-limit", "--name", "Quay")
    assert "Quay" in said
    assert "any" in said
    said, _ = companies("retire", harbour["id"], "--yes")
    assert said == "Quay is retired.\n"
    shown, _ = companies("list", "--status", "retired")
    assert [line.split()[1] for line in shown.splitlines()] == ["Name", "Quay"]
    _, said = companies("retire", serving.bootstrap["companyId"], "--yes", status=1)
    assert "409 company-of-operator" in said
    _, said = companies("create", "Nobody", status=2)
    assert "--admin-email" in said


def test_a_user_is_invited_changed_and_comes_back_after_losing_the_password(serving: Serving) -> None:
    def users(verb: str, *arguments: str, stdin: str = "", status: int = 0) -> tuple[str, str]:
        return _run(serving, "users", verb, *arguments, stdin=stdin.encode(), status=status)

    link, said = users("invite", "--email", "ann@example.org", "--name", "Ann Lee")
    assert link.strip().startswith(f"{serving.bootstrap['url']}/console/set-password#token=")
    assert "ann@example.org is made, as analyst" in said
    _, said = users("set-password", stdin=f"{link}AnnLee123456\n", status=1)
    assert "422 password-guessable" in said
    _, said = users("set-password", stdin=f"{link}gravel otter nineteen lamps\n")
    assert said == "The password is set.\n"
    shown, _ = users("list", "--json")
    ann = next(each for each in map(json.loads, shown.splitlines()) if each["login"] == "ann@example.org")
    assert ann["status"] == "active"
    said, _ = users("update", ann["id"], "--role", "admin", "--name", "")
    assert said.splitlines()[1].split()[2] == "admin"
    users("delete", ann["id"])
    _, said = users("reset-password", ann["id"], status=1)
    assert "409 user-inactive" in said

    recovered, said = users("recover")
    assert said.startswith("For admin:\n")
    _, said = users("set-password", stdin=f"{recovered}nine lampposts sing quietly\n")
    assert said == "The password is set.\n"
    _, said = users("recover", "--reset-2fa")
    assert "The second factor is taken away, and every session ended." in said
    _, said = users("recover", "--login", "nobody", status=1)
    assert "404 not-found" in said
