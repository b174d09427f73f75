"""What is wrong with a sink, told from how it looks now and how it looked before.

Pure. Each symptom is the code of a system alert and a sentence.
"""

from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import NamedTuple

from eventgate.journal.cursors import Cursor
from eventgate.sinks import alarms
from eventgate.sinks.definition import State
from eventgate.sinks.ledger import Ledger
from eventgate.sinks.store import SinkStatus

QUIET_MS = 10 * 60_000
"""Events that expired are news for so long after the last of them."""


_NOT_MEANT_TO_DELIVER = frozenset({State.PAUSED, State.DISABLED, State.CURSOR_LOST, State.STOPPED})


class Seen(NamedTuple):
    """What is remembered of a sink from one look to the next; times are milliseconds.

    ``stuck_since`` is when it was first seen failing without its cursor having moved since.
    """

    cursor: Cursor
    expired: int
    expired_at: int | None = None
    stuck_since: int | None = None


def recalled(sink: SinkStatus, expired: int, known: Collection[str], now: int) -> Seen:
    """What there is to remember at the first look of a process: what was noted before it, and which alarms are on."""
    return Seen(
        sink.cursor,
        expired,
        expired_at=now if alarms.EXPIRED in known else None,
        stuck_since=0 if alarms.FAILING in known else None,
    )


def seen(sink: SinkStatus, before: Seen, now: int) -> Seen:
    """Remember a look at ``sink``."""
    expired, stuck_since = sink.ledger.expired, before.stuck_since
    moved = sink.cursor != before.cursor
    if moved or sink.state in _NOT_MEANT_TO_DELIVER or (sink.state is State.RUNNING and not sink.ledger.pending):
        stuck_since = None
    elif sink.state is State.RETRYING and stuck_since is None:
        stuck_since = now
    return Seen(sink.cursor, expired, now if expired > before.expired else before.expired_at, stuck_since)


def symptoms(sink: SinkStatus, memory: Seen, now: int, *, failing_after_ms: int) -> Iterator[tuple[str, str]]:
    """Code and sentence of everything that is wrong."""
    if sink.state is State.CURSOR_LOST:
        yield alarms.CURSOR_LOST, f"nobody knows where it stands: {sink.last_error}"
    again, again_own = (None, None) if sink.replay is None else (sink.replay.ledger, sink.replay.own)
    open_ = sink.company is None  # a company hears nothing of how many events the others have
    for which, ledger, told in (
        ("ledger", sink.ledger, open_),
        ("ledger over its company's events", sink.own, True),
        ("ledger of what is delivered again", again, open_),
        ("ledger of what is delivered again of its company's events", again_own, True),
    ):
        if ledger is not None and not ledger.balances:
            yield alarms.UNBALANCED, f"the {which} does not balance: {_difference(ledger, told=told)}"
    if memory.expired_at is not None and now - memory.expired_at < QUIET_MS:
        yield alarms.EXPIRED, "events were gone before they could be delivered; it is too far behind"
    if sink.state is State.DISABLED:
        yield (
            alarms.REFUSED,
            f"its receiver wants nothing more, and it is disabled until it is resumed: {sink.last_error}",
        )
    if memory.stuck_since is not None and now - memory.stuck_since >= failing_after_ms:
        yield alarms.FAILING, f"nothing was delivered for {_worded(failing_after_ms)}: {sink.last_error}"


def _worded(ms: int) -> str:
    """A duration in the unit that a person would take."""
    for size, unit in ((3_600_000, "hours"), (60_000, "minutes"), (1_000, "seconds")):
        if ms >= 2 * size:
            return f"{round(ms / size, 1):g} {unit}"
    return f"{ms} ms"


def _difference(ledger: Ledger, *, told: bool) -> str:
    if told:
        parts = " + ".join(f"{events} {part}" for part, events in list(asdict(ledger).items())[1:])
        return f"{ledger.stored} stored, but {parts}"
    missing = ledger.stored - ledger.accounted
    return f"{missing} events are unaccounted for" if missing > 0 else f"{-missing} events are counted twice"
