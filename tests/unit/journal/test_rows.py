"""Packed rows say the same as the event, field by field, in PostgreSQL's binary COPY format."""

import struct
from uuid import UUID

from benchmarks.rows import Site
from eventgate.event import Event
from eventgate.journal.rows import COLUMNS, copy_body, pack

MS = 1_763_726_400_123


def fields(body: bytes) -> list[list[bytes | None]]:
    """Read a COPY body back."""
    assert body[:19] == b"PGCOPY\n\xff\r\n\0" + bytes(8)
    at, rows = 19, []
    while (count := struct.unpack_from(">h", body, at)[0]) != -1:
        at += 2
        row: list[bytes | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", body, at)
            at += 4
            row.append(None if length == -1 else bytes(body[at : at + length]))
            at += max(length, 0)
        rows.append(row)
    assert at + 2 == len(body)
    return rows


def packed(event: Event) -> dict[str, bytes | None]:
    (row,) = fields(bytes(copy_body(7, pack([event]))))
    return dict(zip(COLUMNS.split(", "), row, strict=True))


def test_each_column_holds_its_field() -> None:
    (event,) = Site().write(MS, 1)
    row = packed(event._replace(sequence=2**40, category=3, severity=0))
    assert row["batch"] == struct.pack(">q", 7)
    assert row["index"] == struct.pack(">i", 0)
    assert [row[name] for name in ("id", "company", "sensor", "key", "verify_key")] == [
        value.bytes for value in (event.id, event.company, event.sensor, event.key, event.verify_key) if value
    ]
    assert row["received_at"] == struct.pack(">q", (event.received - 946_684_800_000) * 1000)
    assert row["content_digest"] == event.content_digest
    small = [row[name] for name in ("kind", "origin", "category", "severity")]
    assert small == [struct.pack(">h", number) for number in (1, 0, 3, 0)]
    assert row["sequence"] == struct.pack(">q", 2**40)
    assert row["code"] == (event.code or "").encode()
    assert row["message"] == (event.message or "").encode()
    assert row["data"] == b"\x01" + event.data


def test_what_is_not_there_is_null() -> None:
    (event,) = Site().write(MS, 1)
    bare = event._replace(
        key=None, verify_key=None, category=None, severity=None, sequence=None, code=None, event_id=None, message=None
    )
    row = packed(bare)
    absent = {name for name, value in row.items() if value is None}
    assert absent == {"key", "verify_key", "category", "severity", "sequence", "code", "event_id", "message"}


def test_events_of_several_sensors_and_keys_keep_their_own() -> None:
    first, second = Site().write(MS, 2)
    other = UUID(int=5)
    events = [first, second._replace(sensor=other), first._replace(key=None), second._replace(company=other, key=other)]
    rows = fields(bytes(copy_body(1, pack(events))))
    names = COLUMNS.split(", ")
    for event, row in zip(events, rows, strict=True):
        for name in ("company", "sensor", "key", "verify_key"):
            value = getattr(event, name)
            assert row[names.index(name)] == (value.bytes if value else None)


def test_nul_is_shown_where_postgres_cannot_hold_it() -> None:
    (event,) = Site().write(MS, 1)
    hostile = event._replace(message="a\0b", data=rb'{"ssid":"\u0000\\u0000\\\u0000","\u0000":1}')
    row = packed(hostile)
    assert row["message"] == "a\ufffdb".encode()
    assert row["data"] == b"\x01" + rb'{"ssid":"\ufffd\\u0000\\\ufffd","\ufffd":1}'
