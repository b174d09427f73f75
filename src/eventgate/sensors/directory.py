"""Which sensors a company has and what they are called, from memory.

Touches PostgreSQL (the table sensors) when a company is first asked about, when PostgreSQL tells of a change on the
channel ``eventgate_sensors``, and otherwise twice a minute.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from eventgate.clock import Clock
from eventgate.db.pool import Row, translated
from eventgate.event import GATE, GATE_NAMES, SensorNames
from eventgate.ids import uuid7
from eventgate.sensors.registry import register

CHANNEL = "eventgate_sensors"
LIFETIME_SECONDS = 30.0
"""How old the memory may get in a process that does not hear the notification."""

MISS_SECONDS = 1.0
"""How old the memory may be to say that a sensor does not exist."""

_LOAD = "SELECT company, id, serial, name, state, registered_at FROM sensors WHERE company = $1 ORDER BY id"


class Sensor(NamedTuple):
    """One registered sensor. ``state`` is ``active`` or ``deactivated``."""

    company: UUID
    id: UUID
    serial: str
    name: str | None
    state: str
    registered_at: datetime

    @property
    def names(self) -> SensorNames:
        return SensorNames(self.serial, self.name)


class _Fleet:
    """The sensors of one company as they were at one moment."""

    def __init__(self, sensors: Sequence[Sensor], loaded: float, stale: bool) -> None:
        self.sensors = tuple(sensors)
        self.by_id = {sensor.id: sensor for sensor in sensors}
        self.by_serial = {sensor.serial: sensor for sensor in sensors}
        self.names = {GATE: GATE_NAMES, **{sensor.id: sensor.names for sensor in sensors}}
        self.loaded = loaded
        self.stale = stale


class Directory:
    """Answers at once about a company that is warm; ``await warm(company)`` makes it so. One in each process."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._fleets: dict[UUID, _Fleet] = {}
        self._loading = asyncio.Lock()
        self._changes = 0
        self.edition = 0
        """Goes up when any company's sensors have changed or were read anew: until then every name stays as it is."""

    def forget(self, payload: str) -> None:
        """Hear of a change in the company whose id is ``payload``, or in any where it is empty."""
        self._changes += 1
        changed = [self._fleets.get(UUID(payload))] if payload else self._fleets.values()
        for fleet in changed:
            if fleet is not None:
                fleet.stale = True
                self.edition += 1  # what was made of these names is not for anybody who comes later

    async def warm(self, company: UUID, *, at_most: float = LIFETIME_SECONDS) -> None:
        """Have the company's sensors in memory, read at most so many seconds ago. Raises Unavailable."""
        if self._is_warm(company, at_most):
            return
        async with self._loading:
            if not self._is_warm(company, at_most):
                now, changes = self._clock.monotonic(), self._changes
                with translated():
                    rows = await self._pool.fetch(_LOAD, company)
                self._fleets[company] = _Fleet([_sensor(row) for row in rows], now, stale=changes != self._changes)
                self.edition += 1

    def resolve(self, company: UUID, *, edge: UUID | None = None, serial: str | None = None) -> Sensor | None:
        """The company's sensor of that id or else that serial number, None where a warm memory has none."""
        fleet = self._fleets.get(company)
        if fleet is None:
            return None
        if edge is not None:
            return fleet.by_id.get(edge)
        return fleet.by_serial.get(serial) if serial is not None else None

    async def find(self, company: UUID, *, edge: UUID | None = None, serial: str | None = None) -> Sensor | None:
        """As ``resolve``, but a miss is only believed of a memory younger than ``MISS_SECONDS``."""
        await self.warm(company)
        found = self.resolve(company, edge=edge, serial=serial)
        if found is None:
            await self.warm(company, at_most=MISS_SECONDS)
            found = self.resolve(company, edge=edge, serial=serial)
        return found

    async def has_active(self, company: UUID, edge: UUID) -> bool:
        """Whether the company has that sensor, and it is in service."""
        found = await self.find(company, edge=edge)
        return found is not None and found.state == "active"

    async def register(self, company: UUID, *, edge: UUID | None = None, serial: str | None = None) -> Sensor | None:
        """Register a sensor at first sight: one with an id only goes by it, one with a serial number only gets an id.

        None where the serial number given is another sensor's.
        """
        sensor = edge or uuid7(self._clock.now_ms())
        await register(self._pool, company, sensor, serial or str(sensor))
        await self.warm(company, at_most=-1)
        return self.resolve(company, edge=edge, serial=serial)

    def names(self, company: UUID, sensor: UUID) -> SensorNames:
        """What the sensor is called today; one that is not known goes by its id, so that any event can be told."""
        fleet = self._fleets.get(company)
        found = None if fleet is None else fleet.names.get(sensor)
        return found or SensorNames(str(sensor), None)

    async def names_of(self, company: UUID) -> Mapping[UUID, SensorNames]:
        """What each of the company's sensors is called today."""
        await self.warm(company)
        return self._fleets[company].names

    def all_of(self, company: UUID) -> tuple[Sensor, ...]:
        """Every sensor of a warm company, by id."""
        fleet = self._fleets.get(company)
        return fleet.sensors if fleet is not None else ()

    def _is_warm(self, company: UUID, at_most: float) -> bool:
        fleet = self._fleets.get(company)
        return fleet is not None and not fleet.stale and fleet.loaded + at_most >= self._clock.monotonic()


def _sensor(row: Row) -> Sensor:
    return Sensor(*row.values())
