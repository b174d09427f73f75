"""The port of every transport: what the delivery loop hands over, and what it wants to hear back.

Touches nothing; the modules beside it move bytes, each over one kind of network. The loop owns everything else:
filter, format, retry, backoff, splitting down to the one bad event, dead letters, the cursor.

Three verbs. ``open`` makes the connection and says where to go on. ``deliver`` hands over one window and returns when
its fate is known. ``close`` lets go, quickly, whatever state the receiver is in. The loop calls one at a time, but for
``deliver`` where the transport's limits ask for several windows at once. ``probe``, for the configuration check alone,
asks whether the receiver answers.

What went wrong is said by raising: ``Disconnected`` (closed, opened again after a backoff, resumed from the cursor),
``Deferred`` (the same window again later), ``Refused`` (some event of this window will never be taken; the loop closes,
opens, and halves the window until one event is left, which becomes a dead letter), ``Gone`` (disabled until somebody
resumes the sink), ``CursorLost``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from eventgate.errors import DeliveryError, EventGateError
from eventgate.event import Event, SensorNames
from eventgate.journal.cursors import Cursor, Lane, Standing


class Outgoing(NamedTuple):
    """One event as it leaves, filtered and formatted, and its place in the journal.

    ``replay`` marks an event that an operator asked to have delivered again. A test event is at position 0, where the
    journal has none.
    """

    event: Event
    names: SensorNames
    place: Cursor
    body: bytes
    replay: bool = False


class Window(NamedTuple):
    """What one call of ``deliver`` carries, in journal order, and how far the sink has come once it is delivered.

    All of it is of one ``lane``; ``upto`` is where both lanes stand then, every event counted as delivered. ``events``
    may be empty: then there is only progress to keep (events left out by the filter, a dead letter, or the reminder
    that a sink without news still lives); the loop sends empty windows to transports that keep progress, and to no
    others.
    """

    events: Sequence[Outgoing]
    upto: Standing
    lane: Lane = Lane.LIVE


class Refusal(NamedTuple):
    """The receiver will never take the event with this number in the window (0 the first); its reason, in its words."""

    number: int
    reason: str


class Receipt(NamedTuple):
    """What the receiver said of a window, for whoever asks later where an event went: ``told``, as JSON can hold it.

    Three members are told of each event by itself. ``transaction`` is the number of the window's first event, and the
    others follow it one by one. ``requests`` are [number of its first event, what was said] of each request that the
    window went out in. ``offsets`` are, by partition, [how many of the window's records there stand before, the offset
    of the first] of each batch, and ``slots`` the partition of every finished event.
    """

    told: Mapping[str, Any]
    slots: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """The fate of a window: its first ``finished`` events are done, ``refused`` names those of them nobody took.

    ``failure`` says why the rest is not done, as if it had been raised; None when the window is finished whole.
    ``receipt`` None: the receiver said nothing.
    """

    finished: int
    refused: Sequence[Refusal] = ()
    failure: DeliveryError | None = None
    receipt: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest window a transport likes, and the longest body it can carry at all (None: any length).

    ``windows``: how many it likes to have at once, so that the next is on its way while the answers to the one before
    come in. They are handed over in journal order, and so they are counted: once one has failed, those after it are
    delivered again, and the transport begins nothing more. A transport that keeps the progress takes one at a time.
    """

    events: int
    bytes: int
    event_bytes: int | None = None
    windows: int = 1


class CursorLost(EventGateError):
    """The receiver kept the progress and has it no more, or has one that does not match this journal.

    Only an operator can say where to go on: by a rewind, which opens the transport again in the next generation.
    """


class Transport(Protocol):
    """One destination."""

    guarantee: str
    """``exactly once``, ``confirmed``, ``written`` or ``best effort``: shown wherever the sink is."""

    limits: Limits

    keeps_progress: bool
    """True: each ``deliver`` stores ``window.upto`` at the receiver in the same atom as the events, all or nothing;
    it then raises ``Refused`` rather than naming refusals, and gets an empty window at least every few hours."""

    keeper: str | None
    """Who keeps the progress, by name, for a transport that has it kept at the receiver; None: the database does."""

    async def open(self, kept: Standing) -> Standing:
        """Connect, and return where to go on from.

        ``kept`` is what the database holds: the truth, unless the transport keeps progress itself. Such a transport
        fences its rivals first, then reads what it kept and returns that, with two exceptions: a ``kept`` of a later
        generation wins and is stored at the receiver at once, and where nothing was ever delivered (``kept`` at the
        journal's beginning, nothing at the receiver) the beginning is. Anything else that does not match raises
        ``CursorLost``, unless the progress had another keeper since: then what is later counts.
        Raises ``Disconnected`` when the receiver cannot be reached.
        """
        ...

    async def deliver(self, window: Window) -> Delivery:
        """Hand over the window and wait for its fate. May be cancelled; the loop then closes the transport."""
        ...

    async def probe(self) -> None:
        """Reach the receiver and let go again, disturbing no loop that may be running. Raises ``Disconnected``."""
        ...

    async def close(self) -> None:
        """Let go of everything within about three seconds. Never raises; may be called twice, or before ``open``."""
        ...
