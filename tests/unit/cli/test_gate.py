"""What a command says to EventGate: one method, one body, and what came back."""

import json

import pytest
import typer
from typer.testing import CliRunner

from eventgate.cli import gate, options
from eventgate.errors import CallerError
from eventgate.sdk.connection import Reply


class _Connection:
    """Answers what it was told to, and remembers what it was asked."""

    asked: list[tuple]
    reply = Reply(200, {}, b"{}")

    def __init__(self, url, *, ca_file=None):
        self.url = url

    def request(self, method, path, headers, body=None):
        _Connection.asked.append((method, path, headers.get("Content-Type"), body and json.loads(body)))
        return _Connection.reply

    def close(self):
        pass


@pytest.fixture
def reached(monkeypatch):
    _Connection.asked = []
    monkeypatch.setattr(gate, "Connection", _Connection)
    return gate.Gate("http://gate.example", "egk_x")


def test_each_method_says_what_it_was_given(reached):
    _Connection.reply = Reply(201, {}, b'{"id": 1}')
    assert reached.post("/keys", {"userId": "x"}) == {"id": 1}
    assert reached.put("/keys/1", {}) == {"id": 1}
    assert reached.patch("/v2/users/1", {"role": "admin"}) == {"id": 1}
    assert reached.post("/v2/sinks/a/pause") == {"id": 1}
    assert _Connection.asked == [
        ("POST", "/keys", "application/json", {"userId": "x"}),
        ("PUT", "/keys/1", "application/json", {}),
        ("PATCH", "/v2/users/1", "application/json", {"role": "admin"}),
        ("POST", "/v2/sinks/a/pause", None, None),
    ]


def test_an_empty_answer_is_none_and_a_refusal_is_raised(reached):
    _Connection.reply = Reply(204, {}, b"")
    assert reached.delete("/keys/1") is None
    _Connection.reply = Reply(409, {}, b'{"code": "key-inactive", "detail": "It is."}')
    with pytest.raises(CallerError) as caught:
        reached.put("/keys/1", {})
    assert (caught.value.status, caught.value.code) == (409, "key-inactive")


def test_what_is_not_there_is_named(reached):
    _Connection.reply = Reply(404, {}, b'{"code": "not-found", "detail": "There is nothing here under this address."}')
    with pytest.raises(CallerError) as caught:
        reached.get("/v2/sinks/soc/dead-letters", [("limit", "5")])
    assert caught.value.detail == "http://gate.example has nothing under /v2/sinks/soc/dead-letters that you may see."


def test_the_first_of_a_list_end_within_a_page(monkeypatch):
    asked = []

    def get(self, path, parameters=()):
        asked.append((path, list(parameters)))
        return {"data": [1, 2], "nextUrl": f"http://gate.example{path.partition('?')[0]}?startingAfter={len(asked)}"}

    monkeypatch.setattr(gate.Gate, "get", get)
    somewhere = gate.Gate("http://gate.example", "egk_x")
    assert [page["data"] for page in gate.first(somewhere, "/v2/alerts", [("filter", "x")], 3)] == [[1, 2], [1]]
    assert asked == [("/v2/alerts", [("filter", "x"), ("limit", "3")]), ("/v2/alerts?startingAfter=1", [])]


def test_options_say_which_gate_a_command_asks(tmp_path):
    found = []

    @options.asks
    def command(find: options.Find, what: str) -> None:
        found.append((what, find()))

    app = typer.Typer()
    app.command()(command)
    arguments = ["it", "--url", "http://gate.example", "--key", "egk_x", "--data", str(tmp_path)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert found == [("it", gate.Gate("http://gate.example", "egk_x"))]
