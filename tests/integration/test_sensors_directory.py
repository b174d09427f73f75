"""The directory of sensors on a real database: warm answers, misses, changes heard."""

import asyncio
from uuid import UUID, uuid4

import pytest

from eventgate.clock import ManualClock
from eventgate.event import SensorNames
from eventgate.sensors import Directory, register

COMPANY = UUID("9a90af71-251e-11f0-a7be-3ec870f66d56")  # version 1: a sensor's or company's id may be of any


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def directory(pool, clock):
    await pool.execute("INSERT INTO companies (id, name, id_secret) VALUES ($1, 'One', $2)", COMPANY, bytes(32))
    return Directory(pool, clock)


async def test_resolves_by_id_and_by_serial_number(directory, pool):
    sensor = uuid4()
    await register(pool, COMPANY, sensor, "EG-0001", "Lobby")
    await directory.warm(COMPANY)
    assert directory.resolve(COMPANY, edge=sensor) == directory.resolve(COMPANY, serial="EG-0001")
    assert directory.names(COMPANY, sensor) == SensorNames("EG-0001", "Lobby")
    assert [found.id for found in directory.all_of(COMPANY)] == [sensor]


async def test_a_company_sees_its_own_sensors_alone(directory, pool):
    sensor = uuid4()
    await register(pool, COMPANY, sensor, "EG-0001")
    assert await directory.find(uuid4(), edge=sensor) is None
    assert await directory.find(uuid4(), serial="EG-0001") is None


async def test_an_unknown_sensor_goes_by_its_id(directory):
    sensor = uuid4()
    assert directory.names(COMPANY, sensor) == SensorNames(str(sensor), None)


async def test_a_miss_is_believed_for_a_second(directory, pool, clock):
    await directory.warm(COMPANY)
    await register(pool, COMPANY, uuid4(), "EG-0001")
    assert await directory.find(COMPANY, serial="EG-0001") is None
    clock.advance(1.1)
    assert await directory.find(COMPANY, serial="EG-0001") is not None


async def test_what_was_made_of_names_is_old_as_soon_as_a_change_is_heard(directory, pool):
    """Whoever keeps it asks the edition alone, and reads nothing."""
    await register(pool, COMPANY, uuid4(), "EG-0001", "Lobby")
    await directory.warm(COMPANY)
    edition = directory.edition
    directory.forget(str(uuid4()))
    assert directory.edition == edition
    directory.forget(str(COMPANY))
    assert directory.edition > edition


@pytest.mark.parametrize("payload", [str(COMPANY), ""])
async def test_a_change_is_read_at_once(directory, pool, payload):
    sensor = uuid4()
    await register(pool, COMPANY, sensor, "EG-0001", "Lobby")
    await directory.warm(COMPANY)
    await pool.execute("UPDATE sensors SET name = 'Roof'")
    directory.forget(payload)
    await directory.warm(COMPANY)
    assert directory.names(COMPANY, sensor).name == "Roof"


async def test_registers_at_first_sight(directory):
    by_serial = await directory.register(COMPANY, serial="EG-0007")
    assert by_serial.serial == "EG-0007"
    assert directory.resolve(COMPANY, serial="EG-0007") == by_serial
    edge = uuid4()
    by_id = await directory.register(COMPANY, edge=edge)
    assert (by_id.id, by_id.serial) == (edge, str(edge))
    again = await directory.register(COMPANY, serial="EG-0007")
    assert again == by_serial
    assert await directory.register(COMPANY, edge=uuid4(), serial="EG-0007") is None


async def test_a_change_is_told_once_a_company(directory, pool):
    told: asyncio.Queue[str] = asyncio.Queue()
    connection = await pool.acquire()
    await connection.add_listener("eventgate_sensors", lambda *heard: told.put_nowait(heard[3]))
    async with connection.transaction():
        await register(connection, COMPANY, uuid4(), "EG-0001")
        await register(connection, COMPANY, uuid4(), "EG-0002")
    await connection.execute("UPDATE sensors SET last_seen_at = now()")
    await connection.execute("NOTIFY eventgate_sensors, 'end'")
    assert [await told.get(), await told.get()] == [str(COMPANY), "end"]
    await connection.close()
