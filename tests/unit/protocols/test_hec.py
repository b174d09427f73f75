"""Splunk's event collector: envelopes that hostile bytes cannot break, and answers read whatever they are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.protocols.hec import Envelope, ProtocolError, Reply, indexed, question, reply
from tests.unit.formats.samples import ALERT

BODY = b'{"a":1}'


def wrapped(envelope: Envelope, body: bytes = BODY, serial: str = "EG-0001", **rest) -> dict:
    return json.loads(envelope.wrap(ALERT, serial, body, **rest))


def test_a_json_object_is_the_event_and_the_id_is_a_field() -> None:
    envelope = Envelope(structured=True, index="wifi", source="eventgate", sourcetype="_json")
    assert wrapped(envelope) == {
        "time": ALERT.timestamp / 1000,
        "host": "EG-0001",
        "index": "wifi",
        "source": "eventgate",
        "sourcetype": "_json",
        "event": {"a": 1},
        "fields": {"eventgate_id": str(ALERT.id), "eventgate_company": str(ALERT.company)},
    }


def test_time_is_in_seconds_with_a_fraction_of_three_digits() -> None:
    event = ALERT._replace(timestamp=1_763_726_400_007)
    assert b'"time":1763726400.007,' in Envelope(structured=True).wrap(event, "x", BODY)


def test_text_is_a_string_and_what_is_not_configured_is_left_out() -> None:
    told = wrapped(Envelope(structured=False, host="gate"), b'<13>1 say "hi"')
    assert (told["event"], told["host"]) == ('<13>1 say "hi"', "gate")
    assert told.keys() == {"time", "host", "event", "fields"}


def test_a_replay_is_marked() -> None:
    assert wrapped(Envelope(structured=True), replay=True)["fields"]["eventgate_replay"] == "true"


@given(st.text(min_size=1), st.text())
def test_no_text_of_a_sensor_forges_a_member(text: str, serial: str) -> None:
    told = wrapped(Envelope(structured=False), text.encode(), serial)
    assert told.keys() == {"time", "host", "event", "fields"}
    assert (told["event"], told["host"]) == (text, serial)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"text":"Success","code":0,"ackId":7}', Reply(0, "Success", 7, None)),
        (b'{"text":"Invalid data format","code":6,"invalid-event-number":2}', Reply(6, "Invalid data format", None, 2)),
        (b"<html>", Reply(None, "", None, None)),
        (b"[]", Reply(None, "", None, None)),
        (b'{"code":true,"ackId":"7","text":9}', Reply(None, "", None, None)),
    ],
)
def test_answers_are_read_whatever_they_are(body: bytes, expected: Reply) -> None:
    assert reply(body) == expected


def test_a_wrong_index_is_not_the_events_fault() -> None:
    assert not reply(b'{"code":7,"invalid-event-number":0}').blames_events
    assert reply(b'{"code":6}').blames_events
    assert reply(b"Bad Request").blames_events


def test_acknowledgements_are_asked_for_and_read() -> None:
    assert json.loads(question({3, 1})) == {"acks": [1, 3]}
    assert indexed(b'{"acks":{"1":true,"3":false}}') == {1}
    assert indexed(b'{"acks":{"1":"true"}}') == set()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"acks":[1]}', b'{"acks":{"x":true}}', b"[]"])
def test_what_is_no_answer_about_acknowledgements_is_said(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        indexed(body)
