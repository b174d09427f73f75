"""An event as a row of PostgreSQL's binary COPY, packed once and copied as often as it takes.

Pure. The number of the batch and the place in it come first, so that a row is packed before they are known.
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from eventgate.event import Event
from eventgate.query.shown import shown_data, shown_text

COLUMNS = (
    "batch, index, id, company, key, verify_key, sensor, received_at, content_digest, kind, origin, category, "
    "severity, sequence, code, event_id, message, data"
)
"""The columns of ``events`` in the order of a packed row."""

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_SIXTEEN = b"\0\0\0\x10"  # the length of a UUID
_POSTGRES_EPOCH_MS = 946_684_800_000

_PLACE = Struct(">hiqii").pack
_FIXED = Struct(">iqi32sihih").pack
_LONG = Struct(">iq").pack
_LENGTH = Struct(">i").pack
_SMALL = [Struct(">ih").pack(2, number) for number in range(256)]


class Row(NamedTuple):
    """One packed event. ``key`` is its id and its company, the order in which every group is copied."""

    key: bytes
    tail: bytes
    event: Event


def pack(events: Iterable[Event]) -> list[Row]:
    """Pack the events of one write: the hottest loop of all."""
    rows = []
    company = key = verify_key = None
    company_bytes = same = b""
    for event in events:
        # Taking the tuple apart at once costs less than naming its fields one by one.
        (
            of_company, id_, kind, sensor, _, received, code, category, severity, message, data, event_id, sequence,
            by_key, by_verify_key, digest, origin, _,
        ) = event  # fmt: skip
        if of_company is not company or by_key is not key or by_verify_key is not verify_key or not same:
            # One write names the same UUIDs again and again; an identity test is cheaper than any other.
            company, key, verify_key = of_company, by_key, by_verify_key
            company_bytes = company.bytes
            same = b"".join((_SIXTEEN, company_bytes, _uuid(key), _uuid(verify_key), _SIXTEEN))
        id_bytes = id_.int.to_bytes(16, "big")
        tail = b"".join(
            (
                _SIXTEEN, id_bytes, same, sensor.int.to_bytes(16, "big"),
                _FIXED(8, (received - _POSTGRES_EPOCH_MS) * 1000, 32, digest, 2, kind, 2, origin),
                _NULL if category is None else _SMALL[category],
                _NULL if severity is None else _SMALL[severity],
                _NULL if sequence is None else _LONG(8, sequence),
                _text(code), _text(event_id), _text(message), _jsonb(data),
            )
        )  # fmt: skip
        rows.append(Row(id_bytes + company_bytes, tail, event))
    return rows


def copy_body(batch: int, rows: Sequence[Row]) -> bytearray:
    """The whole of a COPY's input for ``rows``, which become events 0, 1, 2… of ``batch``."""
    body = bytearray(_HEADER)
    for index, row in enumerate(rows):
        body += _PLACE(18, 8, batch, 4, index)
        body += row.tail
    body += _TRAILER
    return body


def _uuid(value: UUID | None) -> bytes:
    return _NULL if value is None else _SIXTEEN + value.bytes


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    encoded = (shown_text(value) if "\0" in value else value).encode()
    return _LENGTH(len(encoded)) + encoded


def _jsonb(text: bytes) -> bytes:
    shown = shown_data(text)
    return _LENGTH(len(shown) + 1) + b"\x01" + shown  # 1 is the version of jsonb's binary form
