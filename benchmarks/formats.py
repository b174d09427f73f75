"""How fast events become text: each format on one core, against orjson writing the same events in the same run.

``orjson.dumps`` is given a dictionary of the event's own values (ids, times, what the sensor saw as an object). A
format is given the event as the journal hands it over, with what the sensor saw as text. CPU time counts.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from benchmarks.report import row
from benchmarks.rows import Site
from eventgate.cli.sample import alerts
from eventgate.event import Event, SensorNames
from eventgate.formats import Format
from eventgate.formats.syslog import SyslogHeader
from eventgate.forward.formats import CATALOGUE, FORMATS, USUAL_HEADER
from eventgate.journal.content import canonical

EVENTS, ROUNDS = 10_000, 7


def events() -> list[Event]:
    """Alerts as ``eventgate send --sample`` makes them, of fifty sensors."""
    rows = Site(companies=1).write(1_763_726_400_000, EVENTS, step_ms=7)
    told = alerts(EVENTS, random.Random(802), lambda: 1_763_726_400)
    return [
        event._replace(
            code=alert["alertCode"],
            severity=alert["severity"],
            message=alert["message"],
            event_id=alert["eventId"],
            data=canonical(alert["data"]),
        )
        for event, alert in zip(rows, told, strict=True)
    ]


def values(event: Event) -> dict[str, Any]:
    """The event as a program would hold it that has nothing but orjson."""
    at, received = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (event.timestamp, event.received))
    return {
        "id": event.id, "timestamp": at, "receivedAt": received, "companyId": event.company, "edgeId": event.sensor,
        "serial": "EG-0001", "edgeName": "Lobby, 2nd floor", "verifyKeyId": event.verify_key, "kind": "alert",
        "origin": "sensor", "alertCode": event.code, "categoryId": event.category, "severity": event.severity,
        "message": event.message, "eventId": event.event_id, "sequence": event.sequence,
        "data": orjson.loads(event.data),
    }  # fmt: skip


def a_second(write: Callable[..., object], *columns: Sequence[Any]) -> float:
    """How many a second of CPU, in one round: called as the gate calls, by a loop of the interpreter's own."""
    before = time.process_time()
    deque(map(write, *columns), maxlen=0)
    return len(columns[0]) / (time.process_time() - before)


def writers() -> Iterator[tuple[str, Format]]:
    """What a sink has that says nothing but its format; and lines that travel as syslog messages, as such."""
    for name, format_ in FORMATS.items():
        whole = format_(catalogue=CATALOGUE)
        yield name, whole.writer()
        if name in ("cef", "leef"):
            header = SyslogHeader(header=USUAL_HEADER[name])
            yield f"{name} behind a syslog header", whole.behind(header.pieces())


def main() -> None:
    stored = events()
    plain = [values(event) for event in stored]
    called = {sensor: SensorNames(f"EG-{n:04}", f"Floor {n}") for n, sensor in enumerate({e.sensor for e in stored})}
    names = [called[event.sensor] for event in stored]
    every = dict(writers())
    for write in every.values():
        a_second(write, stored, names)
    # In turn, and the best of each: neighbours on the machine slow all alike.
    rounds = [
        (a_second(orjson.dumps, plain), {what: a_second(write, stored, names) for what, write in every.items()})
        for _ in range(ROUNDS)
    ]
    bare = max(each for each, _ in rounds)
    ours = {what: max(each[what] for _, each in rounds) for what in every}
    for what, each in ours.items():
        aim = "0.50" if what == "json" else "0.20"
        row(f"events written as {what}, one core", f"{each:,.0f}/s", f"{bare:,.0f}/s by orjson.dumps", each / bare, aim)


if __name__ == "__main__":
    main()
