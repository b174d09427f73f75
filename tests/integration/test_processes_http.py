"""What callers notice of the processes: TLS, a drain that finishes what is under way, metrics of all of them."""

import json
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventgate.errors import Unavailable
from eventgate.sdk import Client
from eventgate.signing.keys import SigningKey
from eventgate.signing.sign import sign
from tests.patience import PATIENCE
from tests.services.certificates import Certificates
from tests.serving import Serving


@pytest.fixture
def serving(public_path: Path) -> Iterator[Serving]:
    with Serving(public_path, workers=2) as running:
        yield running


def _event() -> dict[str, object]:
    return {"timestamp": datetime.now(UTC).isoformat(), "alertCode": "DEAUTHFLOOD", "message": "drained"}


def _signed_post(serving: Serving, body: bytes) -> bytes:
    made = serving.bootstrap
    key = SigningKey.from_pem(Path(made["signingKeyFile"]).read_bytes())
    fields = {
        "Host": f"127.0.0.1:{serving.port}",
        "Authorization": made["authKey"],
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **sign("POST", "/v2/events", body, key, keyid=made["verifyKeyId"], created=int(time.time())),
    }
    return "".join(["POST /v2/events HTTP/1.1\r\n", *(f"{n}: {v}\r\n" for n, v in fields.items()), "\r\n"]).encode()


def test_a_drain_finishes_the_write_that_is_under_way(serving: Serving) -> None:
    body = json.dumps(_event()).encode()
    with socket.create_connection(("127.0.0.1", serving.port), timeout=PATIENCE) as caller:
        caller.sendall(_signed_post(serving, body) + body[:10])
        time.sleep(0.5)
        serving.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        assert serving.get("/healthz") == 0, "nobody new is let in"
        caller.sendall(body[10:])
        assert caller.recv(1 << 16).startswith(b"HTTP/1.1 201 ")
    assert serving.process.wait(30) == 0
    assert "Traceback" not in serving.said()


def test_a_drain_does_not_wait_for_who_only_listens(serving: Serving) -> None:
    """A live stream and an idle connection have no end of their own."""
    headers = {"Authorization": serving.bootstrap["authKey"]}
    with (
        urllib.request.urlopen(urllib.request.Request(f"{serving.url}/v2/alerts/stream", headers=headers)) as stream,
        socket.create_connection(("127.0.0.1", serving.port)) as idle,
    ):
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: gate\r\n\r\n")
        assert b"200 OK" in idle.recv(4096)
        assert stream.readline().startswith(b":")
        began = time.monotonic()
        assert serving.stop() == 0
        assert time.monotonic() - began < 10
    assert "killed" not in serving.said()


def test_tls_by_certificate_files(public_path: Path, certificates: Certificates) -> None:
    config = f'[http]\ncertificate_file = "{certificates.server}"\nkey_file = "{certificates.server_key}"\n'
    with Serving(public_path, config=config, ca=certificates.ca) as serving:
        made = serving.bootstrap
        assert made["url"] == serving.url
        key = SigningKey.from_pem(Path(made["signingKeyFile"]).read_bytes())
        with Client(serving.url, made["authKey"], key, made["verifyKeyId"], ca_file=str(certificates.ca)) as client:
            assert client.send(_event()).accepted == 1


def test_a_wrong_certificate_is_said_at_the_start(public_path: Path, certificates: Certificates) -> None:
    config = f'[http]\ncertificate_file = "{certificates.server}"\nkey_file = "{certificates.client_key}"\n'
    serving = Serving(public_path, config=config, ca=certificates.ca)
    serving.launch()
    assert serving.process.wait(60) == 1
    assert "http.certificate_file: " in serving.said()
    assert "Traceback" not in serving.said()


def test_metrics_add_up_over_all_processes(serving: Serving) -> None:
    made = serving.bootstrap
    key = SigningKey.from_pem(Path(made["signingKeyFile"]).read_bytes())
    for _ in range(12):  # a connection each, so that both workers get some
        with Client(serving.url, made["authKey"], key, made["verifyKeyId"]) as client:
            assert client.send(_event()).accepted == 1
    with urllib.request.urlopen(f"{serving.url}/metrics") as answer:
        text = answer.read().decode()
    assert re.search(r"^eventgate_events_accepted_total 12\.0$", text, re.MULTILINE)
    assert re.search(r"^eventgate_journal_backlog_events 0\.0$", text, re.MULTILINE)
    free = re.search(r"^eventgate_disk_free_bytes (\S+)$", text, re.MULTILINE)
    assert free is not None
    assert float(free[1]) > 0


def test_a_full_disk_refuses_writes_and_serves_readers(public_path: Path) -> None:
    serving = Serving(public_path, config=f"[writes]\nmin_free_disk_bytes = {1 << 60}\n")
    serving.launch()
    with ExitStack() as stack:
        stack.callback(serving.stop)
        serving.wait_until(lambda: serving.get("/readyz") == 503)  # it runs, and says that it cannot take writes
        made = serving.bootstrap
        key = SigningKey.from_pem(Path(made["signingKeyFile"]).read_bytes())
        with (
            Client(serving.url, made["authKey"], key, made["verifyKeyId"], retry_for=0) as client,
            pytest.raises(Unavailable) as refused,
        ):
            client.send(_event())
        assert refused.value.code == "storage-low"
        headers = {"Authorization": made["authKey"]}
        with urllib.request.urlopen(urllib.request.Request(f"{serving.url}/v2/alerts", headers=headers)) as answer:
            assert json.load(answer)["total"] == 0
