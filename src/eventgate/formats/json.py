"""One event as one line of JSON: the names of the HTTP API, every member always present, null where there is nothing.

Pure. ``SCHEMA`` is the promise to receivers: members may be added, none will change its meaning or go.
"""

from typing import Any

import orjson

from eventgate.event import KIND_NAMES, Event, Origin, SensorNames
from eventgate.formats.times import rfc3339

_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")


def encode(event: Event, names: SensorNames) -> bytes:
    """The event as UTF-8 JSON without a line break; ``data`` is the sensor's own text, digit for digit."""
    data = event.data
    if b"\n" in data or b"\r" in data:
        data = data.translate(_LINE_BREAKS)  # inside a JSON text these can only be blank space between tokens
    return orjson.dumps(
        {
            "id": event.id,
            "companyId": event.company,
            "kind": KIND_NAMES[event.kind],
            "origin": "system" if event.origin is Origin.SYSTEM else "sensor",
            "timestamp": rfc3339(event.timestamp),
            "receivedAt": rfc3339(event.received),
            "edgeId": event.sensor,
            "serial": names.serial,
            "edgeName": names.name,
            "alertCode": event.code,
            "categoryId": event.category,
            "severity": event.severity,
            "message": event.message,
            "eventId": event.event_id,
            "sequence": event.sequence,
            "verifyKeyId": event.verify_key,
            "data": orjson.Fragment(data),
        }
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
