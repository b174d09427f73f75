"""The only writer of events: writes that wait are committed together, in groups, on a few connections.

A group forms while the one before it is being committed, so nothing ever waits for a timer. Touches PostgreSQL.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

import asyncpg
import structlog

from eventgate.clock import Clock
from eventgate.errors import CallerError, EventGateError, Unavailable
from eventgate.event import Event
from eventgate.journal.announce import Announcer
from eventgate.journal.commit import Committer, Contended
from eventgate.journal.group import Group
from eventgate.journal.outcome import Appended
from eventgate.journal.recent import Recent
from eventgate.journal.rows import Row, pack
from eventgate.telemetry import COMMIT_EVENTS, COMMIT_SECONDS, JOURNAL_BACKLOG

# What PostgreSQL says to rows that it cannot hold; everything else it may say is not the caller's fault.
_REFUSALS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)

_log = structlog.get_logger()

_PACKED_AT_ONCE = 500  # events, about 2 ms: the loop serves others in between


class _Write(NamedTuple):
    rows: Sequence[Row]
    size: int
    fate: asyncio.Future[Appended]


class Appender:
    """Append writes to the journal; use it as an asynchronous context manager.

    ``connections`` commit side by side: over all processes two are best. A group holds whole writes, about
    ``group_events`` and ``group_bytes`` at most. ``patience`` is how many seconds of an outage a write sits out.
    """

    def __init__(
        self, url: str, clock: Clock, *, connections: int,
        group_events: int = 2_000, group_bytes: int = 2 << 20, patience: float = 4.0,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._committers = [Committer(url, clock, patience=patience) for _ in range(connections)]
        self._announcer = Announcer(url)
        self._group_events = group_events
        self._group_bytes = group_bytes
        self._recent = Recent()
        self._waiting: deque[_Write] = deque()
        self._backlog = 0
        self._idle: deque[asyncio.Future[None]] = deque()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Connect. Raises Unavailable("storage-unavailable") where the database is away."""
        for committer in self._committers:
            await committer.connect()
        self._announcer.start()
        self._tasks = [asyncio.create_task(self._run(committer)) for committer in self._committers]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit what waits, then disconnect."""
        self._closing = True
        self._wake()
        await asyncio.gather(*self._tasks)
        for committer in self._committers:
            await committer.close()
        await self._announcer.close()

    @property
    def backlog(self) -> int:
        """Events that wait for their commit, or are in the middle of it."""
        return self._backlog

    async def append(self, events: Sequence[Event]) -> Appended:
        """Store what is new of one write, whole, and return once it is committed.

        Raises Unavailable("storage-unavailable"): then nothing is acknowledged, and sending it again is safe.
        Raises CallerError (422, ``not-storable``) where PostgreSQL refuses one of the events.
        """
        if not events:
            return Appended([], None)
        if self._closing:
            raise Unavailable("storage-unavailable", "EventGate is stopping. Try again shortly.")
        rows = pack(events[:_PACKED_AT_ONCE])
        for start in range(_PACKED_AT_ONCE, len(events), _PACKED_AT_ONCE):
            await asyncio.sleep(0)
            rows += pack(events[start : start + _PACKED_AT_ONCE])
        write = _Write(rows, sum([len(row.tail) for row in rows]), asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        self._count(len(rows))
        self._wake()
        return await write.fate

    async def _run(self, committer: Committer) -> None:
        while True:
            while not self._waiting:
                if self._closing:
                    return
                idle = asyncio.get_running_loop().create_future()
                self._idle.append(idle)
                await idle
            await self._store(committer, self._take())

    def _take(self) -> list[_Write]:
        """The next writes in their order, as many as make a group, one at least."""
        taken: list[_Write] = []
        events = size = 0
        while self._waiting:
            events += len(self._waiting[0].rows)
            size += self._waiting[0].size
            if taken and (events > self._group_events or size > self._group_bytes):
                break
            taken.append(self._waiting.popleft())
        return taken

    async def _store(self, committer: Committer, writes: Sequence[_Write]) -> None:
        """Commit some writes together and tell each its fate."""
        group = Group([write.rows for write in writes], self._recent)
        started = self._clock.monotonic()
        try:
            await committer.commit(group)
        except Contended as error:
            self._settle(writes, error)
            return
        except Unavailable as error:  # whoever waits would only learn the same, later
            self._settle(writes, error)
            self._settle(self._waiting, error)
            self._waiting.clear()
            return
        except _REFUSALS as error:
            if len(writes) == 1:
                detail = f"The database cannot hold one of these events: {type(error).__name__}."
                self._settle(writes, CallerError(422, "not-storable", detail))
                return
            # One event that PostgreSQL refuses must not fail the writes of others: find whose it is.
            middle = len(writes) // 2
            await self._store(committer, writes[:middle])
            await self._store(committer, writes[middle:])
            return
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not leave writes waiting for ever
            _log.exception("append failed")
            unexpected = Unavailable("storage-unavailable", "The write failed inside EventGate; nothing is certain.")
            unexpected.__cause__ = error
            self._settle(writes, unexpected)
            return
        if group.new:
            COMMIT_SECONDS.observe(self._clock.monotonic() - started)
            COMMIT_EVENTS.observe(len(group.new))
            self._recent.remember(group.new)
            self._announcer.announce()
        self._count(-sum([len(write.rows) for write in writes]))
        for write, appended in zip(writes, group.outcomes(), strict=True):
            if not write.fate.done():  # its caller may have gone
                write.fate.set_result(appended)

    def _settle(self, writes: Sequence[_Write] | deque[_Write], error: EventGateError) -> None:
        """Fail some writes; each waiter gets an error of its own, for a traceback grows with each that raises it."""
        for write in writes:
            self._count(-len(write.rows))
            if not write.fate.done():
                write.fate.set_exception(_copy(error))

    def _wake(self) -> None:
        """One idle committer for one write; all of them in the end."""
        while self._idle:
            idle = self._idle.popleft()
            idle.set_result(None)
            if not self._closing:
                return

    def _count(self, events: int) -> None:
        self._backlog += events
        JOURNAL_BACKLOG.inc(events)


def _copy(error: EventGateError) -> EventGateError:
    if isinstance(error, CallerError):
        copied: EventGateError = CallerError(error.status, error.code, error.detail)
    else:
        assert isinstance(error, Unavailable)
        copied = Unavailable(error.code, error.detail, error.retry_after)
    copied.__cause__ = error.__cause__
    return copied
