"""The two headers of syslog, and any format behind one of them, so that a syslog receiver knows what it gets.

Pure. CEF and LEEF are lines that travel as syslog messages; JSON can, and then a receiver parses no brace as a header.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, SensorNames
from eventgate.formats import Format
from eventgate.formats.kept import Kept
from eventgate.formats.severity import severity_of
from eventgate.formats.text import ascii_name
from eventgate.formats.times import seconds, thousandths

HeaderName = Literal["rfc5424", "rfc3164", "none"]
Facility = Annotated[int, Field(ge=0, le=23)]
AppName = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,48}$")]

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_NOT_IN_A_HOST_NAME = re.compile(r"[^A-Za-z0-9._-]")
_ALERT = Kind.ALERT


_Sort = tuple[Kind, str | None, int | None]


def rfc5424_header(facility: int, app_name: str, then: str) -> Format:
    """RFC 5424, section 6.2: ``<PRI>1 TIMESTAMP HOSTNAME APP-NAME - MSGID``, a blank, and what comes ``then``."""

    def sort(sort: _Sort) -> tuple[bytes, bytes]:
        kind, code, severity = sort
        known_by = code if kind is _ALERT else KIND_NAMES[kind]
        message_id = ascii_name(known_by, 32, _NOT_PRINTABLE)
        return f"{_pri(facility, severity)}1 ".encode(), f"{message_id} {then}".encode()

    def host(serial: str) -> bytes:
        return f" {ascii_name(serial, 255, _NOT_PRINTABLE)} {app_name} - ".encode()

    sorts, hosts, second, fraction, join = Kept(sort), Kept(host), seconds(), thousandths(), b"".join

    def write(event: Event, names: SensorNames) -> bytes:
        at = event.timestamp
        pri, message_id = sorts[event.kind, event.code, event.severity]
        return join((pri, second[at // 1000], fraction[at % 1000], hosts[names.serial], message_id))

    return write


def rfc3164_header(facility: int, tag: str = "") -> Format:
    """RFC 3164, section 4.1: ``<PRI>TIMESTAMP HOSTNAME``, a blank and the tag.

    Without a tag, what follows begins with its own name and a colon, as a tag does, or with a brace.
    """

    def host(serial: str) -> bytes:
        """A host name that the guessing parsers of RFC 3164 take for one."""
        return f" {ascii_name(serial, 255, _NOT_IN_A_HOST_NAME)} {tag}".encode()

    def pri(severity: int | None) -> bytes:
        return _pri(facility, severity).encode()

    pris, hosts, join = Kept(pri), Kept(host), b"".join

    def write(event: Event, names: SensorNames) -> bytes:
        return join((pris[event.severity], _bsd_times[event.timestamp // 1000], hosts[names.serial]))

    return write


def _pri(facility: int, severity: int | None) -> str:
    return f"<{facility * 8 + severity_of(severity).syslog}>"


def _bsd_time(second: int) -> bytes:
    """``Nov  1 09:05:00``, in UTC (RFC 3164, section 4.1.2): no year, no zone, the day padded with a blank."""
    at = datetime.fromtimestamp(second, UTC)
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[at.month * 3 - 3 : at.month * 3]
    return f"{month} {at.day:2} {at:%H:%M:%S}".encode()


_bsd_times = Kept(_bsd_time)


@dataclass(frozen=True)
class SyslogHeader:
    """The header before a format that has none of its own; ``facility`` 16 is local0."""

    header: HeaderName
    facility: Facility = 16
    app_name: AppName = "eventgate"

    def before(self, encode: Format) -> Format:
        """The same format behind this header."""
        if self.header == "none":
            return encode
        if self.header == "rfc3164":
            header = rfc3164_header(self.facility)
        else:
            header = rfc5424_header(self.facility, self.app_name, "- ")
        return lambda event, names: header(event, names) + encode(event, names)
