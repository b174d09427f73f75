"""The event as the gate stores it: what a sensor reported, and what the gate added.

Pure. Decoded by ingest, committed by the journal, read by every sink.
"""

from enum import IntEnum
from typing import NamedTuple
from uuid import UUID


class Kind(IntEnum):
    """What an event reports. The numbers are stored."""

    ALERT = 1
    SIGHTING = 2
    HEARTBEAT = 3


KIND_NAMES = {Kind.ALERT: "alert", Kind.SIGHTING: "sighting", Kind.HEARTBEAT: "heartbeat"}
KINDS_BY_NAME = {name: kind for kind, name in KIND_NAMES.items()}


class Origin(IntEnum):
    """Who made an event: a sensor that signed it, or EventGate itself (a system alert). The numbers are stored."""

    SENSOR = 0
    SYSTEM = 1


class Event(NamedTuple):
    """One event, accepted.

    Times are milliseconds since the epoch, UTC; ``id`` is a UUIDv7 whose milliseconds equal ``timestamp``.
    ``content_digest`` is SHA-256 over the event's canonical content: the same id with another digest is a conflict.
    ``raw`` is the event's JSON text exactly as accepted (UTF-8, one object); ``data`` is its ``data`` member in
    canonical form, ``b"{}"`` where it has none. ``message`` may hold U+0000; searchable columns show U+FFFD instead.
    ``code``, ``category`` and ``severity`` are set for alerts, defaults filled in.
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
    data: bytes
    event_id: str | None
    sequence: int | None
    key: UUID | None
    verify_key: UUID | None
    content_digest: bytes
    origin: Origin
    raw: bytes


class SensorNames(NamedTuple):
    """What people call a sensor: its serial number, fixed, and the name it carries today."""

    serial: str
    name: str | None


GATE = UUID(int=0)
"""Stands where a sensor's id would, in the events that EventGate makes itself."""
GATE_NAMES = SensorNames("eventgate", None)
