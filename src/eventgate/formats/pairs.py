"""An event as key and value pairs on one line: what CEF, LEEF and both kinds of syslog have in common.

Pure. A format hands over its table (which field under which key) and its style (how a pair is written, and how a value
is kept inside it); the rest is done here, once, and quickly: what events share is written once and kept.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from eventgate.event import KIND_NAMES, Event, Kind, Origin, SensorNames
from eventgate.formats import Catalogue
from eventgate.formats.mac import with_colons
from eventgate.formats.own import Own, as_text
from eventgate.formats.seen import SeenFields, saw
from eventgate.formats.text import is_plain, json_on_one_line, visible
from eventgate.formats.times import rfc3339

_json = orjson.dumps
_SYSTEM = Origin.SYSTEM  # an attribute of an enumeration costs a quarter of a microsecond


class Style(NamedTuple):
    """How pairs are written.

    ``begin`` makes of a key all that stands before its value, ``end`` is what stands behind it. ``text`` keeps
    a stranger's text inside its value, ``escape`` does so with text that has no control characters. ``time`` writes
    milliseconds since the epoch.
    """

    begin: Callable[[str], str]
    end: str
    text: Callable[[str], str]
    escape: Callable[[str], str]
    time: Callable[[int], str]
    severity: Callable[[int | None], int | None] = lambda ours: ours
    data_octets: int = 4096
    message_characters: int = 1 << 30


def quoting(escape: Callable[[str], str], data_octets: int) -> Style:
    """``name="value"`` with a blank before each, and times as RFC 3339 has them: both kinds of syslog."""
    return Style(
        begin=lambda key: f' {key}="',
        end='"',
        text=lambda text: escape(visible(text)),
        escape=escape,
        time=rfc3339,
        data_octets=data_octets,
    )


Write = Callable[[Event, SensorNames], str]


def pairs_of(own: Own, style: Style) -> Write:
    """The function that writes all pairs of an event; ``message`` and ``data`` last, so that a cut hurts them first.

    A function and its own variables, not an object and its attributes: it runs for every event of every sink.
    """
    shared = _Shared(own, style)
    before, end, text, escape, time = shared.before, style.end, style.text, style.escape, style.time
    sort_of, sensor_of, seen_of = shared.sort, shared.sensor, SeenFields(shared.column)
    before_id, before_time, before_event_id = before["id"], before.get("timestamp"), before["eventId"]
    before_sequence, before_message = before["sequence"], before.get("message")
    before_data, before_octets = before["data"], before.get("dataOctets")
    behind_id = f"{end}{before['replay']}{own.MARK}{end}" if own.marked else end
    data_octets, message_characters = style.data_octets, style.message_characters

    def write(event: Event, names: SensorNames) -> str:
        company, uid, kind, sensor, at, received, code, category, severity, message, data, event_id, sequence = event[
            :13
        ]
        sort = sort_of(kind, event.origin, code, category, severity)
        by = sensor_of(company.int, sensor.int, names)
        seen = shown = said = called = numbered = stamped = ""
        if data != b"{}":
            seen = seen_of(saw(data))
            if len(data) <= data_octets:
                line = json_on_one_line(data)
                shown = f"{before_data}{escape(line) if is_plain(line) else text(line)}{end}"
            elif before_octets is not None:
                shown = f"{before_octets}{len(data)}{end}"
        if message and before_message is not None:
            said = f"{before_message}{text(message[:message_characters])}{end}"
        if event_id is not None:
            called = f"{before_event_id}{text(event_id)}{end}"
        if sequence is not None:
            numbered = f"{before_sequence}{sequence}{end}"
        if before_time is not None:
            stamped = f"{before_time}{time(at)}{end}"
        return (
            f"{before_id}{_json(uid).decode()[1:-1]}{behind_id}{stamped}{sort}{by}{time(received)}{end}"
            f"{called}{numbered}{seen}{said}{shown}"
        )

    return write


class _Shared:
    """What many events share, written once and kept: the pairs of their sort and of their sensor."""

    def __init__(self, own: Own, style: Style) -> None:
        self.before = {name: style.begin(key) for name, key in own.keys.items()}
        self._end, self._text, self._severity = style.end, style.text, style.severity
        self._extra = "".join([self._pair(style.begin(key), as_text(value)) for key, value in own.extra.items()])
        self.sort = lru_cache(4096)(self._sort_of(own.catalogue))
        self.sensor = lru_cache(4096)(self._of_sensor)

    def _pair(self, before: str, value: str) -> str:
        return f"{before}{self._text(value)}{self._end}"

    def column(self, name: str, kind: str) -> Callable[[Any], str] | None:
        """How a field of what the sensor saw is written; None where the format has no such field."""
        before, end = self.before.get(name), self._end
        if before is None:
            return None
        if kind == "number":
            return lambda value: f"{before}{value}{end}"
        if kind == "text":
            return lambda value: self._pair(before, value)
        return lambda value: "" if (address := with_colons(value)) is None else f"{before}{address}{end}"

    def _sort_of(self, catalogue: Catalogue) -> Callable[..., str]:
        def write(kind: Kind, origin: Origin, code: str | None, category: int | None, severity: int | None) -> str:
            level = self._severity(severity)
            return self._extra + self._all(
                kind=KIND_NAMES[kind],
                origin="system" if origin is _SYSTEM else "sensor",
                alertCode=code,
                alertTitle=None if code is None else catalogue.titles.get(code, code),
                categoryId=None if category is None else str(category),
                category=category_name(catalogue, kind, category),
                severity=None if level is None else str(level),
            )

        return write

    def _of_sensor(self, company: int, sensor: int, names: SensorNames) -> str:
        """Its pairs, and what stands before the next, the time of receipt."""
        pairs = self._all(
            companyId=str(UUID(int=company)),
            edgeId=str(UUID(int=sensor)),
            serial=names.serial,
            edgeName=names.name,
        )
        return pairs + self.before["receivedAt"]

    def _all(self, **values: str | None) -> str:
        """The pairs of those that the format writes and that have a value, in the order of its table."""
        return "".join(
            [
                self._pair(before, value)
                for name, before in self.before.items()
                if (value := values.get(name)) is not None
            ]
        )


def category_name(catalogue: Catalogue, kind: Kind, category: int | None) -> str:
    """What an event is about in a word: its category, or its kind where it has none."""
    return KIND_NAMES[kind] if category is None else catalogue.categories.get(category, str(category))
