"""A write on its way: what was verified, and what was found in it.

Pure.
"""

from typing import Literal, NamedTuple

from eventgate.access import Principal
from eventgate.event import Event
from eventgate.journal.rejects import Rejected
from eventgate.signing.verify import VerifiedBytes

Media = Literal["json", "ndjson"]


class Write(NamedTuple):
    """A write whose signature holds. ``coding`` says how its body is compressed, ``received`` is in milliseconds."""

    verified: VerifiedBytes
    media: Media
    coding: str | None
    principal: Principal
    received: int


class Decoded(NamedTuple):
    """What a write holds. ``indexes`` are the events' places in it; ``array`` is False where it was one lone object."""

    array: bool
    events: list[Event]
    indexes: list[int]
    rejects: list[Rejected]
