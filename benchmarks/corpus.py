"""Alerts to search in: so many over the ninety days up to yesterday, and as many a day today until now.

One company has four fifths of them. Copied as the journal copies, two days at a time; past days are cooled as the
journal cools them, today is as hot as it would be.
"""

import asyncio
import random
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO
from uuid import UUID

import asyncpg

from eventgate.alerts.catalogue import CODES
from eventgate.alerts.counts import DayCounts
from eventgate.alerts.windows import Partitions
from eventgate.clock import SystemClock
from eventgate.db.pool import open_pool
from eventgate.event import Event, Kind, Origin, SensorNames
from eventgate.ids import uuid7
from eventgate.journal import partitions
from eventgate.journal.rows import COLUMNS, copy_body, pack

DAYS = 90
_CHUNK = 5_000
_DAY_MS = 86_400_000

_fixed = random.Random(802)


def _macs(count: int) -> list[str]:
    vendors = ["3c:84:6a", "00:1a:1e", "f0:9f:c2", "a4:83:e7", "dc:a6:32"]
    return [_fixed.choice(vendors) + "".join(f":{_fixed.getrandbits(8):02x}" for _ in range(3)) for _ in range(count)]


def _ids(count: int) -> list[UUID]:
    return [UUID(int=_fixed.getrandbits(128), version=4) for _ in range(count)]


COMPANIES = _ids(10)
SENSORS = [_ids(200 if number == 0 else 20) for number in range(len(COMPANIES))]
BSSIDS, CLIENTS = _macs(2_000), _macs(50_000)
SSIDS = ["Staff", "Guest", "Warehouse 3", "Café-Gäste", "printers", "iot-lab", "Board room", "会議室", "loading dock"]
_CODES = list(CODES.values())
_WEIGHTS = [1 / (rank + 1) for rank in range(len(_CODES) - 1)] + [0.00004]  # the last code is one in 100,000
RAREST = _CODES[-1].code
COMMONEST = _CODES[0].code


def names() -> dict[UUID, SensorNames]:
    """The sensors of the company with the most alerts."""
    return {
        sensor: SensorNames(f"EG-{number:04}", f"Building {number // 20} floor {number % 20}")
        for number, sensor in enumerate(SENSORS[0])
    }


async def make(url: str, events: int) -> None:
    """Fill a migrated database; two processes generate, for PostgreSQL leaves them the time."""
    connection = await asyncpg.connect(url)
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=DAYS)
    await connection.execute("SELECT ensure_event_days($1, $2)", first.date(), midnight.date())
    starts = [int((first + timedelta(days=day)).timestamp() * 1000) for day in range(DAYS)]
    with ProcessPoolExecutor(2) as pool:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pool, _fill, url, start, events // DAYS) for start in starts))
    await _copy_day(
        url, int(midnight.timestamp() * 1000), events // DAYS, (datetime.now(UTC) - midnight) / timedelta(days=1)
    )
    await connection.execute("SET maintenance_work_mem = '512MB'")
    await partitions.cool(connection, midnight + partitions.COOL_AFTER, DAYS + 40)
    await connection.execute("VACUUM ANALYZE events")
    await connection.close()
    pool = await open_pool(url, size=2)
    counts = DayCounts(pool, Partitions(pool, SystemClock()), SystemClock())
    while await counts.refresh():
        pass
    await pool.execute("VACUUM ANALYZE event_counts")
    await pool.close()


def _fill(url: str, start: int, count: int) -> None:
    asyncio.run(_copy_day(url, start, count))


async def _copy_day(url: str, start: int, count: int, part: float = 1.0) -> None:
    """Copy a day of so many alerts, or its first part."""
    connection = await asyncpg.connect(url)
    chance = random.Random(start)
    for done in range(0, int(count * part), _CHUNK):
        size = min(_CHUNK, int(count * part) - done)
        events = [_alert(chance, start + (done + n) * _DAY_MS // count) for n in range(size)]
        source = BytesIO(copy_body((start + done) // 1000, pack(events)))
        await connection.copy_to_table("events", source=source, columns=COLUMNS.split(", "), format="binary")
    await connection.close()


def _alert(chance: random.Random, ms: int) -> Event:
    number = 0 if chance.random() < 0.8 else int(1 + chance.random() * (len(COMPANIES) - 1))
    sensors = SENSORS[number]
    # The sensor at the main door hears a thousand times what the one in the cellar does.
    sensor = sensors[int(len(sensors) * chance.random() ** 3)]
    known = chance.choices(_CODES, cum_weights=_CUMULATIVE)[0]
    bssid, client = BSSIDS[int(chance.random() ** 2 * 2_000)], CLIENTS[int(chance.random() * 50_000)]
    band, rssi = chance.choice(("2.4", "5")), -30 - int(chance.random() * 60)
    ssid, channel = SSIDS[int(chance.random() * 9)], (1, 6, 11, 36, 44, 149)[int(chance.random() * 6)]
    frames = int(20 + chance.random() * 880)
    message = f"{known.title}: {frames} frames from {client} at {bssid} ({ssid}) on channel {channel}"
    if chance.random() < 0.0001:
        message += ", reported by guard Zebedee"
    data = (
        f'{{"bssid":"{bssid}","client":"{client}","ssid":"{ssid}","channel":{channel},"frames":{frames},'
        f'"rssi":{rssi},"radio":{{"band":"{band} GHz","width":20}}}}'
    )
    return Event(
        company=COMPANIES[number], id=uuid7(ms, chance.randbytes(10)), kind=Kind.ALERT, sensor=sensor, timestamp=ms,
        received=ms + 40, code=known.code, category=known.category, severity=known.severity, message=message,
        data=data.encode(), event_id=None, sequence=None, key=COMPANIES[number], verify_key=COMPANIES[number],
        content_digest=chance.randbytes(32), origin=Origin.SENSOR, raw=b"",
    )  # fmt: skip


_CUMULATIVE = [sum(_WEIGHTS[: n + 1]) for n in range(len(_WEIGHTS))]
