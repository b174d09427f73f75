"""Looks at every sink every few seconds: metrics, the ledger of each minute, and an alarm where something is wrong.

Touches the tables of sinks. An alarm goes to the log, to the metrics, and to the journal as a system alert, once at its
beginning and once at its end.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from uuid import UUID

import structlog

from eventgate.background import Background, periodically
from eventgate.clock import Clock
from eventgate.forward.symptoms import Seen, recalled, seen, symptoms
from eventgate.forward.system_alerts import SystemAlerts
from eventgate.journal.reading import Journal
from eventgate.sinks.alarms import CODES, Alarms
from eventgate.sinks.minutes import LedgerMinutes
from eventgate.sinks.store import SinkStatus, SinkStore
from eventgate.telemetry import (
    JOURNAL_HEAD,
    SINK_ALARM,
    SINK_IMBALANCE,
    SINK_LAG_EVENTS,
    SINK_LAG_SECONDS,
    SINK_LEDGER,
)

LOOK_SECONDS = 5.0
_TIDY_LOOKS = 720
"""Looks, an hour of them, between two tidyings of the minutes."""

_log = structlog.get_logger()


class Watch(Background):
    """An async context manager: looks while it is entered.

    ``faults`` says of the sinks whose files are broken what is wrong with them, by code; ``operator`` is the company
    that hears of sinks which belong to no company.
    """

    def __init__(
        self,
        store: SinkStore,
        journal: Journal,
        alarms: Alarms,
        minutes: LedgerMinutes,
        alerts: SystemAlerts,
        *,
        clock: Clock,
        faults: Callable[[], Awaitable[Mapping[str, Mapping[str, str]]]],
        operator: Callable[[], Awaitable[UUID | None]],
        failing_minutes: float,
    ) -> None:
        self._store = store
        self._journal = journal
        self._alarms = alarms
        self._minutes = minutes
        self._alerts = alerts
        self._clock = clock
        self._faults = faults
        self._operator = operator
        self._failing_after_ms = int(failing_minutes * 60_000)
        self._memory: dict[str, Seen] = {}
        self._looks = 0

    async def _run(self) -> None:
        await periodically(self.look, every=LOOK_SECONDS, what="watching sinks")

    async def look(self) -> None:
        """Look once. Raises Unavailable."""
        now = self._clock.now_ms()
        JOURNAL_HEAD.set((await self._journal.head()).position)
        sinks = await self._store.all(None)
        faults = await self._faults()
        for sink in sinks:
            _measure(sink, now)
            await self._minutes.note(sink.name, now, sink.generation, sink.ledger, sink.own)
            await self._judge(sink, faults.get(sink.name, {}), now)
        self._forget({sink.name for sink in sinks})
        await self._alerts.append_waiting()
        if self._looks % _TIDY_LOOKS == 0:
            await self._minutes.forget(now)
        self._looks += 1

    async def _judge(self, sink: SinkStatus, faults: Mapping[str, str], now: int) -> None:
        known = {alarm.code for alarm in await self._alarms.of(sink.name)}
        before = self._memory.get(sink.name)
        if before is None:
            before = recalled(sink, await self._expired_before(sink), known, now)
        memory = self._memory[sink.name] = seen(sink, before, now)
        wrong = {**dict(symptoms(sink, memory, now, failing_after_ms=self._failing_after_ms)), **faults}
        for code in CODES:
            SINK_ALARM.labels(sink.name, code).set(code in wrong)
        for code in wrong.keys() - known:
            if await self._alarms.begin(sink.name, code, wrong[code], company=await self._whose(sink), at=now):
                _log.error("sink alarm", sink=sink.name, code=code, detail=wrong[code])
        for code in known - wrong.keys():
            if await self._alarms.end(sink.name, code, company=await self._whose(sink), at=now):
                _log.info("sink alarm is over", sink=sink.name, code=code)

    async def _expired_before(self, sink: SinkStatus) -> int:
        """How many events had expired when anybody last looked."""
        newest = await self._minutes.newest(sink.name)
        return newest.ledger.expired if newest is not None and newest.generation == sink.generation else 0

    async def _whose(self, sink: SinkStatus) -> UUID | None:
        return sink.company or await self._operator()

    def _forget(self, names: Sequence[str] | set[str]) -> None:
        """What is gone from the configuration has nothing wrong any more, and lags behind nothing."""
        for name in self._memory.keys() - set(names):
            del self._memory[name]
            for gauge in (SINK_LAG_EVENTS, SINK_LAG_SECONDS, SINK_IMBALANCE):
                gauge.labels(name).set(0)
            for code in CODES:
                SINK_ALARM.labels(name, code).set(0)


def _measure(sink: SinkStatus, now: int) -> None:
    ledger = sink.ledger
    SINK_LAG_EVENTS.labels(sink.name).set(ledger.pending)
    waited = 0 if sink.waiting_since is None else now - sink.waiting_since
    SINK_LAG_SECONDS.labels(sink.name).set(max(0, waited) / 1000)
    for part, events in asdict(ledger).items():
        SINK_LEDGER.labels(sink.name, part).set(events)
    SINK_IMBALANCE.labels(sink.name).set(ledger.stored - ledger.accounted)
