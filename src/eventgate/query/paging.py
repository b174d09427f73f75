"""Pages of a list: what a caller asks for, and what a page says about its neighbours.

Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from eventgate.errors import CallerError, FieldError

DEFAULT_LIMIT, MAX_LIMIT = 25, 100
MAX_OFFSET = 10_000

Item = TypeVar("Item")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list, newest first. ``after`` asks for what is older than that id, ``before`` for what is newer.

    Raises CallerError 400 where the parts contradict each other.
    """

    limit: int = DEFAULT_LIMIT
    after: UUID | None = None
    before: UUID | None = None
    offset: int = 0
    exact_total: bool = False

    def __post_init__(self) -> None:
        errors = []
        if not 1 <= self.limit <= MAX_LIMIT:
            errors.append(FieldError("limit", "out-of-range", f"limit is 1 to {MAX_LIMIT}; this is {self.limit}"))
        if not 0 <= self.offset <= MAX_OFFSET:
            detail = f"offset is 0 to {MAX_OFFSET}; this is {self.offset}. Page on with startingAfter instead"
            errors.append(FieldError("offset", "out-of-range", detail))
        if self.after is not None and self.before is not None:
            errors.append(FieldError("endingBefore", "contradiction", "give startingAfter or endingBefore, not both"))
        if self.offset and (self.after is not None or self.before is not None):
            errors.append(FieldError("offset", "contradiction", "give an offset or a cursor, not both"))
        if errors:
            raise CallerError(400, "parameter-invalid", "; ".join(error.detail for error in errors), errors)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Where the next or the previous page begins: one of these is set."""

    after: UUID | None = None
    before: UUID | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page, newest first. ``complete`` is False where the search stopped at its deadline: ``next`` goes on."""

    items: Sequence[Item]
    total: int
    total_is_exact: bool
    complete: bool
    next: Neighbour | None
    previous: Neighbour | None

    def of(self, make: Callable[[Item], Other]) -> "Page[Other]":
        """The same page of what ``make`` makes of each item."""
        return Page(
            [make(item) for item in self.items],
            self.total, self.total_is_exact, self.complete, self.next, self.previous,
        )  # fmt: skip


def following(
    asked: PageRequest, ids: Sequence[UUID], *, more: bool, stopped_at: UUID | None = None
) -> Neighbour | None:
    """The next page of one that holds ``ids``. ``more`` says whether there are more the way it was searched.

    ``stopped_at`` is where a search gave up: everything up to there was looked at.
    """
    if asked.before is not None:
        return Neighbour(after=ids[-1] if ids else beside(asked.before, 1))
    if more:
        return Neighbour(offset=asked.offset + asked.limit) if asked.offset else Neighbour(after=ids[-1])
    return None if stopped_at is None else Neighbour(after=stopped_at)


def previous(
    asked: PageRequest, ids: Sequence[UUID], *, more: bool, stopped_at: UUID | None = None
) -> Neighbour | None:
    """The page before one that holds ``ids``; see ``following``."""
    if asked.offset:
        return Neighbour(offset=max(asked.offset - asked.limit, 0))
    if asked.after is not None:
        return Neighbour(before=ids[0] if ids else beside(asked.after, -1))
    if asked.before is None:
        return None
    if more:
        return Neighbour(before=ids[0])
    return None if stopped_at is None else Neighbour(before=stopped_at)


def offset_too_deep(seconds: float, found: int, offset: int) -> CallerError:
    """422: a search gave up before it had passed over as many as the offset says."""
    detail = (
        f"In {seconds:g} s this search found {found} of the {offset} matches to pass over; "
        "ask without offset and follow nextUrl."
    )
    return CallerError.of_field(422, "offset-too-deep", detail, "offset")


def beside(id_: UUID, step: int) -> UUID:
    """The id so many steps further on."""
    return UUID(int=min(max(id_.int + step, 0), (1 << 128) - 1))
