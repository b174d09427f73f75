"""One event as one line of JSON: the names of the HTTP API, every member always present, null where there is nothing.
(All but ``replay``, which stands in events that go again alone.)

Pure. ``SCHEMA`` is the promise to receivers: members may be added, none will change its meaning or go.
"""

from typing import Any, ClassVar
from uuid import UUID

import orjson
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, SensorNames
from eventgate.formats import Format, Sort
from eventgate.formats.kept import Kept
from eventgate.formats.members import beginnings, inside, members, uuid_of
from eventgate.formats.own import Own
from eventgate.formats.times import seconds, thousandths

VERSION = 1
"""Of the schema, in every line. It grows when a receiver that knows an older one could misread a line."""

_NAMES = (
    "id", "timestamp", "receivedAt", "companyId", "edgeId", "serial", "edgeName", "verifyKeyId", "kind", "origin",
    "alertCode", "categoryId", "severity", "message", "eventId", "sequence", "data", "replay",
)  # fmt: skip
MEMBERS = {name: name for name in _NAMES}
"""The member of each field, in their order."""

ELSEWHERE: dict[str, str] = {}

_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")
_json = orjson.dumps


@dataclass(frozen=True)
class Json(Own):
    """The format. ``extra`` and ``rename`` are members of the one object."""

    KEYS: ClassVar = MEMBERS
    RESERVED: ClassVar = frozenset({"schemaVersion"})

    def writer(self) -> Format:
        begin = beginnings(self.keys)
        before_id = b'{"schemaVersion":%d%b' % (VERSION, begin["id"])
        before_message, before_data = begin["message"], begin["data"]
        before_event_id, before_sequence = begin["eventId"], begin["sequence"]
        timestamp, received_at = (seconds(f'{begin[name].decode()}"') for name in ("timestamp", "receivedAt"))
        fraction, sorts, sensors = thousandths('.{:03d}Z"'), Kept(self._sort), Kept(self._sensor)
        end, join = self._end(), b"".join

        def write(event: Event, names: SensorNames) -> bytes:
            """The event as UTF-8 JSON without a line break; ``data`` is what the sensor sent, in canonical form."""
            company, uid, kind, sensor, at, received, code, category, severity, message, data, event_id, sequence = (
                event[:13]
            )
            if 10 in data or 13 in data:
                data = data.translate(_LINE_BREAKS)  # inside a JSON text these can only be blank space between tokens
            key = event.verify_key
            return join(
                (
                    before_id, _json(uid),
                    timestamp[at // 1000], fraction[at % 1000],
                    received_at[received // 1000], fraction[received % 1000],
                    sensors[company.int, sensor.int, None if key is None else key.int, names],
                    sorts[kind, event.origin, code, category, severity],
                    before_message, _json(message),
                    before_event_id, _json(event_id),
                    before_sequence, _json(sequence),
                    before_data, data,
                    end,
                )
            )  # fmt: skip

        return write

    def _sensor(self, sensor: tuple[int, int, int | None, SensorNames]) -> bytes:
        company, uid, key, names = sensor
        return members(
            beginnings(self.keys),
            companyId=UUID(int=company),
            edgeId=UUID(int=uid),
            serial=names.serial,
            edgeName=names.name,
            verifyKeyId=uuid_of(key),
        )

    def _sort(self, sort: Sort) -> bytes:
        kind, origin, code, category, severity = sort
        return members(
            beginnings(self.keys),
            kind=KIND_NAMES[kind],
            origin=origin.name.lower(),
            alertCode=code,
            categoryId=category,
            severity=severity,
        )

    def _end(self) -> bytes:
        ends = {**({self.keys["replay"]: True} if self.marked else {}), **self.extra}
        return b",%b}" % inside(ends) if ends else b"}"


encode = Json()
"""The format without anything of a sink's own."""


def _or_null(kind: str, **rest: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **rest}


_UUID = {"type": "string", "format": "uuid"}
_TIME = {"type": "string", "format": "date-time", "description": "RFC 3339, UTC, milliseconds"}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": f"urn:eventgate:schema:event:{VERSION}",
    "title": "An EventGate event as sinks of format json receive it",
    "description": "Members may be added, none will change its meaning or go, as long as schemaVersion stays the same.",
    "type": "object",
    "additionalProperties": True,
    "properties": {
        "schemaVersion": {"const": VERSION, "description": "the version of this schema"},
        "id": {**_UUID, "description": "EventGate's id: drop what you have seen already by it"},
        "timestamp": {**_TIME, "description": "when the sensor saw it: RFC 3339, UTC, milliseconds"},
        "receivedAt": {**_TIME, "description": "when EventGate had it: RFC 3339, UTC, milliseconds"},
        "companyId": _UUID,
        "edgeId": {**_UUID, "description": "the sensor"},
        "serial": {"type": "string", "description": "the sensor's serial number"},
        "edgeName": _or_null("string", description="what the sensor was called when this was sent"),
        "verifyKeyId": _or_null("string", format="uuid", description="the key its signature was checked with"),
        "kind": {"enum": ["alert", "sighting", "heartbeat"]},
        "origin": {"enum": ["sensor", "system"], "description": "who made it: a sensor, or EventGate itself"},
        "alertCode": _or_null("string"),
        "categoryId": _or_null("integer"),
        "severity": _or_null("integer", minimum=0, maximum=10, description="10 is worst"),
        "message": _or_null("string"),
        "eventId": _or_null("string", description="the sensor's own id"),
        "sequence": _or_null("integer"),
        "data": {"type": "object", "description": "what the sensor saw, as it said it"},
        "replay": {
            "const": True,
            "description": "you may have it already: it goes again, because somebody asked for it",
        },
    },
}
SCHEMA["required"] = [name for name in SCHEMA["properties"] if name != "replay"]
