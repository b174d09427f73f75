"""Moments as people write them: ``YYYY-MM-DD HH:mm`` in UTC, with seconds or without, or RFC 3339.

Pure. Milliseconds since the epoch, UTC; finer digits are cut off, as they are from an event's own timestamp.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_PLAIN = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?", re.ASCII)
# RFC 3339, section 5.6; a blank may stand for the T, and for the plus that a query string turned into one.
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+\- ])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

EXPECTED = "a date like 2025-05-13 16:11 or 2025-05-13 16:11:30.5 (UTC), or RFC 3339 like 2025-05-13T16:11:00.000Z"


class Span(NamedTuple):
    """What a written moment stands for: from ``start`` up to, not including, ``end``."""

    start: int
    end: int


def parse_instant(text: str) -> Span | None:
    """Read a moment; None where it is neither form or names no day of the calendar.

    The plain form stands for the whole of what its last digit counts, a minute or a second say; RFC 3339 for a
    millisecond.
    """
    if found := _PLAIN.fullmatch(text):
        *clock, second, fraction = found.groups()
        start = _milliseconds([*clock, second or "00"], fraction)
        unit = 60_000 if second is None else 1000 // 10 ** min(len(fraction or ""), 3)
        return None if start is None else Span(start, start + unit)
    if not (found := _RFC3339.fullmatch(text)):
        return None
    *clock, fraction, sign, hours, minutes = found.groups()
    start = _milliseconds(clock, fraction)
    if start is None or (hours is not None and (int(hours) > 23 or int(minutes) > 59)):
        return None
    start -= (int(hours or 0) * 60 + int(minutes or 0)) * 60_000 * (-1 if sign == "-" else 1)
    return Span(start, start + 1)


def _milliseconds(clock: Sequence[str], fraction: str | None) -> int | None:
    """Milliseconds since the epoch of year, month, day, hour, minute and second, and a second's digits, all in UTC."""
    *parts, second = (int(part) for part in clock)
    leap = second == 60  # RFC 3339, section 5.7: a leap second counts as the first of the next minute
    try:
        whole = datetime(*parts, 59 if leap else second, tzinfo=UTC)  # type: ignore[arg-type, misc]  # see clock
    except ValueError:
        return None
    return (whole - _EPOCH) // _MILLISECOND + 1000 * leap + int(((fraction or "") + "000")[:3])
