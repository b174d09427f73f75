"""The programs of examples/ against a whole EventGate, and what they sent is found."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.patience import PATIENCE
from tests.serving import Serving

SCRIPT = Path(__file__).parents[2] / "examples" / "send-event.sh"


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    with TemporaryDirectory(prefix="eventgate-test-") as name:
        directory = Path(name)
        directory.chmod(0o755)  # the database's account passes through
        with Serving(directory) as running:
            yield running


def _send(serving: Serving, *arguments: str, stdin: bytes = b"") -> tuple[int, dict]:
    done = subprocess.run(
        [str(SCRIPT), *arguments],
        check=False,
        input=stdin,
        capture_output=True,
        timeout=PATIENCE,
        env={"PATH": os.environ["PATH"], "EVENTGATE_DATA": str(serving.data)},
    )
    assert done.stderr == b""
    return done.returncode, json.loads(done.stdout)


def _alert(serving: Serving, alert_id: str) -> dict:
    headers = {"Authorization": serving.bootstrap["authKey"]}
    with urllib.request.urlopen(
        urllib.request.Request(f"{serving.url}/v2/alerts/{alert_id}", headers=headers)
    ) as answer:
        return json.load(answer)


def test_an_event_sent_by_shell_is_stored_once_and_found(serving: Serving) -> None:
    event = {
        "timestamp": datetime.now(UTC).isoformat(),
        "alertCode": "APSPOOF",
        "message": "Büro: \u0000 \x1b[31m",
        "data": {"bssid": "00:0b:86:4f:12:90"},
    }
    body = json.dumps(event).encode()
    status, first = _send(serving, "-", stdin=body)
    assert (status, first["accepted"], first["receipt"]["position"] > 0) == (0, 1, True)
    status, again = _send(serving, "-", stdin=body)
    assert (status, again["accepted"], again["duplicates"]) == (0, 0, 1)
    assert again["events"][0]["id"] == first["events"][0]["id"]
    found = _alert(serving, first["events"][0]["id"])
    assert (found["alertCode"], found["serial"], found["data"]) == ("APSPOOF", "EG-0001", event["data"])
    assert found["message"] == "Büro: \ufffd \x1b[31m"


def test_the_sample_needs_no_argument(serving: Serving) -> None:
    status, answer = _send(serving)
    assert (status, answer["accepted"]) == (0, 1)
    assert _alert(serving, answer["events"][0]["id"])["message"] == "Deauthentication flood against Lobby"


def test_what_is_refused_ends_with_1_and_says_why(serving: Serving) -> None:
    status, answer = _send(serving, "-", stdin=b'{"timestamp":"yesterday"}')
    assert (status, answer["status"], answer["errors"][0]["pointer"]) == (1, 422, "/timestamp")


def test_the_sensor_of_a_dozen_lines_sends_its_alert(serving: Serving) -> None:
    command = [sys.executable, str(SCRIPT.parent / "sensor.py"), str(serving.data / "bootstrap.json")]
    done = subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, text=True)
    status, alert_id = done.stdout.split()
    assert status == "accepted"
    assert _alert(serving, alert_id)["data"]["ssid"] == "free-wifi"
