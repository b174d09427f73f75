"""The SDK's client: what it sends verifies, what it is told it says, and when it tries again."""

import gzip
import json
from collections.abc import Callable

import pytest

from eventgate.errors import CallerError, Unavailable
from eventgate.sdk.answer import Outcome, Receipt
from eventgate.sdk.client import Client
from eventgate.sdk.connection import Connection, Reply
from eventgate.signing.base import SignedRequest
from eventgate.signing.keys import SigningKey
from eventgate.signing.verify import Freshness, verify

KEY = SigningKey.generate()
EVENT = {"timestamp": "2026-11-22T09:30:00Z", "message": "caf\u00e9"}
STORED = {
    "accepted": 1,
    "duplicates": 0,
    "rejected": 0,
    "events": [{"index": 0, "id": "i", "status": "accepted", "position": 7, "positionIndex": 0}],
    "receipt": {"position": 7, "digest": "ab"},
}
BUSY = {"status": 503, "code": "busy", "detail": "Too much is waiting."}


class Gate(Connection):
    """A gate that answers from a list: (status, document, headers), or an exception to raise."""

    def __init__(self, *answers: object, url: str = "http://gate.example") -> None:
        super().__init__(url)
        self.answers = list(answers)
        self.requests: list[SignedRequest] = []

    def request(self, method, path, headers, body=None) -> Reply:
        named = [(name.lower(), value) for name, value in headers.items()]
        self.requests.append(SignedRequest(method, "http", "gate.example", self.path(path), named, body))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, document, extra = answer
        return Reply(status, extra, json.dumps(document).encode())


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_763_726_400.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def client(time: Time) -> Callable[[Gate], Client]:
    def make(gate: Gate) -> Client:
        return Client("", "egk_x", KEY, "vk", connection=gate, now=lambda: time.now, sleep=time.sleep)

    return make


def _verified(request: SignedRequest, time: Time) -> bytes:
    return verify(request, {"vk": KEY.verify_key("vk")}, int(time.now), Freshness()).body


def test_a_sent_event_verifies_and_its_answer_is_read(client, time: Time) -> None:
    gate = Gate((201, STORED, {}))
    answer = client(gate).send(EVENT)
    assert json.loads(_verified(gate.requests[0], time)) == EVENT
    assert dict(gate.requests[0].headers)["authorization"] == "egk_x"
    assert (answer.accepted, answer.duplicates, answer.rejected) == (1, 0, 0)
    assert answer.events == (Outcome(0, "i", "accepted", 7, 0, None),)
    assert answer.receipt == Receipt(7, "ab")


def test_a_large_batch_is_compressed_and_its_coding_is_signed(client, time: Time) -> None:
    gate = Gate((200, {**STORED, "receipt": None}, {}))
    assert client(gate).send([EVENT] * 100).receipt is None
    headers = dict(gate.requests[0].headers)
    assert '"content-encoding"' in headers["signature-input"]
    assert json.loads(gzip.decompress(_verified(gate.requests[0], time))) == [EVENT] * 100


def test_the_path_under_a_public_address_is_signed(client, time: Time) -> None:
    gate = Gate((201, STORED, {}), url="https://siem.example/gate/")
    client(gate).send(EVENT)
    assert gate.requests[0].path == "/gate/v2/events"
    assert _verified(gate.requests[0], time)


def test_a_lost_connection_and_a_busy_gate_are_tried_again_with_the_same_body(client, time: Time) -> None:
    gate = Gate(ConnectionError("gone"), (503, BUSY, {"retry-after": "7"}), (429, {}, {}), (201, STORED, {}))
    started = time.now
    sender, heard = client(gate), []
    sender.on_wait = lambda error, seconds: heard.append((error.code, seconds))
    assert sender.send(EVENT).accepted == 1
    assert heard == list(zip(["connection-lost", "busy", "http-429"], time.slept, strict=True))
    assert len({request.body for request in gate.requests}) == 1
    assert 0.125 <= time.slept[0] <= 0.25
    assert time.slept[1] == 7
    assert _verified(gate.requests[3], time)
    assert time.now - started == pytest.approx(sum(time.slept))


def test_patience_ends(client, time: Time) -> None:
    gate = Gate(*[(503, BUSY, {})] * 200)
    with pytest.raises(Unavailable) as caught:
        client(gate).send(EVENT)
    assert (caught.value.code, caught.value.detail) == ("busy", "Too much is waiting.")
    assert 30 < sum(time.slept) <= 60


def test_a_gate_that_is_not_there_is_said_to_be(client) -> None:
    gate = Gate(*[ConnectionError("http://gate.example cannot be reached: refused")] * 200)
    with pytest.raises(Unavailable, match="cannot be reached: refused"):
        client(gate).send(EVENT)


def test_a_refused_write_is_not_tried_again(client, time: Time) -> None:
    said = {
        "status": 401,
        "code": "created-stale",
        "detail": "Too old.",
        "serverTime": "2025-11-21T12:00:00.000Z",
        "errors": [{"pointer": "/0", "code": "x", "detail": "y"}],
    }
    gate = Gate((401, said, {}))
    with pytest.raises(CallerError) as caught:
        client(gate).send(EVENT)
    assert (caught.value.status, caught.value.code, caught.value.detail) == (401, "created-stale", "Too old.")
    assert caught.value.members["serverTime"] == "2025-11-21T12:00:00.000Z"
    assert caught.value.errors[0].pointer == "/0"
    assert time.slept == []


def test_a_write_whose_events_were_all_rejected_tells_each(client) -> None:
    event = {"index": 0, "id": None, "status": "rejected", "error": {"code": "sensor-unknown", "detail": "Who?"}}
    said = {**STORED, "accepted": 0, "rejected": 1, "events": [event], "receipt": None, "code": "all-rejected"}
    answer = client(Gate((422, said, {}))).send(EVENT)
    assert answer.rejected == 1
    assert answer.events[0].error == {"code": "sensor-unknown", "detail": "Who?"}


def test_something_else_at_the_address_is_noticed(client) -> None:
    with pytest.raises(CallerError, match="is this address an EventGate's"):
        client(Gate((404, ["not found"], {}))).send(EVENT)


@pytest.mark.parametrize("url", ["gate.example", "ftp://gate.example", "http://", "http://a/?q=1", "http://a/#f"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Client(url, "egk_x", KEY, "vk")


def test_a_client_closes_its_connection_at_the_end() -> None:
    with Client("http://gate.example", "egk_x", KEY, "vk") as client:
        assert client._connection._http.sock is None
    assert client._connection._http.sock is None
