"""Receivers over HTTP for tests, each a program of its own that can be killed: an event collector, a webhook's end.

Touches the process it started and the file that this writes.
"""

import json
import ssl
import sys
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE
from tests.services.certificates import Certificates
from tests.services.daemon import Daemon, listens
from tests.services.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # the specification's example


class HttpReceiver(Daemon):
    """``url`` is where it listens. Settings and scripted answers are forgotten when it ends, what it took is not."""

    program: str

    def __init__(self, directory: Path, certificates: Certificates | None = None, **settings: Any) -> None:
        self.port = free_port()
        self.url = f"{'https' if certificates else 'http'}://localhost:{self.port}"
        self.output = directory / "received.ndjson"
        self._context = None
        tls: list[Path] = []
        if certificates is not None:
            tls = [certificates.server, certificates.server_key, certificates.ca]
            self._context = ssl.create_default_context(cafile=certificates.ca)
            self._context.load_cert_chain(certificates.client, certificates.client_key)
        super().__init__(self.program, directory, lambda: listens(self.port), {"PYTHONPATH": str(ROOT)})
        self._settings = settings
        self._tls = tls

    @property
    def command(self) -> list[str | Path]:  # type: ignore[override]
        module = f"tests.services.{self.program}_program"
        settings = json.dumps(self._settings)
        return [sys.executable, "-m", module, str(self.port), self.output, settings, *self._tls]

    def set(self, **settings: Any) -> None:
        """Change settings, now and for later starts."""
        self._settings |= settings
        self._ask("/-/set", settings)

    def script(self, *answers: dict[str, Any]) -> None:
        """Answer the next requests with these: ``status``, ``body``, ``headers``, ``seconds`` of waiting, ``drop`` the
        connection; with ``take`` the request counts all the same."""
        self._ask("/-/script", answers)

    def requests(self) -> list[dict[str, Any]]:
        """What was noted about each request since the start."""
        return list(self._ask("/-/look")["requests"])

    def received(self) -> list[Any]:
        """What it took for good, in its order; a line still being written is left for the next look."""
        if not self.output.exists():
            return []
        whole, _, _ = self.output.read_bytes().rpartition(b"\n")
        return [json.loads(line) for line in whole.split(b"\n") if line]

    def wait_for(self, count: int, seconds: float = PATIENCE) -> list[Any]:
        """Wait until it took so many."""
        deadline = time.monotonic() + seconds
        while len(received := self.received()) < count:
            assert time.monotonic() < deadline, f"{len(received)} of {count}"
            time.sleep(0.02)
        return received

    def _ask(self, path: str, told: dict[str, Any] | Iterable[Any] | None = None) -> Any:
        body = None if told is None else json.dumps(told).encode()
        with urllib.request.urlopen(self.url + path, data=body, timeout=PATIENCE, context=self._context) as answer:
            return json.load(answer)


class EventCollector(HttpReceiver):
    """Splunk's HTTP Event Collector, played from its documentation; see hec_program."""

    program = "hec"

    def events(self) -> list[Any]:
        """The events in their envelopes' order."""
        return [envelope["event"] for envelope in self.received()]


class WebhookReceiver(HttpReceiver):
    """Takes what is signed with ``WEBHOOK_SECRET``."""

    program = "webhook"

    def __init__(self, directory: Path, certificates: Certificates | None = None, **settings: Any) -> None:
        super().__init__(directory, certificates, **{"secret": WEBHOOK_SECRET, **settings})

    def events(self) -> list[Any]:
        """The bodies of all messages, arrays taken apart."""
        bodies = [message["body"] for message in self.received()]
        return [event for body in bodies for event in (body if isinstance(body, list) else [body])]
