"""One event as a Detection Finding (class 2004) of the Open Cybersecurity Schema Framework (OCSF).

Pure. The schema is closed: what it has no attribute for stands in ``unmapped``, and all that the sensor saw is the
finding's evidence. What has no value is left out. Addresses of hardware are written with colons.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import orjson
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, Origin, SensorNames
from eventgate.formats.fields import SeenType
from eventgate.formats.mac import with_colons
from eventgate.formats.own import Own
from eventgate.formats.pairs import category_name
from eventgate.formats.seen import SeenFields, saw
from eventgate.formats.severity import severity_of
from eventgate.formats.text import json_on_one_line

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

_SYSTEM = Origin.SYSTEM
_json = orjson.dumps


class _Sort(NamedTuple):
    """What findings of one sort share: what begins the whole, the finding's information, metadata and unmapped."""

    finding: str
    info: str
    metadata: str
    unmapped: str


class _Sensor(NamedTuple):
    info: str
    metadata: str
    unmapped: str


@dataclass(frozen=True)
class Ocsf(Own):
    """The format. ``extra`` and ``rename`` are of the object ``unmapped``: everything else has its place."""

    KEYS: ClassVar = UNMAPPED

    def __call__(self, event: Event, names: SensorNames) -> bytes:
        company, uid, kind, sensor, at, received, code, category, severity, message, data, event_id, sequence = event[
            :13
        ]
        sort = self._sort(kind, event.origin, code, category, severity)
        key = event.verify_key
        by = self._sensor(company.int, sensor.int, None if key is None else key.int, names)
        unmapped = sort.unmapped + by.unmapped
        if event_id is not None:
            unmapped += f"{self._before['eventId']}{_json(event_id).decode()}"
        evidence = ""
        if data != b"{}":
            seen = saw(data)
            unmapped += self._seen(seen)
            evidence = f',"evidences":[{{"data":{json_on_one_line(data)}{self._ends(seen)}}}]'
        numbered = "" if sequence is None else f',"sequence":{sequence}'
        said = f',"message":{_json(message).decode()}' if message else ""
        id_ = _json(uid).decode()
        return (
            f'{{{sort.finding},"time":{at}{said},"finding_info":{{"uid":{id_},{sort.info}{by.info}}}'
            f',"metadata":{{"uid":{id_},"logged_time":{received},{sort.metadata}{by.metadata}{numbered}}}'
            f'{evidence},"unmapped":{{{unmapped}}}}}'
        ).encode()

    @cached_property
    def _before(self) -> Mapping[str, str]:
        """What stands before the value of each unmapped field; the first there always is ``kind``."""
        return {name: f",{_json(key).decode()}:" for name, key in self.keys.items()}

    @cached_property
    def _ends(self) -> SeenFields:
        """Who sent the frames, and to whom. An endpoint needs a name besides its address (a constraint of OCSF)."""
        sides = {"sourceMac": "src_endpoint", "destinationMac": "dst_endpoint"}

        def write(name: str, _type: SeenType) -> Callable[[Any], str] | None:
            if name not in sides:
                return None
            side = sides[name]
            return lambda value: f',"{side}":{{"uid":"{mac}","mac":"{mac}"}}' if (mac := with_colons(value)) else ""

        return SeenFields(write)

    @cached_property
    def _seen(self) -> SeenFields:
        def write(name: str, type_: SeenType) -> Callable[[Any], str] | None:
            if (before := self._before.get(name)) is None:
                return None
            if type_ == "mac":
                return lambda value: f'{before}"{mac}"' if (mac := with_colons(value)) else ""
            return lambda value: before + _json(value).decode()

        return SeenFields(write)

    @cached_property
    def _sort(self) -> Callable[[Kind, Origin, str | None, int | None, int | None], _Sort]:
        @lru_cache(4096)
        def of_a_sort(
            kind: Kind, origin: Origin, code: str | None, category: int | None, severity: int | None
        ) -> _Sort:
            level = severity_of(severity)
            finding = {
                "activity_id": 1, "activity_name": "Create", "category_uid": 2, "category_name": "Findings",
                "class_uid": 2004, "class_name": "Detection Finding", "type_uid": 200401,
                "type_name": "Detection Finding: Create", "severity_id": level.ocsf, "severity": level.ocsf_name,
            }  # fmt: skip
            name = KIND_NAMES[kind] if code is None else code
            info: dict[str, Any] = {"title": self.catalogue.titles.get(name, name) or name}
            info["types"] = [category_name(self.catalogue, kind, category)]
            metadata = {"version": VERSION, "product": {"name": "EventGate", "vendor_name": "EventGate"}}
            if code is not None:
                info["analytic"] = {"type_id": 1, "type": "Rule", "name": code}
                metadata["event_code"] = code
            own = f"{self._before['kind'][1:]}{_json(KIND_NAMES[kind]).decode()}"
            own += f"{self._before['origin']}{_json('system' if origin is _SYSTEM else 'sensor').decode()}"
            for field, value in (("categoryId", category), ("severity", severity)):
                own += "" if value is None else f"{self._before[field]}{value}"
            if self.marked:
                own += f"{self._before['replay']}true"
            if self.extra:
                own += f",{_json(dict(self.extra)).decode()[1:-1]}"
            begin, told, about = (_json(each).decode()[1:-1] for each in (finding, info, metadata))
            return _Sort(begin, told, about, own)

        return of_a_sort

    @cached_property
    def _sensor(self) -> Callable[[int, int, int | None, SensorNames], _Sensor]:
        @lru_cache(4096)
        def of_a_sensor(company: int, sensor: int, key: int | None, names: SensorNames) -> _Sensor:
            loggers = [{"uid": str(UUID(int=sensor)), "name": names.serial}]
            metadata = {"tenant_uid": str(UUID(int=company)), "loggers": loggers}
            info = "" if names.name is None else f',"data_sources":{_json([names.name]).decode()}'
            unmapped = "" if key is None else f'{self._before["verifyKeyId"]}"{UUID(int=key)}"'
            return _Sensor(info, f",{_json(metadata).decode()[1:-1]}", unmapped)

        return of_a_sensor
