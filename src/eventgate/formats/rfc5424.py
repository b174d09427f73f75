"""One event as a syslog message (RFC 5424): the sensor as host, the alert code as message id, the rest as one element.

Pure. What a sensor relays may be hostile: names lose what their field does not allow, control characters become visible
pictures, and only the three characters that RFC 5424 escapes are escaped.
"""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import Field, NonNegativeInt, StringConstraints
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, Origin, SensorNames
from eventgate.formats.times import rfc3339

_SEVERITY = (6, 6, 6, 5, 5, 5, 4, 3, 2, 2, 1)
"""Syslog's severity (0 is worst) for ours (10 is worst)."""
_INFORMATIONAL = 6

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BLANKS = bytes.maketrans(b"\t\r\n", b"   ")
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
        alert = event.kind is Kind.ALERT
        severity = _INFORMATIONAL if event.severity is None else _SEVERITY[event.severity]
        kind = KIND_NAMES[event.kind]
        element = [
            f'[eventgate@{self.enterprise} id="{event.id}" companyId="{event.company}" edgeId="{event.sensor}"',
            f' serial="{_value(names.serial)}" kind="{kind}" receivedAt="{rfc3339(event.received)}"',
        ]
        if names.name is not None:
            element.append(f' edgeName="{_value(names.name)}"')
        if event.code is not None:
            element.append(f' alertCode="{_value(event.code)}"')
        if event.category is not None:
            element.append(f' categoryId="{event.category}"')
        if event.severity is not None:
            element.append(f' severity="{event.severity}"')
        if event.event_id is not None:
            element.append(f' eventId="{_value(event.event_id)}"')
        if event.sequence is not None:
            element.append(f' sequence="{event.sequence}"')
        if event.origin is Origin.SYSTEM:
            element.append(' origin="system"')
        if len(event.data) <= self.data_octets:
            element.append(f' data="{_value(_one_line(event.data))}"]')
        else:
            element.append(f' dataOctets="{len(event.data)}"]')
        header = (
            f"<{self.facility * 8 + severity}>1 {rfc3339(event.timestamp)} {_identifier(names.serial, 255)}"
            f" {self.app_name} - {_identifier(event.code if alert else kind, 32)} "
        )
        return (header + "".join(element) + _message(event.message)).encode()


def _one_line(data: bytes) -> str:
    """JSON text on one line: outside its strings a line break or a tab is blank space, inside it cannot stand bare."""
    return data.translate(_BLANKS).decode()


def _message(text: str | None) -> str:
    """MSG (section 6.4): a byte order mark announces UTF-8; plain ASCII needs none, and many receivers show it."""
    if not text:
        return ""
    shown = _visible(text)
    return f" {shown}" if shown.isascii() else f" {_BOM}{shown}"
