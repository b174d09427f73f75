"""An event as key and value pairs on one line: what CEF, LEEF and both kinds of syslog have in common.

Pure. A format hands over its table (which field under which key) and its style (how a pair is written, and how a value
is kept inside it); the rest is done here, once, and quickly: what events share is written once and kept.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from eventgate.event import KIND_NAMES, Event, Kind, Origin, SensorNames
from eventgate.formats import Format
from eventgate.formats.fields import SeenType
from eventgate.formats.kept import Kept
from eventgate.formats.mac import with_colons
from eventgate.formats.own import Own, as_text
from eventgate.formats.seen import seen_by
from eventgate.formats.text import Writers
from eventgate.formats.times import thousandths, to_the_second

_json = orjson.dumps
_SYSTEM = Origin.SYSTEM  # an attribute of an enumeration costs a quarter of a microsecond

Sort = tuple[Kind, Origin, str | None, int | None, int | None]


class Style(NamedTuple):
    """How pairs are written.

    What may be hostile is kept inside its value by ``write``, which writes the ``quote`` on either side of it as well.
    ``before`` each pair stands its separator, or ``first`` before the first, and ``begin`` makes of a key what stands
    between that and the value. ``head`` is all that stands before the pairs and hangs on the sort of event. A time is
    written in two pieces: up to its ``second``, and its ``thousandth``.
    """

    write: Writers
    before: str = " "
    first: str = " "
    begin: Callable[[str], str] = "{}=".format
    quote: str = ""
    head: Callable[[Sort], str] = lambda _: ""
    second: Callable[[int], str] = to_the_second
    thousandth: str = ".{:03d}Z"
    severity: Callable[[int | None], int | None] = lambda ours: ours
    data_octets: int = 4096
    message_characters: int = 1 << 30


def pairs_of(own: Own, style: Style) -> Format:
    """The function that writes all pairs of an event; ``message`` and ``data`` last, so that a cut hurts them first.

    A function and its own variables, not an object and its attributes: it runs for every event of every sink.
    """
    shared = _Shared(own, style)
    before, quote = shared.before, style.quote.encode()
    text_of, json_of, id_of = style.write.text, style.write.json, _json if style.quote else _bare_id
    sorts, sensors, seen_in = Kept(shared.sort), Kept(shared.sensor), seen_by(shared.seen)
    seconds, received_seconds = Kept(shared.second("timestamp")), Kept(shared.second("receivedAt"))
    fractions = thousandths(style.thousandth + style.quote if "timestamp" in before else "")
    received_fractions = thousandths(style.thousandth + style.quote)
    before_id, before_event_id, before_sequence = before["id"], before["eventId"], before["sequence"]
    mark = b"%b%b%b%b" % (before["replay"], quote, own.MARK.encode(), quote) if own.marked else b""
    before_message, before_data, before_octets = before.get("message"), before["data"], before.get("dataOctets")
    data_octets, message_characters, join = style.data_octets, style.message_characters, b"".join

    def write(event: Event, names: SensorNames) -> bytes:
        company, uid, kind, sensor, at, received, code, category, severity, message, data, event_id, sequence = event[
            :13
        ]
        seen = source = destination = said = shown = b""
        if data != b"{}":
            seen, source, destination = seen_in(data)
            if len(data) <= data_octets:
                shown = before_data + json_of(data)
            elif before_octets is not None:
                shown = b"%b%b%d%b" % (before_octets, quote, len(data), quote)
        if message and before_message is not None:
            said = before_message + text_of(message[:message_characters])
        head, sort = sorts[kind, event.origin, code, category, severity]
        return join(
            (
                head,
                before_id,
                id_of(uid),
                mark,
                seconds[at // 1000],
                fractions[at % 1000],
                sort,
                sensors[company.int, sensor.int, names],
                received_seconds[received // 1000],
                received_fractions[received % 1000],
                b"" if event_id is None else before_event_id + text_of(event_id),
                b"" if sequence is None else b"%b%b%d%b" % (before_sequence, quote, sequence, quote),
                seen,
                source,
                destination,
                said,
                shown,
            )
        )

    return write


def _bare_id(uid: UUID) -> bytes:
    return _json(uid)[1:-1]


class _Shared:
    """What many events share, written once to be kept: the pairs of their sort and of their sensor."""

    def __init__(self, own: Own, style: Style) -> None:
        self._begin = {name: f"{style.before}{style.begin(key)}" for name, key in own.keys.items()}
        self._begin["id"] = f"{style.first}{style.begin(own.keys['id'])}"
        self.before = {name: begin.encode() for name, begin in self._begin.items()}
        self._catalogue, self._style = own.catalogue, style
        self._extra = b"".join(
            [self._pair(f"{style.before}{style.begin(key)}", as_text(value)) for key, value in own.extra.items()]
        )

    def sort(self, sort: Sort) -> tuple[bytes, bytes]:
        kind, origin, code, category, severity = sort
        level = self._style.severity(severity)
        return self._style.head(sort).encode(), self._extra + self._all(
            kind=KIND_NAMES[kind],
            origin="system" if origin is _SYSTEM else "sensor",
            alertCode=code,
            alertTitle=None if code is None else self._catalogue.title(code),
            categoryId=None if category is None else str(category),
            category=self._catalogue.category(kind, category),
            severity=None if level is None else str(level),
        )

    def sensor(self, sensor: tuple[int, int, SensorNames]) -> bytes:
        company, uid, names = sensor
        return self._all(
            companyId=str(UUID(int=company)),
            edgeId=str(UUID(int=uid)),
            serial=names.serial,
            edgeName=names.name,
        )

    def second(self, name: str) -> Callable[[int], bytes]:
        """How a field with a time begins; with nothing where the format has no such field."""
        begin, quote, second = self._begin.get(name), self._style.quote, self._style.second
        return lambda s: b"" if begin is None else f"{begin}{quote}{second(s)}".encode()

    def seen(self, name: str, type_: SeenType) -> Callable[[Any], bytes]:
        """How a field of what the sensor saw is written."""
        begin, quote = self._begin[name], self._style.quote
        if type_ == "text":
            return lambda text: self._pair(begin, text)
        if type_ == "mac":
            return with_colons(f"{begin}{quote}".encode(), quote.encode())
        return lambda number: f"{begin}{quote}{number}{quote}".encode()

    def _pair(self, begin: str, text: str) -> bytes:
        return begin.encode() + self._style.write.text(text)

    def _all(self, **values: str | None) -> bytes:
        """The pairs of those that the format writes and that have a value, in the order of its table."""
        return b"".join(
            [self._pair(begin, value) for name, begin in self._begin.items() if (value := values.get(name)) is not None]
        )
