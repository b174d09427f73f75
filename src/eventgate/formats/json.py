"""One event as one line of JSON: the names of the HTTP API, every member always present, null where there is nothing.

Pure. ``SCHEMA`` is the promise to receivers: members may be added, none will change its meaning or go.
"""

from typing import Any
from uuid import UUID

import msgspec

from eventgate.event import KIND_NAMES, Event, Origin, SensorNames
from eventgate.formats.times import rfc3339

_SYSTEM = Origin.SYSTEM  # an attribute of an enumeration costs a quarter of a microsecond
_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")


class _Line(msgspec.Struct, gc=False):
    """The members in their order. msgspec writes a struct three times as fast as orjson writes a dict of the same."""

    id: UUID
    companyId: UUID  # noqa: N815 - the member's name on the wire, here and below
    kind: str
    origin: str
    timestamp: str
    receivedAt: str  # noqa: N815
    edgeId: UUID  # noqa: N815
    serial: str
    edgeName: str | None  # noqa: N815
    alertCode: str | None  # noqa: N815
    categoryId: int | None  # noqa: N815
    severity: int | None
    message: str | None
    eventId: str | None  # noqa: N815
    sequence: int | None
    verifyKeyId: UUID | None  # noqa: N815
    data: msgspec.Raw


_encode = msgspec.json.Encoder().encode


def encode(event: Event, names: SensorNames) -> bytes:
    """The event as UTF-8 JSON without a line break; ``data`` is what the sensor sent, in canonical form."""
    data = event.data
    if b"\n" in data or b"\r" in data:
        data = data.translate(_LINE_BREAKS)  # inside a JSON text these can only be blank space between tokens
    return _encode(
        _Line(
            event.id,
            event.company,
            KIND_NAMES[event.kind],
            "system" if event.origin is _SYSTEM else "sensor",
            rfc3339(event.timestamp),
            rfc3339(event.received),
            event.sensor,
            names.serial,
            names.name,
            event.code,
            event.category,
            event.severity,
            event.message,
            event.event_id,
            event.sequence,
            event.verify_key,
            msgspec.Raw(data),
        )
    )


def _or_null(kind: str, **rest: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **rest}


_UUID = {"type": "string", "format": "uuid"}
_TIME = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC, milliseconds"}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "An EventGate event as sinks of format json receive it",
    "type": "object",
    "additionalProperties": True,
    "properties": {
        "id": {**_UUID, "description": "EventGate's id: drop what you have seen already by it"},
        "companyId": _UUID,
        "kind": {"enum": ["alert", "sighting", "heartbeat"]},
        "origin": {"enum": ["sensor", "system"], "description": "who made it: a sensor, or EventGate itself"},
        "timestamp": _TIME,
        "receivedAt": _TIME,
        "edgeId": {**_UUID, "description": "the sensor"},
        "serial": {"type": "string"},
        "edgeName": _or_null("string", description="what the sensor was called when this was sent"),
        "alertCode": _or_null("string"),
        "categoryId": _or_null("integer"),
        "severity": _or_null("integer", minimum=0, maximum=10, description="10 is worst"),
        "message": _or_null("string"),
        "eventId": _or_null("string", description="the sensor's own id"),
        "sequence": _or_null("integer"),
        "verifyKeyId": _or_null("string", format="uuid", description="the key its signature was checked with"),
        "data": {"type": "object", "description": "what the sensor saw, as it said it"},
    },
}
SCHEMA["required"] = list(SCHEMA["properties"])
