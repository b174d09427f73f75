"""An event as key and value pairs on one line: what CEF, LEEF and both kinds of syslog have in common.

Pure. A format hands over its table (which field under which key) and its style (how a pair is written, and how a value
is kept inside it); the rest is done here, once, and quickly: what events share is written once and kept.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from eventgate.event import KIND_NAMES, Event, SensorNames
from eventgate.formats import Format, Sort
from eventgate.formats.fields import SeenType
from eventgate.formats.kept import Kept, encoded
from eventgate.formats.mac import with_colons
from eventgate.formats.own import Own, as_text
from eventgate.formats.seen import seen_by
from eventgate.formats.syslog import Header
from eventgate.formats.text import Writers
from eventgate.formats.times import thousandths, to_the_second

_json = orjson.dumps
_NO_LIMIT = 1 << 30


class Style(NamedTuple):
    """How pairs are written.

    What may be hostile is kept inside its value by ``write``, which writes the ``quote`` on either side of it as well.
    ``before`` each pair stands its separator, or ``first`` before the first, and ``begin`` makes of a key what stands
    between that and the value. ``head`` is all that stands before the pairs and hangs on the sort of event, ``tail`` is
    what stands behind them, made of the message. A time is written in two pieces: up to its ``second``, and its
    ``thousandth``. A line of more octets than the ``longest`` is ``cut``.
    """

    write: Writers
    before: str = " "
    first: str = " "
    begin: Callable[[str], str] = "{}=".format
    quote: str = ""
    head: Callable[[Sort], str] = lambda _: ""
    tail: Callable[[str | None], bytes] | None = None
    second: Callable[[int], str] = to_the_second
    thousandth: str = ".{:03d}Z"
    severity: Callable[[int | None], int | None] = lambda ours: ours
    data_octets: int = 4096
    message_characters: int = _NO_LIMIT
    longest: int = _NO_LIMIT
    cut: Callable[[bytes], bytes] = lambda line: line


def pairs_of(own: Own, style: Style, header: Header | None = None) -> Format:
    """The function that writes all pairs of an event; ``message`` and ``data`` last, so that a cut hurts them first.

    A function and its own variables, not an object and its attributes: it runs for every event of every sink. For the
    same reason a syslog ``header`` is no function of its own before this one.
    """
    shared = _Shared(own, style, header)
    sorts, sensors, seen_in = Kept(shared.sort), Kept(shared.sensor), seen_by(shared.seen)
    before, quote = shared.before, style.quote.encode()
    before_id, before_event_id, before_sequence = before["id"], before["eventId"], before["sequence"]
    before_message, before_data, before_octets = before.get("message"), before["data"], before.get("dataOctets")
    mark = b"%b%b%b%b" % (before["replay"], quote, own.MARK.encode(), quote) if own.marked else b""
    has_header, has_time, is_bare = header is not None, "timestamp" in before, not quote
    seconds, received_seconds = Kept(shared.second("timestamp")), Kept(shared.second("receivedAt"))
    fractions = thousandths(style.thousandth + style.quote)
    header_seconds = Kept(encoded(header.second if header else str))
    header_fractions = thousandths(header.thousandth if header else "")
    text_of, json_of, tail_of, join = style.write.text, style.write.json, style.tail, b"".join
    data_octets, message_characters = style.data_octets, style.message_characters
    longest, cut = style.longest, style.cut

    def write(event: Event, names: SensorNames) -> bytes:
        company, uid, kind, sensor, at, received, code, category, severity, message, data, event_id, sequence = event[
            :13
        ]
        start, topic, sort = sorts[kind, event.origin, code, category, severity]
        host, by = sensors[company.int, sensor.int, names]
        second, ms = at // 1000, at % 1000
        sent = sent_ms = stamp = stamp_ms = seen = source = destination = said = told = shown = b""
        if has_header:
            sent, sent_ms = header_seconds[second], header_fractions[ms]
        if has_time:
            stamp, stamp_ms = seconds[second], fractions[ms]
        if data != b"{}":
            seen, source, destination = seen_in(data)
            if len(data) <= data_octets:
                told, shown = before_data, json_of(data)
            elif before_octets is not None:
                shown = b"%b%b%d%b" % (before_octets, quote, len(data), quote)
        if message and before_message is not None:
            said = before_message + text_of(message[:message_characters])
        line = join(
            (
                start, sent, sent_ms, host, topic,
                before_id, _json(uid)[1:-1] if is_bare else _json(uid), mark, stamp, stamp_ms, sort, by,
                received_seconds[received // 1000], fractions[received % 1000],
                b"" if event_id is None else before_event_id + text_of(event_id),
                b"" if sequence is None else b"%b%b%d%b" % (before_sequence, quote, sequence, quote),
                seen, source, destination, said, told, shown, b"" if tail_of is None else tail_of(message),
            )
        )  # fmt: skip
        return line if len(line) <= longest else cut(line)

    return write


class _Shared:
    """What many events share, written once to be kept: the pairs of their sort and of their sensor."""

    def __init__(self, own: Own, style: Style, header: Header | None) -> None:
        self._begin = {name: f"{style.before}{style.begin(key)}" for name, key in own.keys.items()}
        self._begin["id"] = f"{style.first}{style.begin(own.keys['id'])}"
        self.before = {name: begin.encode() for name, begin in self._begin.items()}
        self._catalogue, self._style, self._header = own.catalogue, style, header
        self._extra = b"".join(
            [self._pair(f"{style.before}{style.begin(key)}", as_text(value)) for key, value in own.extra.items()]
        )

    def sort(self, sort: Sort) -> tuple[bytes, bytes, bytes]:
        """What begins the header, what ends it together with the style's head, and the pairs."""
        kind, origin, code, category, severity = sort
        level = self._style.severity(severity)
        start, topic = (self._header.start(severity), self._header.topic(kind, code)) if self._header else ("", "")
        pairs = self._extra + self._all(
            kind=KIND_NAMES[kind],
            origin=origin.name.lower(),
            alertCode=code,
            alertTitle=None if code is None else self._catalogue.title(code),
            categoryId=None if category is None else str(category),
            category=self._catalogue.category(kind, category),
            severity=None if level is None else str(level),
        )
        return start.encode(), f"{topic}{self._style.head(sort)}".encode(), pairs

    def sensor(self, sensor: tuple[int, int, SensorNames]) -> tuple[bytes, bytes]:
        """The host in the header, and the pairs."""
        company, uid, names = sensor
        host = self._header.host(names.serial) if self._header else ""
        return host.encode(), self._all(
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
