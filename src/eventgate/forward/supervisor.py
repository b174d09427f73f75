"""One delivery loop for each sink, as long as this process owns the sink's cursor; requests and measurements for all.

Touches the tables of sinks and cursors. A loop that fails in a way nobody foresaw is logged and begun again: it harms
no other.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

import structlog

from eventgate.clock import Clock
from eventgate.errors import Unavailable
from eventgate.forward.backoff import Backoff
from eventgate.forward.desk import Desk
from eventgate.forward.drafts import Drafts
from eventgate.forward.inbox import Inbox
from eventgate.forward.keeping import Keeping
from eventgate.forward.loop import DeliveryLoop
from eventgate.forward.plan import History, Plan
from eventgate.journal.cursors import Cursors, NotOwner, Ownership
from eventgate.journal.reading import Journal
from eventgate.journal.tail import Tail
from eventgate.sensors.directory import Directory
from eventgate.sinks.dead_letters import DeadLetters
from eventgate.sinks.definition import State, reader
from eventgate.sinks.requests import Requests
from eventgate.sinks.store import SinkStore
from eventgate.telemetry import JOURNAL_HEAD, SINK_LAG_EVENTS, SINK_LAG_SECONDS

LEASE_SECONDS = 15.0
_LOOK_SECONDS = 1.0
_MEASURE_SECONDS = 5.0
_STOP_SECONDS = 10.0

_log = structlog.get_logger()


class Stores(NamedTuple):
    """What the loops read and write: one of each in a process."""

    journal: Journal
    tail: Tail
    cursors: Cursors
    directory: Directory
    sinks: SinkStore
    requests: Requests
    letters: DeadLetters


class Supervisor:
    """An async context manager: loops run while it is entered, and drain when it is left.

    ``owner`` names the installation: a restart of the same takes its cursors over at once.
    """

    def __init__(self, plans: Sequence[Plan], stores: Stores, clock: Clock, *, owner: str) -> None:
        self._plans = plans
        self._stores = stores
        self._clock = clock
        self._owner = owner
        self._inboxes: dict[str, Inbox] = {}
        self._nudged = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    def wake(self, _payload: str = "") -> None:
        """Look for requests now: for whoever listens on the channel ``eventgate_sinks``."""
        self._nudged.set()

    async def __aenter__(self) -> Self:
        await self._stores.sinks.configure([(plan.definition, plan.guarantee) for plan in self._plans])
        history = History(await self._stores.journal.id(), self._stores.journal.digest_at)
        self._tasks = [asyncio.create_task(self._look_after(plan, history), name=plan.name) for plan in self._plans]
        self._tasks += [asyncio.create_task(self._bring_requests()), asyncio.create_task(self._measure())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        for inbox in self._inboxes.values():
            inbox.stop()
        loops = self._tasks[: len(self._plans)]
        if loops:
            await asyncio.wait(loops, timeout=_STOP_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look_after(self, plan: Plan, history: History) -> None:
        """Own the sink's cursor and run its loop, again and again."""
        backoff = Backoff()
        while not self._stopping:
            try:
                claimed = await self._stores.cursors.claim(reader(plan.name), self._owner, LEASE_SECONDS)
                if claimed is None:
                    await asyncio.sleep(LEASE_SECONDS / 3)
                    continue
                mine, standing = claimed
                keeping = Keeping(self._stores.cursors, mine, standing, self._clock)
                inbox = Inbox(paused=plan.name in await self._stores.sinks.paused([plan.name]))
                self._inboxes[plan.name] = inbox
                loop = self._loop(plan, history, keeping, inbox)
                await self._while_owned(loop, mine)
                await self._stores.sinks.set_state(plan.name, State.STOPPED, None)
                await self._stores.cursors.release(mine)
            except NotOwner as lost:
                _log.warning("sink taken over", sink=plan.name, reason=str(lost))
            except Unavailable as away:
                _log.warning("sink waits for the database", sink=plan.name, reason=str(away))
                await asyncio.sleep(backoff.next())
            except Exception as error:  # noqa: BLE001 - one sink's surprise must not end the others
                _log.exception("delivery loop failed", sink=plan.name)
                with suppress(Unavailable):
                    await self._stores.sinks.set_state(plan.name, State.RETRYING, f"{type(error).__name__}: {error}")
                await asyncio.sleep(backoff.next())
            finally:
                self._inboxes.pop(plan.name, None)

    def _loop(self, plan: Plan, history: History, keeping: Keeping, inbox: Inbox) -> DeliveryLoop:
        transport = plan.make(history, self._clock)
        return DeliveryLoop(
            plan.name,
            transport,
            Drafts(plan, transport.limits, self._stores.tail, self._stores.directory),
            keeping,
            letters=self._stores.letters,
            desk=Desk(
                plan,
                keeping,
                store=self._stores.sinks,
                requests=self._stores.requests,
                journal=self._stores.journal,
                clock=self._clock,
            ),
            inbox=inbox,
            clock=self._clock,
            backoff=Backoff(),
        )

    async def _while_owned(self, loop: DeliveryLoop, mine: Ownership) -> None:
        """Run the loop beside the renewal of its lease; whichever ends first ends the other."""
        running, renewing = asyncio.create_task(loop.run()), asyncio.create_task(self._renew(mine))
        try:
            await asyncio.wait([running, renewing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (running, renewing):
                task.cancel()
            outcome, renewal = await asyncio.gather(running, renewing, return_exceptions=True)
        for failure in (renewal, outcome):
            if isinstance(failure, Exception):
                raise failure

    async def _renew(self, mine: Ownership) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            with suppress(Unavailable):  # the loop notices by itself when it cannot save
                await self._stores.cursors.renew(mine, LEASE_SECONDS)

    async def _bring_requests(self) -> None:
        """To each loop what is wanted of it, when told to look and once a second."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), _LOOK_SECONDS)
            self._nudged.clear()
            with suppress(Unavailable):
                paused = await self._stores.sinks.paused(list(self._inboxes))
                requests = await self._stores.requests.waiting(list(self._inboxes))
                for name, inbox in self._inboxes.items():
                    inbox.rest(name in paused)
                for request in requests:
                    if (found := self._inboxes.get(request.sink)) is not None:
                        found.put(request)

    async def _measure(self) -> None:
        while True:
            with suppress(Unavailable):
                now = self._clock.now_ms()
                JOURNAL_HEAD.set((await self._stores.journal.head()).position)
                for sink in await self._stores.sinks.all(None):
                    SINK_LAG_EVENTS.labels(sink.name).set(sink.ledger.pending)
                    waited = 0 if sink.waiting_since is None else now - sink.waiting_since
                    SINK_LAG_SECONDS.labels(sink.name).set(max(0, waited) / 1000)
                    if not sink.ledger.balances:
                        _log.error("ledger does not balance", sink=sink.name, ledger=sink.ledger)
            await asyncio.sleep(_MEASURE_SECONDS)
