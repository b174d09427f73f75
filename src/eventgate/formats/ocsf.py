"""One event as a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework (OCSF).

Pure. The schema is closed: what it has no attribute for stands in ``unmapped``, and all that the sensor saw is the
finding's evidence. What has no value is left out. Addresses of hardware are written with colons.
"""

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import orjson
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, SensorNames
from eventgate.formats import Format, Sort
from eventgate.formats.fields import SeenType
from eventgate.formats.kept import Kept
from eventgate.formats.mac import with_colons
from eventgate.formats.members import beginnings, inside, members, uuid_of, value_after, with_value
from eventgate.formats.own import Own
from eventgate.formats.seen import seen_by
from eventgate.formats.severity import severity_of
from eventgate.formats.text import on_one_line

VERSION = "1.3.0"
"""Of OCSF: every attribute below is in it, and in every later one up to 1.8.0."""

UNMAPPED = {
    "kind": "kind",
    "origin": "origin",
    "categoryId": "category_id",
    "severity": "severity",
    "verifyKeyId": "verify_key_id",
    "eventId": "event_id",
    "ssid": "ssid",
    "bssid": "bssid",
    "channel": "channel",
    "frequencyMHz": "frequency_mhz",
    "rssi": "rssi",
    "encryption": "encryption",
    "clientMac": "client_mac",
    "replay": "replay",
}
"""Fields without an attribute of OCSF: the name of each in the object ``unmapped``."""

ELSEWHERE = {
    "id": "metadata.uid",
    "timestamp": "time",
    "receivedAt": "metadata.logged_time",
    "companyId": "metadata.tenant_uid",
    "edgeId": "metadata.loggers[].uid",
    "serial": "metadata.loggers[].name",
    "edgeName": "finding_info.data_sources[]",
    "alertCode": "metadata.event_code",
    "alertTitle": "finding_info.title",
    "category": "finding_info.types[]",
    "message": "message",
    "sequence": "metadata.sequence",
    "sourceMac": "evidences[].src_endpoint.mac",
    "destinationMac": "evidences[].dst_endpoint.mac",
    "data": "evidences[].data",
}
"""Attributes of OCSF. ``finding_info.uid`` is the id as well, ``severity_id`` the severity in OCSF's words."""

_SIDES = {"sourceMac": b"src_endpoint", "destinationMac": b"dst_endpoint"}
_json = orjson.dumps


class _Sort(NamedTuple):
    """What findings of one sort share: what begins the whole, the finding's information, metadata and unmapped."""

    finding: bytes
    info: bytes
    metadata: bytes
    unmapped: bytes


class _Sensor(NamedTuple):
    info: bytes
    metadata: bytes
    unmapped: bytes


@dataclass(frozen=True)
class Ocsf(Own):
    """The format. ``extra`` and ``rename`` are of the object ``unmapped``: everything else has its place."""

    KEYS: ClassVar = UNMAPPED

    def writer(self) -> Format:
        before_event_id = beginnings(self.keys)["eventId"]
        sorts, sensors, seen_in, join = Kept(self._sort), Kept(self._sensor), seen_by(self._seen), b"".join

        def write(event: Event, names: SensorNames) -> bytes:
            company, uid, kind, sensor, at, received, code, category, severity, message, data, event_id, sequence = (
                event[:13]
            )
            finding, info, metadata, unmapped = sorts[kind, event.origin, code, category, severity]
            key = event.verify_key
            sources, loggers, signed = sensors[company.int, sensor.int, None if key is None else key.int, names]
            id_ = _json(uid)
            seen = evidence = b""
            if data != b"{}":
                seen, source, destination = seen_in(data)
                evidence = join((b',"evidences":[{"data":', on_one_line(data), source, destination, b"}]"))
            return join(
                (
                    finding, b',"time":', _json(at), b',"message":' + _json(message) if message else b"",
                    b',"finding_info":{"uid":', id_, info, sources,
                    b'},"metadata":{"uid":', id_, b',"logged_time":', _json(received), metadata, loggers,
                    b"" if sequence is None else b',"sequence":%d' % sequence,
                    b"}", evidence,
                    b',"unmapped":{', unmapped, signed,
                    b"" if event_id is None else before_event_id + _json(event_id),
                    seen, b"}}",
                )
            )  # fmt: skip

        return write

    def _sort(self, sort: Sort) -> _Sort:
        kind, origin, code, category, severity = sort
        level = severity_of(severity)
        finding = {
            "activity_id": 1, "activity_name": "Create", "category_uid": 2, "category_name": "Findings",
            "class_uid": 2004, "class_name": "Detection Finding", "type_uid": 200401,
            "type_name": "Detection Finding: Create", "severity_id": level.ocsf, "severity": level.ocsf_name,
        }  # fmt: skip
        name = KIND_NAMES[kind] if code is None else code
        info: dict[str, Any] = {"title": self.catalogue.title(name) or name}
        info["types"] = [self.catalogue.category(kind, category)]
        metadata = {"version": VERSION, "product": {"name": "EventGate", "vendor_name": "EventGate"}}
        if code is not None:
            info["analytic"] = {"type_id": 1, "type": "Rule", "name": code}
            metadata["event_code"] = code
        told = with_value(
            kind=KIND_NAMES[kind],
            origin=origin.name.lower(),
            categoryId=category,
            severity=severity,
            replay=self.marked or None,
        )
        own = members(beginnings(self.keys), **told)
        extra = b"," + inside(self.extra) if self.extra else b""
        return _Sort(b"{" + inside(finding), b"," + inside(info), b"," + inside(metadata), own[1:] + extra)

    def _sensor(self, sensor: tuple[int, int, int | None, SensorNames]) -> _Sensor:
        company, uid, key, names = sensor
        metadata = {"tenant_uid": UUID(int=company), "loggers": [{"uid": UUID(int=uid), "name": names.serial}]}
        sources = b"" if names.name is None else b',"data_sources":' + _json([names.name])
        signed = members(beginnings(self.keys), **with_value(verifyKeyId=uuid_of(key)))
        return _Sensor(sources, b"," + inside(metadata), signed)

    def _seen(self, name: str, type_: SeenType) -> Callable[[Any], bytes]:
        """How a field of what the sensor saw is written. An endpoint needs a name besides its address, says OCSF."""
        if name in _SIDES:
            return with_colons(b',"%b":{"uid":"' % _SIDES[name], b'","mac":"', b'"}')
        before = beginnings(self.keys)[name]
        return with_colons(before + b'"', b'"') if type_ == "mac" else value_after(before)
