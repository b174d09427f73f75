"""One event as a syslog message (RFC 5424): the sensor as host, the alert code as message id, the rest as one element.

Pure. What a sensor relays may be hostile: names lose what their field does not allow, control characters become visible
pictures, and only the three characters that RFC 5424 escapes are escaped.
"""

import re
from functools import lru_cache
from typing import Annotated
from uuid import UUID

from pydantic import Field, NonNegativeInt, StringConstraints
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, Origin, SensorNames
from eventgate.formats.times import rfc3339

_SEVERITY = (6, 6, 6, 5, 5, 5, 4, 3, 2, 2, 1)
"""Syslog's severity (0 is worst) for ours (10 is worst)."""
_INFORMATIONAL = 6

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BLANKS = str.maketrans("\t\r\n", "   ")
_BOM = "\ufeff"


def _picture(found: re.Match[str]) -> str:
    """U+0000 to U+001F and U+007F have pictures in Unicode's block of that name; other controls have none."""
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def _visible(text: str) -> str:
    return text if text.isprintable() else _CONTROL.sub(_picture, text)


def _name(text: str | None, longest: int) -> str:
    """A header field: printable ASCII of bounded length, or the nil value (section 6)."""
    return _NOT_PRINTABLE.sub("_", text)[:longest] if text else "-"


_identifier = lru_cache(4096)(_name)


def _value(text: str) -> str:
    """A PARAM-VALUE (section 6.3.3)."""
    return _visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


@dataclass(frozen=True, slots=True)
class Rfc5424:
    """The format with its settings.

    ``facility`` 16 is local0. ``enterprise`` is the private enterprise number behind the element's name (32473 is the
    one reserved for documentation). ``data`` travels along while its JSON text has at most ``data_octets``; a
    longer one is named by its length alone, since receivers cut long messages where they please.
    """

    facility: Annotated[int, Field(ge=0, le=23)] = 16
    app_name: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,48}$")] = "eventgate"
    enterprise: NonNegativeInt = 32473
    data_octets: NonNegativeInt = 4096

    def __call__(self, event: Event, names: SensorNames) -> bytes:
        code, severity = event.code, event.severity
        kind = KIND_NAMES[event.kind]
        syslog_severity = _INFORMATIONAL if severity is None else _SEVERITY[severity]
        element = (
            f'[eventgate@{self.enterprise} id="{_uuid(event.id)}"'
            f'{_sensor(event.company.int, event.sensor.int, names)} kind="{kind}"'
            f' receivedAt="{rfc3339(event.received)}"'
        )
        if code is not None:
            element += _param("alertCode", code)
        if event.category is not None:
            element += f' categoryId="{event.category}"'
        if severity is not None:
            element += f' severity="{severity}"'
        if event.event_id is not None:
            element += f' eventId="{_value(event.event_id)}"'
        if event.sequence is not None:
            element += f' sequence="{event.sequence}"'
        if event.origin is Origin.SYSTEM:
            element += ' origin="system"'
        if len(event.data) <= self.data_octets:
            element += f' data="{_value(_one_line(event.data))}"]'
        else:
            element += f' dataOctets="{len(event.data)}"]'
        return (
            f"<{self.facility * 8 + syslog_severity}>1 {rfc3339(event.timestamp)} {_identifier(names.serial, 255)}"
            f" {self.app_name} - {_identifier(code if event.kind is Kind.ALERT else kind, 32)}"
            f" {element}{_message(event.message)}"
        ).encode()


def _uuid(value: UUID) -> str:
    """As ``str(value)``, in half the time."""
    digits = f"{value.int:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@lru_cache(4096)
def _param(name: str, text: str) -> str:
    """A parameter whose values repeat."""
    return f' {name}="{_value(text)}"'


@lru_cache(4096)
def _sensor(company: int, sensor: int, names: SensorNames) -> str:
    """The parameters that a sensor's events share."""
    called = "" if names.name is None else f' edgeName="{_value(names.name)}"'
    return f' companyId="{UUID(int=company)}" edgeId="{UUID(int=sensor)}" serial="{_value(names.serial)}"{called}'


def _one_line(data: bytes) -> str:
    """JSON text on one line: outside its strings a line break or a tab is blank space, inside it cannot stand bare."""
    text = data.decode()
    return text if text.isprintable() else text.translate(_BLANKS)


def _message(text: str | None) -> str:
    """MSG (section 6.4): a byte order mark announces UTF-8; plain ASCII needs none, and many receivers show it."""
    if not text:
        return ""
    shown = _visible(text)
    return f" {shown}" if shown.isascii() else f" {_BOM}{shown}"
