"""The two headers of syslog, and any format behind one of them, so that a syslog receiver knows what it gets.

Pure. CEF and LEEF are lines that travel as syslog messages; JSON can, and then a receiver parses no brace as a header.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from eventgate.errors import spelled
from eventgate.event import KIND_NAMES, Event, Kind, SensorNames
from eventgate.formats import Format
from eventgate.formats.kept import Kept, encoded
from eventgate.formats.severity import severity_of
from eventgate.formats.text import ascii_name
from eventgate.formats.times import thousandths, to_the_second

HeaderName = Literal["rfc5424", "rfc3164", "none"]
Facility = Annotated[int, Field(ge=0, le=23)]
AppName = Annotated[
    str, AfterValidator(spelled(r"[!-~]{1,48}", "1 to 48 printable ASCII characters, none of them a blank"))
]

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_NOT_IN_A_HOST_NAME = re.compile(r"[^A-Za-z0-9._-]")


class Header(NamedTuple):
    """What stands before a line, in pieces, so that a format can keep them beside its own.

    ``start`` hangs on the severity, ``second`` and ``thousandth`` are the time, ``host`` hangs on the sensor's serial
    and ``topic`` on what the event is.
    """

    start: Callable[[int | None], str]
    second: Callable[[int], str]
    thousandth: str
    host: Callable[[str], str]
    topic: Callable[[Kind, str | None], str]

    def before(self, encode: Format) -> Format:
        """Any format behind this header."""
        starts, hosts = Kept(encoded(self.start)), Kept(encoded(self.host))
        topics: Kept[tuple[Kind, str | None], bytes] = Kept(lambda sort: self.topic(*sort).encode())
        seconds, fractions, join = Kept(encoded(self.second)), thousandths(self.thousandth), b"".join

        def write(event: Event, names: SensorNames) -> bytes:
            at = event.timestamp
            return join(
                (
                    starts[event.severity], seconds[at // 1000], fractions[at % 1000],
                    hosts[names.serial], topics[event.kind, event.code], encode(event, names),
                )
            )  # fmt: skip

        return write


def rfc5424_header(facility: int, app_name: str, then: str = "- ") -> Header:
    """RFC 5424, section 6.2: ``<PRI>1 TIMESTAMP HOSTNAME APP-NAME - MSGID``, a blank, and what comes ``then``."""

    def topic(kind: Kind, code: str | None) -> str:
        return f"{ascii_name(code if kind is Kind.ALERT else KIND_NAMES[kind], 32, _NOT_PRINTABLE)} {then}"

    return Header(
        start=lambda severity: f"{_pri(facility, severity)}1 ",
        second=to_the_second,
        thousandth=".{:03d}Z",
        host=lambda serial: f" {ascii_name(serial, 255, _NOT_PRINTABLE)} {app_name} - ",
        topic=topic,
    )


def rfc3164_header(facility: int, tag: str = "") -> Header:
    """RFC 3164, section 4.1: ``<PRI>TIMESTAMP HOSTNAME``, a blank and the tag.

    Without a tag, what follows begins with its own name and a colon, as a tag does, or with a brace. The host is one
    that the guessing parsers of this header take for one.
    """
    return Header(
        start=lambda severity: _pri(facility, severity),
        second=_bsd_time,
        thousandth="",
        host=lambda serial: f" {ascii_name(serial, 255, _NOT_IN_A_HOST_NAME)} {tag}",
        topic=lambda _kind, _code: "",
    )


def _pri(facility: int, severity: int | None) -> str:
    return f"<{facility * 8 + severity_of(severity).syslog}>"


def _bsd_time(second: int) -> str:
    """``Nov  1 09:05:00``, in UTC (RFC 3164, section 4.1.2): no year, no zone, the day padded with a blank."""
    at = datetime.fromtimestamp(second, UTC)
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[at.month * 3 - 3 : at.month * 3]
    return f"{month} {at.day:2} {at:%H:%M:%S}"


@dataclass(frozen=True)
class SyslogHeader:
    """The header before a format that has none of its own; ``facility`` 16 is local0."""

    header: HeaderName
    facility: Facility = 16
    app_name: AppName = "eventgate"

    def pieces(self) -> Header | None:
        if self.header == "none":
            return None
        if self.header == "rfc3164":
            return rfc3164_header(self.facility)
        return rfc5424_header(self.facility, self.app_name)
