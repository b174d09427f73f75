"""The loop of send: batches, counts, and rejects told by their line."""

import json
from collections.abc import Iterator

import pytest

from eventgate.cli.sending import Sending, batches
from eventgate.cli.source import Line
from eventgate.errors import CallerError
from eventgate.sdk import Answer, Outcome


class Gate:
    """Stands in for the SDK's client: rejects what says so, knows what says so, stores the rest."""

    def __init__(self, fails_after: int = 1_000) -> None:
        self.retry_for = 0.0
        self.bodies: list[list[dict]] = []
        self._fails_after = fails_after

    def send_json(self, body: bytes) -> Answer:
        if len(self.bodies) == self._fails_after:
            raise CallerError(401, "key-revoked", "The key was revoked.")
        events = json.loads(body)
        self.bodies.append(events)
        outcomes = tuple(self._outcome(index, event) for index, event in enumerate(events))
        counts = [sum(each.status == status for each in outcomes) for status in ("accepted", "duplicate", "rejected")]
        return Answer(*counts, outcomes, None)

    def _outcome(self, index: int, event: dict) -> Outcome:
        status = event.get("is", "accepted")
        error = {"code": "value", "pointer": "/severity", "detail": "\x1b[31m11 is over 10"}
        return Outcome(index, "id", status, None, None, error if status == "rejected" else None)


def _lines(*events: dict) -> Iterator[Line]:
    return (Line(number, json.dumps(event).encode()) for number, event in enumerate(events, 1))


def test_what_became_of_each_event_is_counted_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    gate = Gate()
    sending = Sending(gate, None)
    lines = [*_lines({}, {"is": "rejected"}, {"is": "duplicate"}), Line(9, b"", "not JSON: …"), *_lines({})]
    sending.run(batches(lines, 3))
    assert gate.bodies == [[{}, {"is": "rejected"}, {"is": "duplicate"}], [{}]]
    assert (sending.writes, sending.accepted, sending.duplicates, sending.rejected) == (2, 2, 1, 2)
    said = capsys.readouterr().err
    assert "line 2: /severity: \\x1b[31m11 is over 10 (value)" in said
    assert "line 9: not JSON: …" in said
    assert "2 events stored, 1 known already, 2 rejected; 2 signed writes in" in sending.summary()


def test_a_batch_of_nothing_but_faults_is_not_sent() -> None:
    gate = Gate()
    sending = Sending(gate, None)
    sending.run(batches([Line(1, b"", "no")], 3))
    assert (gate.bodies, sending.rejected) == ([], 1)


def test_what_was_stored_before_it_stopped_stays_counted() -> None:
    sending = Sending(Gate(fails_after=2), None)
    with pytest.raises(CallerError):
        sending.run(batches(_lines({}, {}, {}, {}), 1))
    assert sending.summary().startswith("2 events stored")


def test_a_gate_that_never_answered_is_given_up_sooner() -> None:
    gate = Gate()
    seen = []

    def following() -> Iterator[list[Line]]:
        for batch in batches(_lines({}, {}), 1):
            seen.append(gate.retry_for)
            yield batch

    Sending(gate, None).run(following())
    assert seen[0] < 10 < seen[1]


def test_batches_are_bounded_in_events_and_bytes() -> None:
    big = b" " * (1 << 20)
    assert [len(batch) for batch in batches(_lines(*[{}] * 7), 3)] == [3, 3, 1]
    assert [len(batch) for batch in batches((Line(n, big) for n in range(9)), 100)] == [3, 3, 3]
    assert [len(batch) for batch in batches([Line(1, big * 9), Line(2, b"{}")], 100)] == [1, 1]
