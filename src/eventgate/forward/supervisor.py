"""All sinks of a process: which run, and what each is asked. Sinks come, change and go alone.

Touches the tables of sinks; the loops themselves are looked after in ``owned``.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

from eventgate.background import Background, periodically
from eventgate.clock import Clock
from eventgate.errors import Unavailable
from eventgate.forward.owned import OwnedSink, Stores
from eventgate.forward.plan import History, Plan
from eventgate.sinks.definition import SinkDefinition

_LOOK_SECONDS = 1.0


class Moves(NamedTuple):
    """What a new configuration means for the sinks that run: names, each list in its order."""

    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]


class Supervisor(Background):
    """An async context manager: loops run while it is entered, and drain when it is left.

    ``owner`` names the installation: a restart of the same takes its cursors over at once.
    """

    def __init__(self, plans: Sequence[Plan], stores: Stores, clock: Clock, *, owner: str) -> None:
        self._plans = plans
        self._stores = stores
        self._clock = clock
        self._owner = owner
        self._history: History | None = None
        self._sinks: dict[str, OwnedSink] = {}
        self._changing = asyncio.Lock()
        self._nudged = asyncio.Event()

    def wake(self, _payload: str = "") -> None:
        """Look for requests now: for whoever listens on the channel ``eventgate_sinks``."""
        self._nudged.set()

    async def __aenter__(self) -> Self:
        self._history = History(await self._stores.journal.id(), self._stores.journal.digest_at)
        await self.reconfigure(self._plans)
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._changing:
            await asyncio.gather(*(sink.stop() for sink in self._sinks.values()))
        await super().__aexit__(kind, error, trace)

    async def reconfigure(self, plans: Sequence[Plan]) -> Moves:
        """Make these the sinks that run: what is new starts, what differs starts anew from its cursor, what is gone
        stops, and nothing else is touched. Raises Unavailable where the database is away: then nothing has changed.
        """
        assert self._history is not None, "enter first"
        async with self._changing:
            wanted = {plan.name: plan for plan in plans}
            moves = _moves(self._sinks, wanted)
            await self._stores.sinks.configure([(plan.definition, plan.guarantee) for plan in plans])
            leaving = [self._sinks.pop(name) for name in (*moves.changed, *moves.removed)]
            await asyncio.gather(*(sink.stop() for sink in leaving))
            for name in (*moves.added, *moves.changed):
                sink = OwnedSink(wanted[name], self._history, self._stores, self._clock, owner=self._owner)
                self._sinks[name] = sink
                sink.start()
        return moves

    @property
    def definitions(self) -> Sequence[SinkDefinition]:
        """What runs at the moment."""
        return [sink.plan.definition for sink in self._sinks.values()]

    async def _run(self) -> None:
        await periodically(self._bring_requests, every=0, what="bringing requests to sinks")

    async def _bring_requests(self) -> None:
        """To each loop what is wanted of it, when told to look and once a second."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nudged.wait(), _LOOK_SECONDS)
        self._nudged.clear()
        with suppress(Unavailable):
            names = [name for name, sink in self._sinks.items() if sink.inbox is not None]
            resting = await self._stores.sinks.resting(names)
            requests = await self._stores.requests.waiting(names)
            inboxes = {name: sink.inbox for name, sink in self._sinks.items() if sink.inbox is not None}
            for name in names:
                if name in inboxes:
                    inboxes[name].rest(resting.get(name))
            for request in requests:
                if (found := inboxes.get(request.sink)) is not None:
                    found.put(request)


def _moves(running: dict[str, OwnedSink], wanted: dict[str, Plan]) -> Moves:
    return Moves(
        added=[name for name in wanted if name not in running],
        changed=[
            name
            for name, plan in wanted.items()
            if name in running and running[name].plan.definition != plan.definition
        ],
        removed=[name for name in running if name not in wanted],
    )
