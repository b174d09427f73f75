"""Milliseconds since the epoch as RFC 3339 text in UTC, quickly: neighbours share their second.

Pure.
"""

from datetime import UTC, datetime
from functools import cache, lru_cache

from eventgate.formats.kept import Kept


@lru_cache(maxsize=4096)
def to_the_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@cache
def thousandths(pattern: str = ".{:03d}Z") -> tuple[bytes, ...]:
    """The end of a time for each of a second's thousandths, and what stands behind it."""
    return tuple(pattern.format(ms).encode() for ms in range(1000))


_FRACTIONS = tuple(each.decode() for each in thousandths())


def rfc3339(ms: int) -> str:
    """``1763726400123`` becomes ``2025-11-21T12:00:00.123Z``."""
    return to_the_second(ms // 1000) + _FRACTIONS[ms % 1000]


def seconds(before: str = "") -> Kept[int, bytes]:
    """What stands before a time, and the time to the second; ``thousandths`` has the end of it."""
    return Kept(lambda second: f"{before}{to_the_second(second)}".encode())
