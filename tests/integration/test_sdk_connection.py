"""The SDK's connection over real sockets: kept, lost, and made anew."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from eventgate.sdk.connection import Connection


class _Handler(BaseHTTPRequestHandler):
    """Answers with the number of the connection; after ``/last`` it hangs up without having said that it would."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = b"%d %s" % (self.server.connections, body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Path", self.path)
        self.end_headers()
        self.wfile.write(answer)
        if self.path.endswith("/last"):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running.connections = 0
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_connection_is_kept_and_survives_being_hung_up_on(server: ThreadingHTTPServer) -> None:
    connection = Connection(f"http://127.0.0.1:{server.server_port}/gate")
    answers = [connection.request("POST", path, {}, b"x") for path in ("/a", "/last", "/b", "/c")]
    assert [answer.body for answer in answers] == [b"1 x", b"1 x", b"2 x", b"2 x"]
    assert answers[0].headers["x-path"] == "/gate/a"
    connection.close()


def test_https_by_a_certificate_authority_of_ones_own(server: ThreadingHTTPServer, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *_: None  # the handshake that fails on purpose
    url = f"https://127.0.0.1:{server.server_port}"
    trusting = Connection(url, ca_file=tmp_path / "ca.pem")
    assert trusting.request("POST", "/", {}, b"x").body == b"1 x"
    trusting.close()
    with pytest.raises(ConnectionError, match="certificate verify failed"):
        Connection(url).request("POST", "/", {}, b"x")


def test_nobody_there_is_a_connection_error_with_the_address() -> None:
    import socket

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        connection = Connection(f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(ConnectionError, match=r"http://127\.0\.0\.1:\d+ cannot be reached"):
            connection.request("POST", "/", {}, b"")
