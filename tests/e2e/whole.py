"""Parts of the end-to-end tests: sinks of three kinds, sensors that repeat what was not answered, what arrived."""

import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eventgate.sdk import Client
from eventgate.signing.keys import SigningKey
from tests.patience import PATIENCE
from tests.services.rsyslog import Rsyslog
from tests.serving import Serving

TWO_RECEIVERS = """
[[sinks]]
name = "kafka"
transport = "kafka"
brokers = ["{broker}"]
topic = "{topic}"

[[sinks]]
name = "relp"
transport = "relp"
format = "rfc5424"
address = "127.0.0.1:{relp}"
"""
SINKS = f"""{TWO_RECEIVERS}
[[sinks]]
name = "file"
transport = "file"
path = "{{directory}}/events.ndjson"
filter = ["severity·>·6"]
"""


def get(serving: Serving, path: str) -> Any:
    request = urllib.request.Request(serving.url + path, headers={"X-API-Key": serving.bootstrap["adminAuthKey"]})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def run(*command: str | Path, serving: Serving, stdin: bytes = b"") -> str:
    variables = {**os.environ, "EVENTGATE_DATA": str(serving.data)}
    done = subprocess.run(command, check=False, input=stdin, capture_output=True, timeout=PATIENCE, env=variables)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode() + done.stderr.decode()


def eventgate(*arguments: str, serving: Serving) -> str:
    return run(sys.executable, "-m", "eventgate", *arguments, serving=serving)


def client(serving: Serving, **options: Any) -> Client:
    """A sensor that has the first key."""
    made = serving.bootstrap
    key = SigningKey.from_pem(Path(made["signingKeyFile"]).read_bytes())
    return Client(serving.url, made["authKey"], key, made["verifyKeyId"], **options)


def stored_alerts(serving: Serving) -> dict[str, dict[str, Any]]:
    """Every stored alert by its id, page by page."""
    found: dict[str, dict[str, Any]] = {}
    page = get(serving, "/v2/alerts?limit=100")
    while True:
        found.update({alert["id"]: alert for alert in page["data"]})
        if page["nextUrl"] is None:
            return found
        page = get(serving, page["nextUrl"].removeprefix(serving.url))


def delivered(serving: Serving) -> bool:
    return all(sink["pending"] == 0 for sink in get(serving, "/v2/sinks")["data"])


def in_syslog(rsyslog: Rsyslog) -> Counter[str]:
    return Counter(re.search(r'id="([0-9a-f-]{36})"', each["structured_data"])[1] for each in rsyslog.received())


class Sensor(threading.Thread):
    """Sends events as a sensor does, repeating what was not answered, and remembers what was acknowledged."""

    def __init__(self, serving: Serving, number: int, *, filling: int = 0, pause: float = 0.0) -> None:
        super().__init__()
        self._filling = "x" * filling
        self._pause = pause
        self._serving = serving
        self._number = number
        self.acknowledged: list[str] = []
        self.done = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with client(self._serving, retry_for=PATIENCE) as sensor:
                write = 0
                while not self.done.wait(self._pause):
                    write += 1
                    answer = sensor.send([self._event(write, index) for index in range(20)])
                    assert answer.rejected == 0
                    self.acknowledged.extend(outcome.id for outcome in answer.events)
        except Exception as error:  # noqa: BLE001 - told by the test that waits for this thread
            self.failure = error

    def _event(self, write: int, index: int) -> dict[str, Any]:
        return {
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "eventId": f"{self._number}-{write}-{index}",
            "alertCode": "DEAUTHFLOOD",
            "message": f"write {write}",
            "data": {"filling": self._filling},
        }
