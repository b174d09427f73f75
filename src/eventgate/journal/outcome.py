"""What became of a write: an outcome for each event, and the receipt of what was new.

Pure.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple


class Status(Enum):
    """What an append did with one event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class Outcome(NamedTuple):
    """One event's fate. The place is that of its first storing; for a conflict, that of the event whose id it took.

    ``position`` counts from 1, ``index`` (in the batch) from 0.
    """

    status: Status
    position: int
    index: int  # type: ignore[assignment]  # a tuple has a method of that name, which nobody wants of an outcome


class Receipt(NamedTuple):
    """The batch that a write's new events went into, and the chain's digest with it."""

    position: int
    digest: bytes


class Appended(NamedTuple):
    """Outcomes in the caller's order; no receipt where nothing was new."""

    outcomes: Sequence[Outcome]
    receipt: Receipt | None
