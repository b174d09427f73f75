"""An event read back from the events table: all but the exact bytes it came in, which are written anew.

Pure. Where a message or a string in the data held U+0000 it shows U+FFFD, as search does.
"""

import orjson

from eventgate.db.pool import Row
from eventgate.event import KIND_NAMES, Event, Kind, Origin
from eventgate.ids import uuid7_ms
from eventgate.journal.times import ms_of, timestamp_of

COLUMNS = (
    "batch, index, company, id, sensor, received_at, sequence, kind, category, severity, origin, key, verify_key, "
    "content_digest, code, event_id, message, data"
)


def event_of(row: Row) -> Event:
    """The event of a row with at least ``COLUMNS``."""
    event = Event(
        company=row["company"],
        id=row["id"],
        kind=Kind(row["kind"]),
        sensor=row["sensor"],
        timestamp=uuid7_ms(row["id"]),
        received=ms_of(row["received_at"]),
        code=row["code"],
        category=row["category"],
        severity=row["severity"],
        message=row["message"],
        data=row["data"].encode(),
        event_id=row["event_id"],
        sequence=row["sequence"],
        key=row["key"],
        verify_key=row["verify_key"],
        content_digest=row["content_digest"],
        origin=Origin(row["origin"]),
        raw=b"",
    )
    return event._replace(raw=_written_anew(event))


def _written_anew(event: Event) -> bytes:
    """The event as its sensor could have sent it."""
    members = {
        "id": str(event.id),
        "eventId": event.event_id,
        "kind": KIND_NAMES[event.kind],
        "timestamp": timestamp_of(event.timestamp).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "edgeId": str(event.sensor),
        "alertCode": event.code,
        "categoryId": event.category,
        "severity": event.severity,
        "message": event.message,
        "sequence": event.sequence,
        "data": orjson.Fragment(event.data),
    }
    return orjson.dumps({name: value for name, value in members.items() if value is not None})
