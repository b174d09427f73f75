"""A write on its way: what was verified, what was found in it, what was not accepted of it.

Pure.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from eventgate.access import Principal
from eventgate.errors import FieldError
from eventgate.event import Event
from eventgate.signing.verify import VerifiedBytes

Media = Literal["json", "ndjson"]


class Write(NamedTuple):
    """A write whose signature holds. ``coding`` says how its body is compressed, ``received`` is in milliseconds."""

    verified: VerifiedBytes
    media: Media
    coding: str | None
    principal: Principal
    received: int


class Reject(NamedTuple):
    """An event that was not accepted: its place in the write, its text as sent, and everything wrong with it."""

    index: int  # type: ignore[assignment]  # a tuple has a method of that name, which nobody wants of a reject
    text: bytes
    problems: Sequence[FieldError]


class Decoded(NamedTuple):
    """What a write holds. ``indexes`` are the events' places in it; ``array`` is False where it was one lone object."""

    array: bool
    events: list[Event]
    indexes: list[int]
    rejects: list[Reject]
