"""A sensor, a company, and a directory of sensors with nothing behind it but a list."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from eventgate.clock import ManualClock
from eventgate.ingest.write import Write
from eventgate.sensors import Sensor

COMPANY = UUID("01980000-0000-7000-8000-00000000c0c0")
VERIFY_KEY = "01980000-0000-7000-8000-0000000000e1"
NOW = ManualClock().now_ms()
NOW_TEXT = "2025-11-21T12:00:00.000Z"

MakeWrite = Callable[..., Write]


class SensorList:
    """The directory of sensors as ingest uses it, with nothing behind it but a list."""

    def __init__(self, *sensors: Sensor) -> None:
        self.sensors = list(sensors)
        self.elsewhere: list[Sensor] = []
        self.registered: list[tuple[UUID | None, str | None]] = []

    async def warm(self, company: UUID) -> None:
        pass

    def resolve(self, company: UUID, *, edge: UUID | None = None, serial: str | None = None) -> Sensor | None:
        for sensor in self.sensors:
            if sensor.company == company and (sensor.id == edge if edge is not None else sensor.serial == serial):
                return sensor
        return None

    async def find(self, company: UUID, *, edge: UUID | None = None, serial: str | None = None) -> Sensor | None:
        self.sensors += self.elsewhere
        return self.resolve(company, edge=edge, serial=serial)

    async def register(self, company: UUID, *, edge: UUID | None = None, serial: str | None = None) -> Sensor | None:
        self.registered.append((edge, serial))
        self.sensors.append(make_sensor(edge or UUID(int=len(self.registered)), serial or str(edge), company=company))
        return self.resolve(company, edge=edge, serial=serial)


def make_sensor(sensor: UUID, serial: str, *, state: str = "active", company: UUID = COMPANY) -> Sensor:
    return Sensor(company, sensor, serial, None, state, datetime(2026, 1, 1, tzinfo=UTC))


SENSOR = make_sensor(UUID("01980000-0000-7000-8000-00000000ed9e"), "EG-0001")


def report(**members: Any) -> dict[str, Any]:
    """An alert of the key's own sensor; a member given as None is left out."""
    whole = {"timestamp": NOW_TEXT, "alertCode": "DEAUTHFLOOD", "severity": 7, "message": "a flood"} | members
    return {name: value for name, value in whole.items() if value is not None}


def text(**members: Any) -> bytes:
    return orjson.dumps(report(**members))
