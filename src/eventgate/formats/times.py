"""Milliseconds since the epoch as RFC 3339 text in UTC, quickly: neighbours share their second.

Pure.
"""

from datetime import UTC, datetime
from functools import lru_cache

_FRACTIONS = tuple(f".{ms:03d}Z" for ms in range(1000))


@lru_cache(maxsize=4096)
def _to_the_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def rfc3339(ms: int) -> str:
    """``1763726400123`` becomes ``2025-11-21T12:00:00.123Z``."""
    return _to_the_second(ms // 1000) + _FRACTIONS[ms % 1000]
