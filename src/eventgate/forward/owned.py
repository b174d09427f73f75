"""One sink in a running process: its delivery loop, as long as the process owns the cursor, until it is stopped.

Touches the sink's cursor and its state. A loop that fails in a way nobody foresaw is logged and begun again: it harms
no other.
"""

import asyncio
from contextlib import suppress
from typing import NamedTuple

import structlog

from eventgate.background import end
from eventgate.clock import Clock
from eventgate.errors import Unavailable
from eventgate.forward.allowance import Allowance
from eventgate.forward.backoff import Backoff
from eventgate.forward.beginning import begin
from eventgate.forward.desk import Desk
from eventgate.forward.drafts import Drafts
from eventgate.forward.inbox import Inbox
from eventgate.forward.keeping import Keeping, Unsure
from eventgate.forward.loop import DeliveryLoop
from eventgate.forward.pages import Pages
from eventgate.forward.plan import History, Plan
from eventgate.forward.previewing import Previewing
from eventgate.forward.receipts import Receipts
from eventgate.journal.cursors import Cursors, NotOwner, Ownership
from eventgate.journal.reading import Journal
from eventgate.journal.tail import Tail
from eventgate.sensors.directory import Directory
from eventgate.sinks.dead_letters import DeadLetters
from eventgate.sinks.definition import State, reader
from eventgate.sinks.deliveries import Deliveries
from eventgate.sinks.generations import Generations
from eventgate.sinks.requests import Requests
from eventgate.sinks.store import SinkStore

LEASE_SECONDS = 15.0
STOP_SECONDS = 10.0
"""What a loop gets to come to an end by itself."""

_log = structlog.get_logger()


class Stores(NamedTuple):
    """What the loops read and write: one of each in a process."""

    journal: Journal
    tail: Tail
    pages: Pages
    cursors: Cursors
    directory: Directory
    sinks: SinkStore
    generations: Generations
    requests: Requests
    letters: DeadLetters
    deliveries: Deliveries


class OwnedSink:
    """Runs from ``start`` to ``stop``. ``inbox`` is there while the loop is."""

    def __init__(self, plan: Plan, history: History, stores: Stores, clock: Clock, *, owner: str) -> None:
        self.plan = plan
        self.inbox: Inbox | None = None
        self._history = history
        self._stores = stores
        self._clock = clock
        self._owner = owner
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._look_after(), name=self.plan.name)

    async def stop(self) -> None:
        """Let the loop bring what is under way to an end and save its cursor; it is over when this returns."""
        self._stopping.set()
        if self.inbox is not None:
            self.inbox.stop()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_SECONDS)
            await end(self._task)

    async def _look_after(self) -> None:
        """Own the sink's cursor and run its loop, again and again."""
        backoff, name, stores = Backoff(), self.plan.name, self._stores
        while not self._stopping.is_set():
            try:
                await begin(self.plan.definition, stores.cursors, stores.generations, stores.journal, self._clock)
                claimed = await stores.cursors.claim(reader(name), self._owner, LEASE_SECONDS)
                if claimed is None:
                    await self._pause(LEASE_SECONDS / 3)
                    continue
                mine, standing = claimed
                receipts = Receipts(name, stores.deliveries, self._clock)
                kept_by = await stores.cursors.kept_by(mine)
                keeping = Keeping(stores.cursors, mine, standing, self._clock, receipts, kept_by)
                inbox = Inbox(resting=(await stores.sinks.resting([name])).get(name))
                self.inbox = inbox
                if self._stopping.is_set():
                    inbox.stop()
                stores.pages.join(self.plan)
                try:
                    await self._while_owned(self._loop(keeping, inbox), mine)
                finally:
                    stores.pages.leave(self.plan)
                await stores.sinks.set_state(name, State.STOPPED, None)
                await stores.cursors.release(mine)
            except NotOwner as lost:
                _log.warning("sink taken over", sink=name, reason=str(lost))
            except (Unavailable, Unsure) as away:
                _log.warning("sink waits for the database", sink=name, reason=str(away))
                await self._pause(backoff.next())
            except Exception as error:  # noqa: BLE001 - one sink's surprise must not end the others
                _log.exception("delivery loop failed", sink=name)
                with suppress(Unavailable):
                    await stores.sinks.set_state(name, State.RETRYING, f"{type(error).__name__}: {error}")
                await self._pause(backoff.next())
            finally:
                self.inbox = None

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _loop(self, keeping: Keeping, inbox: Inbox) -> DeliveryLoop:
        plan, stores = self.plan, self._stores
        transport = plan.make(self._history._replace(kept_by=keeping.kept_by), self._clock)
        return DeliveryLoop(
            plan.name,
            transport,
            lambda lane: Drafts(plan, transport.limits, stores.tail, stores.pages, lane),
            keeping,
            allowance=Allowance(plan.definition.replay_events_per_second, self._clock),
            letters=stores.letters,
            desk=Desk(
                plan,
                keeping,
                store=stores.sinks,
                generations=stores.generations,
                requests=stores.requests,
                journal=stores.journal,
                tail=stores.tail,
                previewing=Previewing(plan, transport.limits, stores.journal, stores.directory),
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
