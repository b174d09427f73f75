"""Moments as people write them in a filter: ``YYYY-MM-DD HH:mm`` in UTC, or RFC 3339.

Pure. Milliseconds since the epoch, UTC; finer digits are cut off, as they are from an event's own timestamp.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_MINUTE = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d)", re.ASCII)
# RFC 3339, section 5.6; a blank may stand for the T, and for the plus that a query string turned into one.
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+\- ])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

EXPECTED = "a date like 2025-05-13 16:11 (UTC), or RFC 3339 like 2025-05-13T16:11:00.000Z"


class Span(NamedTuple):
    """What a written moment stands for: from ``start`` up to, not including, ``end``."""

    start: int
    end: int


def parse_instant(text: str) -> Span | None:
    """Read a moment; None where it is neither form or names no day of the calendar."""
    if found := _MINUTE.fullmatch(text):
        start = _milliseconds([int(part) for part in found.groups()])
        return None if start is None else Span(start, start + 60_000)
    if not (found := _RFC3339.fullmatch(text)):
        return None
    *clock, fraction, sign, hours, minutes = found.groups()
    if hours is not None and (int(hours) > 23 or int(minutes) > 59):
        return None
    parts = [int(part) for part in clock]
    leap = parts[-1] == 60  # RFC 3339, section 5.7: a leap second counts as the first of the next minute
    start = _milliseconds([*parts[:-1], 59] if leap else parts)
    if start is None:
        return None
    offset = (int(hours or 0) * 60 + int(minutes or 0)) * 60_000 * (-1 if sign == "-" else 1)
    start += 1000 * leap + int(((fraction or "") + "000")[:3]) - offset
    return Span(start, start + 1)


def _milliseconds(parts: Sequence[int]) -> int | None:
    """Milliseconds since the epoch of year, month, day, hour, minute and perhaps second, all in UTC."""
    try:
        return (datetime(*parts, tzinfo=UTC) - _EPOCH) // _MILLISECOND  # type: ignore[arg-type, misc]  # see parts
    except ValueError:
        return None
