"""An event as a search finds it: the columns of ``events``, and what its sensor is called today.

Touches nothing; the API prints these.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from eventgate.db.pool import Row
from eventgate.event import Kind, Origin, SensorNames
from eventgate.ids import uuid7_ms

SensorNamesOf = Callable[[UUID], Awaitable[Mapping[UUID, SensorNames]]]
"""Answers a company's sensors with the names they carry today."""

COLUMNS = (
    "company, id, kind, sensor, received_at, code, category, severity, message, data::text, "
    "event_id, sequence, key, verify_key, content_digest, origin, batch, index"
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One stored event. Times are milliseconds since the epoch; ``data`` is JSON text; texts show U+0000 as U+FFFD.

    ``batch`` and ``index`` are its place in the table, from which the journal tells its position.
    """

    company: UUID
    id: UUID
    kind: Kind
    sensor: UUID
    timestamp: int
    received: int
    code: str | None
    category: int | None
    severity: int | None
    message: str | None
    data: str
    serial: str | None
    edge_name: str | None
    event_id: str | None
    sequence: int | None
    key: UUID | None
    verify_key: UUID | None
    content_digest: bytes
    origin: Origin
    batch: int
    index: int


_NAMELESS = (None, None)


def stored_event(row: Row, names: Mapping[UUID, SensorNames]) -> StoredEvent:
    """Make an event of a row of COLUMNS."""
    company, id_, kind, sensor, received_at, code, category, severity, message, data, *rest = row
    event_id, sequence, key, verify_key, content_digest, origin, batch, index = rest
    serial, edge_name = names.get(sensor, _NAMELESS)
    received = received_at - _EPOCH
    return StoredEvent(
        company, id_, Kind(kind), sensor, uuid7_ms(id_),
        (received.days * 86_400 + received.seconds) * 1000 + received.microseconds // 1000,
        code, category, severity, message, data, serial, edge_name,
        event_id, sequence, key, verify_key, content_digest, Origin(origin), batch, index,
    )  # fmt: skip
