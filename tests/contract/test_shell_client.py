"""The shell client of examples/ signs what verify accepts, on every curve, wherever its settings come from."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from eventgate.errors import CallerError
from eventgate.signing.base import SignedRequest
from eventgate.signing.keys import CURVES, SigningKey
from eventgate.signing.verify import Freshness, verify
from tests.patience import PATIENCE

SCRIPT = Path(__file__).parents[2] / "examples" / "send-event.sh"


class _Gate(BaseHTTPRequestHandler):
    """Verifies as EventGate does, keeps the body, and answers with the problem's code otherwise."""

    def do_POST(self) -> None:
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = SignedRequest("POST", "http", self.headers["Host"], self.path, headers, body)
        try:
            verified = verify(request, self.server.keys, int(time.time()), Freshness())
        except CallerError as error:
            return self._answer(error.status, {"code": error.code})
        self.server.received.append((self.headers["Authorization"], verified.body))
        return self._answer(201, {"accepted": 1})

    def _answer(self, status: int, document: dict[str, object]) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def gate() -> Iterator[ThreadingHTTPServer]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Gate)
    running.keys, running.received = {}, []
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def _settings(directory: Path, gate: ThreadingHTTPServer, curve: str = "P-256", prefix: str = "") -> Path:
    """A bootstrap.json as the first start writes it, and the signing key that it names."""
    key = SigningKey.generate(curve)
    gate.keys = {"the-key": key.verify_key("the-key")}
    (directory / "signing key.pem").write_text(key.to_pem())
    members = {
        "url": f"http://127.0.0.1:{gate.server_port}{prefix}",
        "adminAuthKey": "egk_admin",
        "keyId": "not-this",
        "authKey": "egk_sensor",
        "verifyKeyId": "the-key",
        "signingKeyFile": str(directory / "signing key.pem"),
        "serial": "EG-0001",
    }
    (directory / "bootstrap.json").write_text(json.dumps(members, indent=2) + "\n")
    return directory / "bootstrap.json"


def _run(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(SCRIPT), *arguments],
        check=False,
        input=stdin,
        capture_output=True,
        timeout=PATIENCE,
        env={"PATH": os.environ["PATH"], **environment},
    )


@pytest.mark.parametrize("prefix", ["", "/gate", "/gate/"])
def test_a_sample_needs_no_arguments_beside_the_settings(
    tmp_path: Path, gate: ThreadingHTTPServer, prefix: str
) -> None:
    _settings(tmp_path, gate, prefix=prefix)
    done = _run(EVENTGATE_DATA=str(tmp_path))
    assert (done.returncode, done.stderr, json.loads(done.stdout)) == (0, b"", {"accepted": 1})
    ((auth_key, body),) = gate.received
    assert auth_key == "egk_sensor"
    assert json.loads(body)["alertCode"] == "DEAUTHFLOOD"


@pytest.mark.parametrize("curve", list(CURVES))
def test_a_file_is_sent_byte_for_byte_on_every_curve(tmp_path: Path, gate: ThreadingHTTPServer, curve: str) -> None:
    body = b'{"message": "caf\xc3\xa9 %s $HOME `x` \\u0000",\n"timestamp":  "2026-11-22T01:45:21Z"}\n\n'
    (tmp_path / "-an event.json").write_bytes(body)
    settings = _settings(tmp_path, gate, curve)
    done = _run("-b", str(settings), str(tmp_path / "-an event.json"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert gate.received == [("egk_sensor", body)]


def test_standard_input_and_settings_from_the_environment(tmp_path: Path, gate: ThreadingHTTPServer) -> None:
    _settings(tmp_path, gate)
    done = _run(
        "-",
        stdin=b"[]",
        EVENTGATE_URL=f"http://127.0.0.1:{gate.server_port}/",
        EVENTGATE_KEY="egk_other",
        EVENTGATE_VERIFY_KEY_ID="the-key",
        EVENTGATE_SIGNING_KEY=str(tmp_path / "signing key.pem"),
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert gate.received == [("egk_other", b"[]")]


def test_a_refusal_is_shown_and_ends_with_1(tmp_path: Path, gate: ThreadingHTTPServer) -> None:
    settings = _settings(tmp_path, gate)
    gate.keys = {"the-key": SigningKey.generate().verify_key("the-key")}
    done = _run("-b", str(settings))
    assert (done.returncode, json.loads(done.stdout)) == (1, {"code": "signature-invalid"})


def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    done = _run("-b", str(tmp_path / "nothing.json"))
    assert done.returncode == 2
    assert b"EVENTGATE_URL" in done.stderr


def test_the_auth_key_is_in_no_argument_of_a_process() -> None:
    text = SCRIPT.read_text()
    assert text.count("$auth_key") == 2  # asked whether it is empty, and written to curl's standard input
    assert 'printf \'header = "Authorization: %s"\\n\' "$auth_key" | curl -K -' in text
