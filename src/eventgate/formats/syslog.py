"""The two headers of syslog, and any format behind one of them, so that a syslog receiver knows what it gets.

Pure. CEF and LEEF are lines that travel as syslog messages; JSON can, and then a receiver parses no brace as a header.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, SensorNames
from eventgate.formats import Format
from eventgate.formats.severity import severity_of
from eventgate.formats.text import ascii_name
from eventgate.formats.times import rfc3339

HeaderName = Literal["rfc5424", "rfc3164", "none"]
Facility = Annotated[int, Field(ge=0, le=23)]
AppName = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,48}$")]

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_NOT_IN_A_HOST_NAME = re.compile(r"[^A-Za-z0-9._-]")
_ALERT = Kind.ALERT


@lru_cache(4096)
def sort_of(facility: int, kind: Kind, code: str | None, severity: int | None) -> tuple[str, str]:
    """What events of one sort share: ``<PRI>``, and MSGID (RFC 5424, section 6.2.7).

    A message is known by its alert's code, or by the kind of an event that is no alert.
    """
    known_by = code if kind is _ALERT else KIND_NAMES[kind]
    return f"<{facility * 8 + severity_of(severity).syslog}>", ascii_name(known_by, 32, _NOT_PRINTABLE)


@lru_cache(4096)
def host(serial: str) -> str:
    return ascii_name(serial, 255, _NOT_PRINTABLE)


@lru_cache(4096)
def plain_host(serial: str) -> str:
    """A host name that the guessing parsers of RFC 3164 take for one."""
    return ascii_name(serial, 255, _NOT_IN_A_HOST_NAME)


@lru_cache(4096)
def bsd_time(second: int) -> str:
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

    def before(self, encode: Format) -> Format:
        """The same format behind this header."""
        if self.header == "none":
            return encode
        write = self._rfc3164 if self.header == "rfc3164" else self._rfc5424

        def with_header(event: Event, names: SensorNames) -> bytes:
            return write(event, names).encode() + encode(event, names)

        return with_header

    def _rfc5424(self, event: Event, names: SensorNames) -> str:
        pri, message_id = sort_of(self.facility, event.kind, event.code, event.severity)
        return f"{pri}1 {rfc3339(event.timestamp)} {host(names.serial)} {self.app_name} - {message_id} - "

    def _rfc3164(self, event: Event, names: SensorNames) -> str:
        """Without a tag: what follows begins with its own name and a colon, as a tag does, or with a brace."""
        pri, _ = sort_of(self.facility, event.kind, event.code, event.severity)
        return f"{pri}{bsd_time(event.timestamp // 1000)} {plain_host(names.serial)} "
