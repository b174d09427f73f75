"""How fast events become text: each format on one core, against orjson writing the same events in the same run.

``orjson.dumps`` is given a dictionary of the event's own values (ids, times, what the sensor saw as an object). A
format is given the event as the journal hands it over, with what the sensor saw as text. CPU time counts.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from benchmarks.report import row
from benchmarks.rows import Site
from eventgate.cli.sample import alerts
from eventgate.event import Event, SensorNames
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


def a_second(write: Callable[[Any], object], things: Sequence[Any]) -> float:
    """How many a second of CPU, in one round."""
    before = time.process_time()
    for each in things:
        write(each)
    return len(things) / (time.process_time() - before)


def main() -> None:
    stored = events()
    plain = [values(event) for event in stored]
    names = {sensor: SensorNames(f"EG-{n:04}", f"Floor {n}") for n, sensor in enumerate({e.sensor for e in stored})}
    with_names = [(event, names[event.sensor]) for event in stored]
    for name, format_ in FORMATS.items():
        whole = format_(catalogue=CATALOGUE)
        kinds = {name: whole.writer()}
        if name in ("cef", "leef"):
            header = SyslogHeader(header=USUAL_HEADER[name])
            kinds[f"{name} behind a syslog header"] = whole.behind(header.pieces())
        for what, encode in kinds.items():
            write = lambda pair, encode=encode: encode(*pair)  # noqa: E731
            a_second(write, with_names)
            # In turn, and the best of each: neighbours on the machine slow both alike.
            rounds = [(a_second(write, with_names), a_second(orjson.dumps, plain)) for _ in range(ROUNDS)]
            ours, bare = max(each[0] for each in rounds), max(each[1] for each in rounds)
            aim = "0.50" if name == "json" else "0.20"
            row(
                f"events written as {what}, one core",
                f"{ours:,.0f}/s",
                f"{bare:,.0f}/s by orjson.dumps",
                ours / bare,
                aim,
            )


if __name__ == "__main__":
    main()
