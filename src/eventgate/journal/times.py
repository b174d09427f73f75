"""Milliseconds since the epoch to and from the timestamps that PostgreSQL speaks.

Pure. Integer arithmetic throughout: a float would lose a millisecond here and there.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def ms_of(moment: datetime) -> int:
    """Milliseconds since the epoch, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def timestamp_of(ms: int) -> datetime:
    """The moment so many milliseconds after the epoch."""
    return _EPOCH + ms * _MILLISECOND
