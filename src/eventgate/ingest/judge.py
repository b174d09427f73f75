"""Judge one event's text: an event to store, or everything that is wrong with it.

Pure but for the directory of sensors. One judge serves one write: it counts equal events and remembers sensors.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from eventgate.errors import FieldError
from eventgate.event import KINDS_BY_NAME, Event, Kind, Origin
from eventgate.ids import is_uuid7, uuid7_ms
from eventgate.ingest.examine import Malformed, examine, is_plain, is_shallow, same_members, skeleton
from eventgate.ingest.fields import Report, milliseconds, read
from eventgate.ingest.identity import id_of_content, id_of_event_id
from eventgate.ingest.limits import DATA_BYTES, EVENT_BYTES, Limits
from eventgate.ingest.write import Write
from eventgate.journal.content import canonical, content_digest
from eventgate.sensors import Directory, Sensor

Reference = tuple[UUID | None, str | None]
"""How an event names its sensor: its ``edgeId`` and ``serial``, None for what it leaves out."""

_ONLY_OF_ALERTS = ("alertCode", "categoryId", "severity")

_uuid = lru_cache(UUID)

Verdict = Event | Sequence[FieldError] | None
"""An event to store, what is wrong with it, or None: its sensor is not in memory, it may be new."""

_NO_DATA = b"{}"


class Judge:
    """Turns the texts of one write into events."""

    def __init__(
        self, write: Write, directory: Directory, defaults: Callable[[str], tuple[int, int]], limits: Limits
    ) -> None:
        """``defaults`` gives an alert code's category and severity."""
        self.unresolved: set[Reference] = set()
        self._principal = write.principal
        self._verify_key = _uuid(write.verified.verify_key_id)
        self._directory = directory
        self._defaults = defaults
        self._received = write.received
        self._earliest = write.received - limits.past_ms
        self._latest = write.received + limits.ahead_ms
        self._sensors: dict[Reference, UUID | FieldError] = {}
        self._equal: dict[bytes, int] = {}

    def judge(self, text: bytes, *, plain: bool = False) -> Verdict:
        """The verdict on one event. ``plain`` says that cheap tests vouched for the whole body.

        Raises Malformed where ``text`` is not JSON.
        """
        if len(text) > EVENT_BYTES:
            return [FieldError("", "event-too-large", f"The event is larger than {EVENT_BYTES} bytes.")]
        try:
            members = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            if problems := examine(text):
                return problems
            raise Malformed(error.pos) from None
        if type(members) is not dict:
            return [FieldError("", "event-not-an-object", "An event is a JSON object.")]
        bones = skeleton(text)
        cleared = is_shallow(bones) and (plain or is_plain(text))
        if not cleared and (problems := examine(text)):
            return problems
        content = canonical(members)
        if cleared and not same_members(bones, content) and (problems := examine(text)):
            return problems
        report = read(members)
        if isinstance(report, Report):
            return self._event(text, members, content, report)
        return report

    async def resolve(self) -> None:
        """Settle every reference that memory could not: a sensor made elsewhere a moment ago, or one to register."""
        for edge, serial in self.unresolved:
            company = self._principal.company
            sensor = await self._directory.find(company, edge=edge, serial=serial)
            if sensor is None and self._principal.registers_sensors and self._principal.edge is None:
                sensor = await self._directory.register(company, edge=edge, serial=serial)
            self._sensors[edge, serial] = self._check(sensor, serial)
        self.unresolved.clear()

    def _event(
        self, text: bytes, members: dict[str, Any], content: bytes, report: Report
    ) -> Event | list[FieldError] | None:
        problems: list[FieldError] = []
        timestamp = milliseconds(report, members)
        if not self._earliest <= timestamp <= self._latest:
            problems.append(self._wrong_time(timestamp))
        data = _NO_DATA if report.data is None else _trimmed(canonical(report.data))
        if len(data) > DATA_BYTES:
            problems.append(FieldError("/data", "data-too-large", f"data is larger than {DATA_BYTES} bytes."))
        kind = KINDS_BY_NAME[report.kind or "alert"]
        category, severity = report.categoryId, report.severity
        if kind is not Kind.ALERT:
            problems += [
                FieldError(f"/{name}", "field-not-for-kind", f"{name} is for alerts, and this is a {report.kind}.")
                for name in _ONLY_OF_ALERTS
                if members.get(name) is not None
            ]
        elif report.alertCode is None:
            problems.append(FieldError("/alertCode", "field-missing", "An alert needs its alertCode."))
        elif category is None or severity is None:
            usual_category, usual_severity = self._defaults(report.alertCode)
            category = usual_category if category is None else category
            severity = usual_severity if severity is None else severity
        if report.id is not None and (not is_uuid7(report.id) or uuid7_ms(report.id) != timestamp):
            problems.append(
                FieldError(
                    "/id", "id-not-of-timestamp", "id must be a UUIDv7 whose milliseconds are those of timestamp."
                )
            )
        sensor = self._sensor(report)
        if isinstance(sensor, FieldError):
            problems.append(sensor)
        if problems:
            return problems
        if not isinstance(sensor, UUID):
            return None
        digest = content_digest(sensor, content)
        return Event(
            self._principal.company,
            report.id or self._derive_id(report, sensor, timestamp, digest),
            kind,
            sensor,
            timestamp,
            self._received,
            report.alertCode,
            category,
            severity,
            report.message,
            data,
            report.eventId,
            report.sequence,
            self._principal.key,
            self._verify_key,
            digest,
            Origin.SENSOR,
            text,
        )

    def _derive_id(self, report: Report, sensor: UUID, timestamp: int, digest: bytes) -> UUID:
        secret = self._principal.id_secret
        if report.eventId is not None:
            return id_of_event_id(secret, sensor, timestamp, report.eventId)
        before = self._equal.get(digest, 0)
        self._equal[digest] = before + 1
        return id_of_content(secret, timestamp, digest, before)

    def _wrong_time(self, timestamp: int) -> FieldError:
        if timestamp > self._latest:
            return FieldError("/timestamp", "timestamp-ahead", "timestamp is too far ahead of the gate's clock.")
        return FieldError("/timestamp", "timestamp-too-old", "timestamp is too old; the gate takes it no more.")

    def _sensor(self, report: Report) -> UUID | FieldError | None:
        """The sensor that an event names, or that its key is bound to; None where memory does not know it."""
        edge, serial = report.edgeId, report.serial
        if edge is None and serial is None:
            edge = self._principal.edge
            if edge is None:
                return FieldError("/edgeId", "edge-missing", "Name the sensor by edgeId or serial: this key has none.")
        reference = edge, serial
        if reference in self._sensors:
            return self._sensors[reference]
        sensor = self._directory.resolve(self._principal.company, edge=edge, serial=serial)
        if sensor is None:
            self.unresolved.add(reference)
            return None
        self._sensors[reference] = found = self._check(sensor, serial)
        return found

    def _check(self, sensor: Sensor | None, serial: str | None) -> UUID | FieldError:
        bound = self._principal.edge
        if bound is not None and (sensor is None or sensor.id != bound):
            return FieldError("/edgeId", "edge-not-yours", "This API key writes for another sensor alone.")
        if sensor is None:
            return FieldError("/edgeId", "edge-unknown", "No sensor of your company has this edgeId or serial.")
        if serial is not None and serial != sensor.serial:
            return FieldError("/serial", "edge-mismatch", "edgeId and serial name two different sensors.")
        if sensor.state != "active":
            return FieldError("/edgeId", "edge-deactivated", "The sensor is deactivated.")
        return sensor.id


def _trimmed(text: bytes) -> bytes:
    """A copy: orjson's own bytes keep the kilobytes of its working buffer for as long as they live."""
    return bytes(memoryview(text))
