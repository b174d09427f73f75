"""What a caller is told: an entry for each event in the order sent, counts, and the status that sums them up."""

from uuid import UUID

import pytest

from eventgate.errors import CallerError, FieldError
from eventgate.event import Event, Kind, Origin
from eventgate.ids import uuid7
from eventgate.ingest.answer import answer, conflicts
from eventgate.ingest.write import Decoded
from eventgate.journal.outcome import Appended, Outcome, Receipt, Status
from eventgate.journal.rejects import Rejected
from tests.unit.ingest.house import NOW

RECEIPT = Receipt(9, b"\xab" * 32)
ACCEPTED, DUPLICATE, CONFLICT = (Outcome(status, 9, 4) for status in Status)
BAD = Rejected(1, b"{}", [FieldError("/severity", "field-invalid", "severity must be …")])


def _event(event_id: str | None = None) -> Event:
    nobody = UUID(int=0)
    return Event(
        nobody, uuid7(NOW), Kind.ALERT, nobody, NOW, NOW, "X", 6, 5, None, b"{}", event_id, None, nobody, nobody,
        b"d" * 32, Origin.SENSOR, b'{"raw":1}',
    )  # fmt: skip


def test_entries_stand_in_the_order_sent() -> None:
    first, third = _event(), _event()
    decoded = Decoded(True, [first, third], [0, 2], [BAD])
    status, body = answer(decoded, Appended([ACCEPTED, DUPLICATE], RECEIPT), decoded.rejects)
    assert status == 201
    assert body == {
        "accepted": 1,
        "duplicates": 1,
        "rejected": 1,
        "events": [
            {"index": 0, "id": first.id, "status": "accepted", "position": 9, "positionIndex": 4},
            {
                "index": 1, "id": None, "status": "rejected",
                "error": {"pointer": "/severity", "code": "field-invalid", "detail": "severity must be …"},
            },
            {"index": 2, "id": third.id, "status": "duplicate", "position": 9, "positionIndex": 4},
        ],
        "receipt": {"position": 9, "digest": "ab" * 32},
    }  # fmt: skip


def test_nothing_new_is_200_without_receipt() -> None:
    status, body = answer(Decoded(True, [_event()], [0], []), Appended([DUPLICATE], None), [])
    assert (status, body["receipt"]) == (200, None)


@pytest.mark.parametrize(("event_id", "pointer"), [(None, "/id"), ("e", "/eventId")])
def test_a_conflict_is_a_reject_of_the_same_event(event_id: str | None, pointer: str) -> None:
    decoded = Decoded(False, [_event(event_id)], [0], [])
    appended = Appended([CONFLICT], None)
    [reject] = conflicts(decoded, appended)
    assert (reject.index, reject.body, reject.problems[0].pointer) == (0, b'{"raw":1}', pointer)
    with pytest.raises(CallerError) as caught:
        answer(decoded, appended, [reject])
    assert (caught.value.status, caught.value.code) == (422, "id-conflict")
    assert caught.value.errors[0].pointer == pointer
    assert caught.value.members["events"][0]["id"] == str(decoded.events[0].id)


def test_all_rejected_for_several_reasons() -> None:
    several = BAD._replace(problems=[*BAD.problems, FieldError("", "event-too-large", "…")])
    with pytest.raises(CallerError) as caught:
        answer(Decoded(True, [], [], [several]), Appended([], None), [several])
    assert caught.value.code == "events-rejected"
    assert [error.pointer for error in caught.value.errors] == ["/1/severity", "/1"]
    entry = caught.value.members["events"][0]
    assert entry["error"] == entry["errors"][0]
    assert len(entry["errors"]) == 2
