"""The members of an event that the gate knows, and what each may be.

Pure. One table: the quick conversion of a whole event and the sentence about a single wrong member come from it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from eventgate.errors import FieldError
from eventgate.ingest.limits import MESSAGE_CHARACTERS
from eventgate.journal.times import ms_of

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Code = Annotated[str, Meta(min_length=1, max_length=64)]


class Report(msgspec.Struct, frozen=True, gc=False):
    """What a sensor says of one event. A member that is null counts as left out; unknown ones are kept, unread.

    ``data`` is an object once ``read`` has looked.
    """

    timestamp: Annotated[datetime, Meta(tz=True)]
    id: UUID | None = None
    eventId: Name | None = None  # noqa: N815 - the wire's name
    kind: Literal["alert", "sighting", "heartbeat"] | None = None
    edgeId: UUID | None = None  # noqa: N815 - the wire's name
    serial: Name | None = None
    alertCode: Code | None = None  # noqa: N815 - the wire's name
    categoryId: Annotated[int, Meta(ge=1, le=6)] | None = None  # noqa: N815 - the wire's name
    severity: Annotated[int, Meta(ge=0, le=10)] | None = None
    message: Annotated[str, Meta(max_length=MESSAGE_CHARACTERS)] | None = None
    sequence: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)] | None = None
    data: Any = None


EXPECTED = {
    "timestamp": "an RFC 3339 date and time with its offset, such as 2026-01-31T12:00:00.000Z",
    "id": "a UUIDv7",
    "eventId": "a text of 1 to 128 characters, none of them a control character",
    "kind": '"alert", "sighting" or "heartbeat"',
    "edgeId": "a UUID",
    "serial": "a text of 1 to 128 characters, none of them a control character",
    "alertCode": "a text of 1 to 64 characters, none of them a control character",
    "categoryId": "an integer from 1 to 6",
    "severity": "an integer from 0 to 10",
    "message": f"a text of at most {MESSAGE_CHARACTERS} characters",
    "sequence": "an integer from 0 to 9223372036854775807",
    "data": "an object",
}
"""What each member may be, for a person."""

_TYPES = {field.name: field.type for field in msgspec.structs.fields(Report)} | {"data": dict[str, Any] | None}
_NAMES = ("eventId", "serial", "alertCode")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Names are compared, sorted and shown in tables: no control characters. Those are welcome in message and data."""

_EXCESS_DIGITS = re.compile(r"(\.[0-9]{6})[0-9]+")


def read(members: Mapping[str, Any]) -> Report | list[FieldError]:
    """The report, or everything that is wrong with it."""
    try:
        report = msgspec.convert(members, Report)
    except msgspec.ValidationError:
        return _wrong(members)
    plain = (
        (report.data is None or type(report.data) is dict)
        and (report.eventId is None or report.eventId.isprintable())
        and (report.alertCode is None or report.alertCode.isprintable())
        and (report.serial is None or report.serial.isprintable())
    )
    return report if plain else _wrong(members) or report


def milliseconds(report: Report, members: Mapping[str, Any]) -> int:
    """The event's time in whole milliseconds since the epoch; what is finer is cut off."""
    text: str = members["timestamp"]
    moment = report.timestamp
    if len(text) > 26 and moment.microsecond % 1000 == 0:  # digits beyond microseconds were rounded: cut them off
        moment = msgspec.convert(_EXCESS_DIGITS.sub(r"\1", text), datetime)
    return ms_of(moment)


def _wrong(members: Mapping[str, Any]) -> list[FieldError]:
    problems = []
    for name, kind in _TYPES.items():
        value = members.get(name)
        if value is None and name == "timestamp":
            problems.append(FieldError("/timestamp", "field-missing", f"timestamp is required: {EXPECTED[name]}."))
            continue
        try:
            msgspec.convert(value, kind)
            fits = value is None or name not in _NAMES or not _CONTROL.search(value)
        except msgspec.ValidationError:
            fits = False
        if not fits:
            problems.append(FieldError(f"/{name}", "field-invalid", f"{name} must be {EXPECTED[name]}."))
    return problems
