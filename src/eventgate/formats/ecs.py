"""One event as a document of the Elastic Common Schema (ECS), for Elasticsearch, OpenSearch and whatever reads them.

Pure. What ECS has no field for stands in a namespace of our own, ``eventgate``. What has no value is left out. Hardware
addresses are written in upper case with hyphens, as ECS wants them.
"""

import re
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import orjson
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, SensorNames
from eventgate.formats import Format, Sort
from eventgate.formats.fields import SeenType
from eventgate.formats.kept import Kept
from eventgate.formats.mac import with_hyphens
from eventgate.formats.members import beginnings, inside, members, uuid_of, value_after, with_value
from eventgate.formats.own import Own
from eventgate.formats.seen import seen_by
from eventgate.formats.text import on_one_line
from eventgate.formats.times import seconds, thousandths

VERSION = "8.17.0"
"""Of ECS: every field below is in it."""

NAMESPACE = {
    "kind": "kind",
    "origin": "origin",
    "categoryId": "category_id",
    "edgeId": "edge_id",
    "verifyKeyId": "verify_key_id",
    "eventId": "event_id",
    "ssid": "ssid",
    "bssid": "bssid",
    "channel": "channel",
    "frequencyMHz": "frequency_mhz",
    "rssi": "rssi",
    "encryption": "encryption",
    "clientMac": "client_mac",
    "data": "data",
    "replay": "replay",
}
"""Our own namespace: the name of each field in the object ``eventgate``."""

ELSEWHERE = {
    "id": "event.id",
    "timestamp": "@timestamp",
    "receivedAt": "event.created",
    "companyId": "organization.id",
    "serial": "observer.serial_number",
    "edgeName": "observer.name",
    "alertCode": "event.code",
    "alertTitle": "rule.name",
    "category": "rule.category",
    "severity": "event.severity",
    "message": "message",
    "sequence": "event.sequence",
    "sourceMac": "source.mac",
    "destinationMac": "destination.mac",
}
"""Fields that ECS itself names."""

_KINDS = {
    Kind.ALERT: {"kind": "alert", "category": ["intrusion_detection", "network"], "type": ["info"]},
    Kind.SIGHTING: {"kind": "event", "category": ["network"], "type": ["info"]},
    Kind.HEARTBEAT: {"kind": "event", "category": ["host"], "type": ["info"]},
}
_json = orjson.dumps


class _Sort(NamedTuple):
    """What events of one sort share: what begins the document and ``event``, the rule, what begins our namespace."""

    event: bytes
    rule: bytes
    own: bytes


class _Sensor(NamedTuple):
    observer: bytes
    own: bytes


@dataclass(frozen=True)
class Ecs(Own):
    """The format. ``extra`` fields become ``labels``, ``rename`` calls fields of our own namespace otherwise."""

    KEYS: ClassVar = NAMESPACE
    KEY: ClassVar = (re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}"), "of letters, digits, low lines and hyphens")

    def writer(self) -> Format:
        begin = beginnings(self.keys)
        before_event_id, before_data = begin["eventId"], begin["data"]
        sorts, sensors, seen_in = Kept(self._sort), Kept(self._sensor), seen_by(self._seen)
        second, fraction, join = seconds('"'), thousandths('.{:03d}Z"'), b"".join

        def write(event: Event, names: SensorNames) -> bytes:
            company, uid, kind, sensor, at, received, code, category, severity, message, data, event_id, sequence = (
                event[:13]
            )
            sort, rule, own = sorts[kind, event.origin, code, category, severity]
            key = event.verify_key
            observer, own_of_sensor = sensors[company.int, sensor.int, None if key is None else key.int, names]
            seen = source = destination = shown = b""
            if data != b"{}":
                seen, source, destination = seen_in(data)
                shown = before_data + on_one_line(data)
            return join(
                (
                    b'{"@timestamp":', second[at // 1000], fraction[at % 1000],
                    sort, b',"id":', _json(uid), b',"created":', second[received // 1000], fraction[received % 1000],
                    b"" if sequence is None else b',"sequence":%d' % sequence,
                    b"}", rule,
                    b',"message":' + _json(message) if message else b"",
                    observer, source, destination,
                    b',"eventgate":{', own, own_of_sensor,
                    b"" if event_id is None else before_event_id + _json(event_id),
                    seen, shown, b"}}",
                )
            )  # fmt: skip

        return write

    def _sort(self, sort: Sort) -> _Sort:
        kind, origin, code, category, severity = sort
        event: dict[str, Any] = {**_KINDS[kind], "module": "eventgate", "dataset": f"eventgate.{KIND_NAMES[kind]}"}
        rule = b""
        if code is not None:
            event["code"] = code
            named = {
                "id": code,
                "name": self.catalogue.title(code),
                "category": self.catalogue.category(kind, category),
            }
            rule = b',"rule":' + _json(named)
        if severity is not None:
            event["severity"] = severity
        labels = {"labels": dict(self.extra)} if self.extra else {}
        fixed = inside({"ecs": {"version": VERSION}, **labels, "event": event})
        told = with_value(
            kind=KIND_NAMES[kind], origin=origin.name.lower(), categoryId=category, replay=self.marked or None
        )
        own = members(beginnings(self.keys), **told)
        return _Sort(b"," + fixed[:-1], rule, own[1:])

    def _sensor(self, sensor: tuple[int, int, int | None, SensorNames]) -> _Sensor:
        company, uid, key, names = sensor
        observer = {"type": "sensor", "product": "EventGate", "serial_number": names.serial}
        if names.name is not None:
            observer["name"] = names.name
        fixed = inside({"observer": observer, "organization": {"id": UUID(int=company)}})
        own = members(beginnings(self.keys), **with_value(edgeId=UUID(int=uid), verifyKeyId=uuid_of(key)))
        return _Sensor(b"," + fixed, own)

    def _seen(self, name: str, type_: SeenType) -> Callable[[Any], bytes]:
        """How a field of what the sensor saw is written; who sent the frames, and to whom, are objects of ECS."""
        if name in ("sourceMac", "destinationMac"):
            return with_hyphens(b',"%b":{"mac":"' % name.removesuffix("Mac").encode(), b'"}')
        before = beginnings(self.keys)[name]
        return with_hyphens(before + b'"', b'"') if type_ == "mac" else value_after(before)
