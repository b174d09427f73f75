"""The bulk interface: two lines for a document, names of indices, and a verdict on each item."""

import json

import pytest

from eventgate.formats.json import encode
from eventgate.protocols.bulk import Item, ProtocolError, Target, Verdict, items
from tests.unit.formats.samples import ALERT, NAMES

STAMP = "2025-11-21T12:00:00.123Z"


def created(target: Target, document: bytes = b'{"a":1}', **rest) -> tuple[dict, dict]:
    text = target.create(ALERT, STAMP, document, **rest)
    assert text.endswith(b"\n")
    action, body = text.splitlines()
    return json.loads(action), json.loads(body)


def test_the_id_is_the_companys_and_the_events_and_the_index_is_of_the_events_day() -> None:
    action, document = created(Target("eventgate-%Y.%m.%d"))
    assert action == {"create": {"_index": "eventgate-2025.11.21", "_id": f"{ALERT.company}.{ALERT.id}"}}
    assert document == {"@timestamp": STAMP, "a": 1}


def test_a_document_with_a_timestamp_keeps_it() -> None:
    _, document = created(Target("x"), b'{"@timestamp":"2020","a":1}')
    assert document == {"@timestamp": "2020", "a": 1}


@pytest.mark.parametrize("body", [b'{"a":1}', b'{"@timestamp":"2020","a":1}'])
def test_a_replay_is_marked(body: bytes) -> None:
    assert created(Target("x"), body, replay=True)[1]["eventgate_replay"] is True


def test_an_event_in_our_json_is_a_document() -> None:
    _, document = created(Target("x"), encode(ALERT, NAMES))
    assert (document["id"], document["@timestamp"]) == (str(ALERT.id), STAMP)


@pytest.mark.parametrize(
    "name", ["", "Upper", "_a", "-a", "+a", "a b", "a,b", "a/b", "a#b", "a:b", ".", "..", "a%f", "a" * 202]
)
def test_what_can_be_no_index_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="lower case"):
        Target(name)


@pytest.mark.parametrize("name", ["logs-eventgate.wifi-default", "%Y-events", ".hidden", "e-%Y.%m.%d-%H"])
def test_names_that_are_fine(name: str) -> None:
    Target(name)


def answer(*results: dict) -> bytes:
    return json.dumps({"items": [{"create": result} for result in results]}).encode()


def failed(status: int, kind: str) -> dict:
    return {"status": status, "error": {"type": kind, "reason": "so it is"}}


def verdict(result: dict) -> Item:
    (item,) = items(answer(result), 1)
    return item


def test_created_and_already_there_are_done() -> None:
    assert verdict({"status": 201}).verdict is Verdict.DONE
    assert verdict(failed(409, "version_conflict_engine_exception")).verdict is Verdict.DONE


def test_a_document_that_does_not_fit_is_refused_with_the_reason() -> None:
    item = verdict(failed(400, "mapper_parsing_exception"))
    assert item == Item(Verdict.REFUSED, 400, "400 mapper_parsing_exception: so it is")


@pytest.mark.parametrize(
    "result",
    [
        failed(429, "rejected_execution_exception"),
        failed(403, "cluster_block_exception"),
        failed(404, "index_not_found_exception"),
        failed(503, "unavailable_shards_exception"),
        failed(400, "validation_exception"),
        failed(400, "invalid_index_name_exception"),
        {"status": 500},
    ],
)
def test_what_the_cluster_or_its_keeper_must_mend_comes_later(result: dict) -> None:
    assert verdict(result).verdict is Verdict.LATER


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html>",
        b'{"items":[{"index":{"status":201}}]}',
        answer(),
        b'{"x":' + b"[" * 100_000,
        b'{"items":[{"create":{"status":400,"error":{"type":"\xff"}}}]}',
    ],
)
def test_what_is_no_answer_to_this_request_is_said(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        items(body, 1)
