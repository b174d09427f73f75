"""One event as a document of the Elastic Common Schema (ECS), for Elasticsearch, OpenSearch and whatever reads them.

Pure. What ECS has no field for stands in a namespace of our own, ``eventgate``. What has no value is left out. Hardware
addresses are written in upper case with hyphens, as ECS wants them.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import orjson
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, Origin, SensorNames
from eventgate.formats.fields import SeenType
from eventgate.formats.mac import with_hyphens
from eventgate.formats.own import Own
from eventgate.formats.pairs import category_name
from eventgate.formats.seen import SeenFields, saw
from eventgate.formats.text import json_on_one_line
from eventgate.formats.times import rfc3339

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
_SYSTEM = Origin.SYSTEM
_json = orjson.dumps


class _Sort(NamedTuple):
    """What events of one sort share: what begins ``event``, the rule, and what begins our own namespace."""

    event: str
    rule: str
    own: str


class _Sensor(NamedTuple):
    observer: str
    own: str


@dataclass(frozen=True)
class Ecs(Own):
    """The format. ``extra`` fields become ``labels``, ``rename`` calls fields of our own namespace otherwise."""

    KEYS: ClassVar = NAMESPACE
    KEY: ClassVar = (re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}"), "of letters, digits, low lines and hyphens")

    def __call__(self, event: Event, names: SensorNames) -> bytes:
        company, uid, kind, sensor, at, received, code, category, severity, message, data, event_id, sequence = event[
            :13
        ]
        sort = self._sort(kind, event.origin, code, category, severity)
        key = event.verify_key
        observer = self._sensor(company.int, sensor.int, None if key is None else key.int, names)
        own = sort.own + observer.own
        if event_id is not None:
            own += f"{self._before['eventId']}{_json(event_id).decode()}"
        ends = ""
        if data != b"{}":
            seen = saw(data)
            ends = self._ends(seen)
            own += f"{self._seen(seen)}{self._before['data']}{json_on_one_line(data)}"
        numbered = "" if sequence is None else f',"sequence":{sequence}'
        said = f',"message":{_json(message).decode()}' if message else ""
        return (
            f'{{"@timestamp":"{rfc3339(at)}",{sort.event},"id":{_json(uid).decode()},"created":"{rfc3339(received)}"'
            f'{numbered}}}{sort.rule}{said}{observer.observer}{ends},"eventgate":{{{own}}}}}'
        ).encode()

    @cached_property
    def _before(self) -> Mapping[str, str]:
        """What stands before the value of each field of our own namespace; the first there always is ``kind``."""
        return {name: f",{_json(key).decode()}:" for name, key in self.keys.items()}

    @cached_property
    def _ends(self) -> SeenFields:
        """Who sent the frames, and to whom."""

        def write(name: str, _type: SeenType) -> Callable[[Any], str] | None:
            if name not in ("sourceMac", "destinationMac"):
                return None
            side = name.removesuffix("Mac")
            return lambda value: f',"{side}":{{"mac":"{mac}"}}' if (mac := with_hyphens(value)) else ""

        return SeenFields(write)

    @cached_property
    def _seen(self) -> SeenFields:
        def write(name: str, type_: SeenType) -> Callable[[Any], str] | None:
            if (before := self._before.get(name)) is None:
                return None
            if type_ == "mac":
                return lambda value: f'{before}"{mac}"' if (mac := with_hyphens(value)) else ""
            return lambda value: before + _json(value).decode()

        return SeenFields(write)

    @cached_property
    def _sort(self) -> Callable[[Kind, Origin, str | None, int | None, int | None], _Sort]:
        @lru_cache(4096)
        def of_a_sort(
            kind: Kind, origin: Origin, code: str | None, category: int | None, severity: int | None
        ) -> _Sort:
            event: dict[str, Any] = {**_KINDS[kind], "module": "eventgate", "dataset": f"eventgate.{KIND_NAMES[kind]}"}
            rule = {}
            if code is not None:
                event["code"] = code
                title = self.catalogue.titles.get(code, code)
                rule = {"id": code, "name": title, "category": category_name(self.catalogue, kind, category)}
            if severity is not None:
                event["severity"] = severity
            fixed = {
                "ecs": {"version": VERSION},
                **({"labels": dict(self.extra)} if self.extra else {}),
                "event": event,
            }
            own = f"{self._before['kind'][1:]}{_json(KIND_NAMES[kind]).decode()}"
            own += f"{self._before['origin']}{_json('system' if origin is _SYSTEM else 'sensor').decode()}"
            if category is not None:
                own += f"{self._before['categoryId']}{category}"
            if self.marked:
                own += f"{self._before['replay']}true"
            return _Sort(_json(fixed).decode()[1:-2], f',"rule":{_json(rule).decode()}' if rule else "", own)

        return of_a_sort

    @cached_property
    def _sensor(self) -> Callable[[int, int, int | None, SensorNames], _Sensor]:
        @lru_cache(4096)
        def of_a_sensor(company: int, sensor: int, key: int | None, names: SensorNames) -> _Sensor:
            observer = {"type": "sensor", "product": "EventGate", "serial_number": names.serial}
            if names.name is not None:
                observer["name"] = names.name
            fixed = {"observer": observer, "organization": {"id": UUID(int=company)}}
            own = f'{self._before["edgeId"]}"{UUID(int=sensor)}"'
            if key is not None:
                own += f'{self._before["verifyKeyId"]}"{UUID(int=key)}"'
            return _Sensor(f",{_json(fixed).decode()[1:-1]}", own)

        return of_a_sensor
