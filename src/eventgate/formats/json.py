"""One event as one line of JSON: the names of the HTTP API, every member always present, null where there is nothing.
(All but ``replay``, which stands in events that go again alone.)

Pure. ``SCHEMA`` is the promise to receivers: members may be added, none will change its meaning or go.
"""

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any, ClassVar
from uuid import UUID

import orjson
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, Origin, SensorNames
from eventgate.formats.own import Own
from eventgate.formats.times import rfc3339

VERSION = 1
"""Of the schema, in every line. It grows when a receiver that knows an older one could misread a line."""

_NAMES = (
    "id", "timestamp", "receivedAt", "companyId", "edgeId", "serial", "edgeName", "verifyKeyId", "kind", "origin",
    "alertCode", "categoryId", "severity", "message", "eventId", "sequence", "data", "replay",
)  # fmt: skip
MEMBERS = {name: name for name in _NAMES}
"""The member of each field, in their order."""

ELSEWHERE: dict[str, str] = {}

_SYSTEM = Origin.SYSTEM  # an attribute of an enumeration costs a quarter of a microsecond
_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")
_FRACTIONS = tuple(b'.%03dZ"' % ms for ms in range(1000))
_json = orjson.dumps


@dataclass(frozen=True)
class Json(Own):
    """The format. ``extra`` and ``rename`` are members of the one object."""

    KEYS: ClassVar = MEMBERS
    RESERVED: ClassVar = frozenset({"schemaVersion"})

    def __call__(self, event: Event, names: SensorNames) -> bytes:
        """The event as UTF-8 JSON without a line break; ``data`` is what the sensor sent, in canonical form."""
        company, uid, kind, sensor, at, received, code, category, severity, message, data, event_id, sequence = event[
            :13
        ]
        if 10 in data or 13 in data:
            data = data.translate(_LINE_BREAKS)  # inside a JSON text these can only be blank space between tokens
        key = event.verify_key
        before_id, before_message, before_event_id, before_sequence, before_data = self._before_each
        return b"".join(
            (
                before_id,
                _json(uid),
                self._timestamp(at // 1000),
                _FRACTIONS[at % 1000],
                self._received(received // 1000),
                _FRACTIONS[received % 1000],
                self._sensor(company.int, sensor.int, None if key is None else key.int, names),
                self._sort(kind, event.origin, code, category, severity),
                before_message,
                _json(message),
                before_event_id,
                _json(event_id),
                before_sequence,
                _json(sequence),
                before_data,
                data,
                self._end,
            )
        )

    @cached_property
    def _before_each(self) -> tuple[bytes, ...]:
        return tuple(self._before[name] for name in ("id", "message", "eventId", "sequence", "data"))

    @cached_property
    def _before(self) -> dict[str, bytes]:
        """What stands before the value of each field."""
        before = {name: b",%b:" % _json(key) for name, key in self.keys.items()}
        before["id"] = b'{"schemaVersion":%d%b' % (VERSION, before["id"])
        return before

    @cached_property
    def _end(self) -> bytes:
        ends = {**({self.keys["replay"]: True} if self.marked else {}), **self.extra}
        return _json(ends).replace(b"{", b",", 1) if ends else b"}"

    @cached_property
    def _timestamp(self) -> Callable[[int], bytes]:
        return lru_cache(4096)(lambda second: self._before["timestamp"] + _to_the_second(second))

    @cached_property
    def _received(self) -> Callable[[int], bytes]:
        return lru_cache(4096)(lambda second: self._before["receivedAt"] + _to_the_second(second))

    @cached_property
    def _sensor(self) -> Callable[[int, int, int | None, SensorNames], bytes]:
        @lru_cache(4096)
        def of_a_sensor(company: int, sensor: int, key: int | None, names: SensorNames) -> bytes:
            return self._all(
                companyId=UUID(int=company),
                edgeId=UUID(int=sensor),
                serial=names.serial,
                edgeName=names.name,
                verifyKeyId=None if key is None else UUID(int=key),
            )

        return of_a_sensor

    @cached_property
    def _sort(self) -> Callable[[Kind, Origin, str | None, int | None, int | None], bytes]:
        @lru_cache(4096)
        def of_a_sort(
            kind: Kind, origin: Origin, code: str | None, category: int | None, severity: int | None
        ) -> bytes:
            return self._all(
                kind=KIND_NAMES[kind],
                origin="system" if origin is _SYSTEM else "sensor",
                alertCode=code,
                categoryId=category,
                severity=severity,
            )

        return of_a_sort

    def _all(self, **values: Any) -> bytes:
        return b"".join([self._before[name] + _json(value) for name, value in values.items()])


def _to_the_second(second: int) -> bytes:
    return f'"{rfc3339(second * 1000)[:19]}'.encode()


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
