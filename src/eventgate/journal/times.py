"""Milliseconds since the epoch to and from the timestamps that PostgreSQL speaks.

Pure. Integer arithmetic throughout: a float would lose a millisecond here and there.
"""

from datetime import UTC, datetime, timedelta
from typing import overload

from eventgate.formats.times import rfc3339

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def ms_of(moment: datetime) -> int:
    """Milliseconds since the epoch, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def timestamp_of(ms: int) -> datetime:
    """The moment so many milliseconds after the epoch."""
    return _EPOCH + ms * _MILLISECOND


@overload
def rfc3339_of(moment: datetime) -> str: ...
@overload
def rfc3339_of(moment: None) -> None: ...
def rfc3339_of(moment: datetime | None) -> str | None:
    """The moment as the wire writes it; None stays None."""
    return None if moment is None else rfc3339(ms_of(moment))
