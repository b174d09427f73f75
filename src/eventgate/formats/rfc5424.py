"""One event as a syslog message (RFC 5424): the sensor as host, the alert code as message id, the rest as one element.

Pure. What a sensor relays may be hostile: names lose what their field does not allow, control characters become visible
pictures, and only the three characters that RFC 5424 escapes are escaped.
"""

import re
from functools import lru_cache
from typing import Annotated, NamedTuple
from uuid import UUID

import orjson
from pydantic import Field, NonNegativeInt, StringConstraints
from pydantic.dataclasses import dataclass

from eventgate.event import KIND_NAMES, Event, Kind, Origin, SensorNames
from eventgate.formats.times import rfc3339

_SEVERITY = (6, 6, 6, 5, 5, 5, 4, 3, 2, 2, 1)
"""Syslog's severity (0 is worst) for ours (10 is worst)."""
_INFORMATIONAL = 6
_ALERT, _SYSTEM = Kind.ALERT, Origin.SYSTEM  # an attribute of an enumeration costs a quarter of a microsecond

_NOT_PRINTABLE = re.compile(r"[^\x21-\x7e]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BLANKS = str.maketrans("\t\r\n", "   ")
_BOM = "\ufeff"
_json = orjson.dumps


def _picture(found: re.Match[str]) -> str:
    """U+0000 to U+001F and U+007F have pictures in Unicode's block of that name; other controls have none."""
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"


def _visible(text: str) -> str:
    return text if text.isprintable() else _CONTROL.sub(_picture, text)


def _name(text: str | None, longest: int) -> str:
    """A header field: printable ASCII of bounded length, or the nil value (section 6)."""
    return _NOT_PRINTABLE.sub("_", text)[:longest] if text else "-"


def _quoted(visible: str) -> str:
    """A PARAM-VALUE (section 6.3.3) in its quotation marks.

    Of visible text JSON escapes two of the three characters and no other, in the same way, and quickly.
    """
    return _json(visible).decode().replace("]", "\\]")


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
        sort = _sort(event.kind, event.code, event.category, event.severity)
        host, sensor = _sensor(event.company.int, event.sensor.int, names)
        event_id = "" if event.event_id is None else f" eventId={_quoted(_visible(event.event_id))}"
        sequence = "" if event.sequence is None else f' sequence="{event.sequence}"'
        origin = ' origin="system"' if event.origin is _SYSTEM else ""
        if len(event.data) <= self.data_octets:
            data = f"data={_quoted(_one_line(event.data))}"
        else:
            data = f'dataOctets="{len(event.data)}"'
        return (
            f"<{self.facility * 8 + sort.severity}>1 {rfc3339(event.timestamp)} {host} {self.app_name} - {sort.id}"
            f' [eventgate@{self.enterprise} id={_json(event.id).decode()}{sensor} kind="{sort.kind}"'
            f' receivedAt="{rfc3339(event.received)}"{sort.parameters}{event_id}{sequence}{origin} {data}]'
            f"{_message(event.message)}"
        ).encode()


class _Sort(NamedTuple):
    """What events of one sort share: syslog's severity, the message id, the kind's name, and parameters."""

    severity: int
    id: str
    kind: str
    parameters: str


@lru_cache(4096)
def _sort(kind: Kind, code: str | None, category: int | None, severity: int | None) -> _Sort:
    name = KIND_NAMES[kind]
    parameters = ""
    if code is not None:
        parameters += f" alertCode={_quoted(_visible(code))}"
    if category is not None:
        parameters += f' categoryId="{category}"'
    if severity is not None:
        parameters += f' severity="{severity}"'
    syslog_severity = _INFORMATIONAL if severity is None else _SEVERITY[severity]
    return _Sort(syslog_severity, _name(code if kind is _ALERT else name, 32), name, parameters)


@lru_cache(4096)
def _sensor(company: int, sensor: int, names: SensorNames) -> tuple[str, str]:
    """A sensor as host name, and the parameters that its events share."""
    parameters = f' companyId="{UUID(int=company)}" edgeId="{UUID(int=sensor)}"'
    parameters += f" serial={_quoted(_visible(names.serial))}"
    if names.name is not None:
        parameters += f" edgeName={_quoted(_visible(names.name))}"
    return _name(names.serial, 255), parameters


def _one_line(data: bytes) -> str:
    """JSON text on one line, visible: a line break or a tab can stand bare between its tokens alone, as blank space."""
    text = data.decode()
    return text if text.isprintable() else _visible(text.translate(_BLANKS))


def _message(text: str | None) -> str:
    """MSG (section 6.4): a byte order mark announces UTF-8; plain ASCII needs none, and many receivers show it."""
    if not text:
        return ""
    shown = _visible(text)
    return f" {shown}" if shown.isascii() else f" {_BOM}{shown}"
