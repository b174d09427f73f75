"""How fast a full journal drains over HTTP, beside bare aiohttp loops of the same requests into the same receivers.

Into OpenSearch by bulk requests, into the tests' event collector with acknowledgement, and into the tests' receiver of
webhooks in batches and one by one. A bare loop has its requests in memory, byte for byte those that the sink makes (500
documents created under the same ids, 500 envelopes, 100 events or one) but for a webhook's time and signature; it keeps
as many on their way at once as the sink does, asks OpenSearch for the same short answer and reads every item of it, and
waits until the event collector has indexed all. What it does not do: read, decode, filter and format the journal, and
keep a cursor. All run in this process, in turn, with the receivers in their own; the processor time of this process is
told beside. ``python -m benchmarks.http_drain [EVENTS] [bulk] [hec] [webhook]``
"""

import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop

from benchmarks.report import row
from benchmarks.rows import Site
from eventgate.app.memory import expect_windows
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.migrate import migrate
from eventgate.db.pool import open_pool
from eventgate.event import Event
from eventgate.formats.json import encode
from eventgate.formats.times import rfc3339
from eventgate.protocols import bulk, hec, webhook
from eventgate.sinks.definition import reader
from eventgate.telemetry import SINK_DELIVERED
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.http_receivers import WEBHOOK_SECRET, EventCollector, WebhookReceiver
from tests.services.opensearch import OpenSearch

EVENTS = 96_000
ROUNDS = 3
PART = 500
PROTOCOLS = ("bulk", "hec", "webhook")
_CHANNEL = "6f0b8ad4-5a3c-4f0e-9d4c-1d2f3a4b5c6d"

Requests = Sequence[bytes]
_numbers = itertools.count()


@dataclass
class Race:
    """One protocol: ``options`` of our sink, and a bare loop that drains ``events`` of the journal's events."""

    what: str
    against: str
    transport: str
    events: int
    options: Callable[[], dict[str, Any]]
    bare: Callable[[], Awaitable[None]]


async def main(events: int, protocols: Collection[str]) -> None:
    expect_windows()  # as the forward process does
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # the accounts of the database and of OpenSearch have to get in
        for part in ("opensearch", "hec", "webhook"):
            (directory / part).mkdir()
        async with EmbeddedPostgres(directory / "postgres") as postgres:
            await migrate(postgres.url)
            pool = await open_pool(postgres.url, size=5)
            async with forwarding(pool, postgres.url) as gate:
                site, start = Site(), int(time.time() * 1000) - events
                for first in range(0, events, 500):
                    await gate.appender.append(site.write(start + first, min(500, events - first)))
                stored = await gate.stored()
                bodies = [encode(e, gate.stores.directory.names(e.company, e.sensor)) for e in stored]
                if "bulk" in protocols:
                    with OpenSearch(directory / "opensearch") as cluster:
                        await _race(gate, _bulk(cluster, stored[: events // 2], bodies[: events // 2]))
                if "hec" in protocols:
                    with EventCollector(directory / "hec") as collector:
                        await _race(gate, _hec(collector, stored, bodies))
                if "webhook" in protocols:
                    (directory / "secret").write_text(WEBHOOK_SECRET)
                    with WebhookReceiver(directory / "webhook") as hooked:
                        for shape in ((100, 4, events), (1, 1, events // 10)):
                            await _race(gate, _webhook(hooked, directory / "secret", stored, bodies, shape))
            await pool.close()


def _bulk(cluster: OpenSearch, stored: Sequence[Event], bodies: Sequence[bytes]) -> Race:
    def requests(index: str) -> Requests:
        target = bulk.Target(index)
        lines = [target.create(e, rfc3339(e.timestamp), b) for e, b in zip(stored, bodies, strict=True)]
        return _joined(lines, b"")

    ready = {index: requests(index) for index in (f"eventgate-bare-{n}" for n in range(ROUNDS + 1))}
    turns = iter(ready.values())

    async def bare() -> None:
        async with aiohttp.ClientSession() as session:

            async def send(body: bytes) -> None:
                headers = {"Content-Type": "application/x-ndjson"}
                async with session.post(f"{cluster.url}/_bulk?{bulk.WANTED}", data=body, headers=headers) as answer:
                    assert answer.status == 200
                    assert all(item["create"]["status"] == 201 for item in orjson.loads(await answer.read())["items"])

            await _at_once(4, next(turns), send)

    return Race(
        f"drain of {len(stored):,} stored events into OpenSearch",
        "bare aiohttp loop, same bulk requests",
        "bulk",
        len(stored),
        lambda: {"url": cluster.url, "index": f"eventgate-ours-{next(_numbers)}"},
        bare,
    )


def _hec(collector: EventCollector, stored: Sequence[Event], bodies: Sequence[bytes]) -> Race:
    envelope = hec.Envelope(structured=True)
    requests = _joined([envelope.wrap(e, "serial", b) for e, b in zip(stored, bodies, strict=True)], b"\n")

    async def bare() -> None:
        headers = {"Authorization": "Splunk first-token", "X-Splunk-Request-Channel": _CHANNEL}
        waiting: set[int] = set()
        async with aiohttp.ClientSession(headers=headers) as session:

            async def send(body: bytes) -> None:
                async with session.post(f"{collector.url}/services/collector/event", data=body) as answer:
                    waiting.add(orjson.loads(await answer.read())["ackId"])

            async def ask() -> None:
                question = hec.question(waiting)
                url = f"{collector.url}/services/collector/ack?channel={_CHANNEL}"
                async with session.post(url, data=question) as answer:
                    waiting.difference_update(hec.indexed(await answer.read()))

            await _at_once(4, requests, send)
            while waiting:
                await ask()
                await asyncio.sleep(0.02)

    return Race(
        f"drain of {len(stored):,} stored events into an event collector, each indexed",
        "bare aiohttp loop, same requests, acknowledged",
        "hec",
        len(stored),
        lambda: {"url": collector.url, "token": "first-token"},
        bare,
    )


def _webhook(
    hooked: WebhookReceiver, secret: Path, stored: Sequence[Event], bodies: Sequence[bytes], shape: tuple[int, int, int]
) -> Race:
    batch, in_flight, count = shape
    keys = webhook.secrets(secret.read_text())
    parts = [(stored[n : n + batch], bodies[n : n + batch]) for n in range(0, count, batch)]
    messages = [
        (webhook.message_id(events), texts[0] if batch == 1 else b"[%b]" % b",".join(texts)) for events, texts in parts
    ]

    async def bare() -> None:
        async with aiohttp.ClientSession() as session:

            async def send(message: tuple[str, bytes]) -> None:
                told, body = message
                now = int(time.time())
                headers = {
                    "Content-Type": "application/json",
                    "webhook-id": told,
                    "webhook-timestamp": str(now),
                    "webhook-signature": webhook.signature(keys, told, now, body),
                }
                async with session.post(hooked.url, data=body, headers=headers) as answer:
                    assert answer.status == 204

            await _at_once(in_flight, messages, send)

    return Race(
        f"drain of {count:,} stored events by webhook, {batch} a request",
        f"bare aiohttp loop, same requests, {in_flight} on their way",
        "webhook",
        count,
        lambda: {"url": hooked.url, "secret_file": secret, "batch": batch, "in_flight": in_flight},
        bare,
    )


async def _race(gate: Forwarding, race: Race) -> None:
    ours: list[float] = []
    bare: list[float] = []
    for turn in range(ROUNDS + 1):  # the first is for the receiver to get warm
        runs = [(bare, race.bare), (ours, lambda: _drained(gate, race))]
        for rates, run in runs if turn % 2 else reversed(runs):
            used, begun = time.process_time(), time.perf_counter()
            told = await run()
            took = told if told is not None else time.perf_counter() - begun
            used = time.process_time() - used
            if turn:
                rates.append(race.events / took)
                who = "bare loop" if rates is bare else "EventGate"
                each = used / race.events * 1e6
                print(f"{race.what}, {who}: {rates[-1]:,.0f} events/s, {each:.1f} µs of CPU each", flush=True)
            await asyncio.sleep(0.5)
    row(
        race.what,
        f"{statistics.median(ours):,.0f}/s",
        f"{race.against}: {statistics.median(bare):,.0f}/s",
        statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True)),
        "0.80",
    )


async def _drained(gate: Forwarding, race: Race) -> float:
    """Seconds from starting the forward process's loop to so many events confirmed and their cursor saved."""
    name = f"drain-{next(_numbers)}"
    plan = sink(name, race.transport, private_addresses=True, **race.options())
    begun = time.perf_counter()
    async with gate.running(plan):
        while _counted(name) < race.events:  # asking the database all the while would cost a good part of a processor
            await asyncio.sleep(0.01)
        while (await gate.stores.cursors.look(reader(name))).totals.delivered < race.events:
            await asyncio.sleep(0.01)
        return time.perf_counter() - begun


def _counted(name: str) -> float:
    samples = [sample for family in SINK_DELIVERED.collect() for sample in family.samples]
    return sum(sample.value for sample in samples if sample.labels["sink"] == name and sample.name.endswith("_total"))


def _joined(pieces: Sequence[bytes], between: bytes) -> Requests:
    return [between.join(pieces[n : n + PART]) for n in range(0, len(pieces), PART)]


async def _at_once(many: int, things: Sequence[Any], send: Callable[[Any], Awaitable[None]]) -> None:
    todo = iter(things)

    async def work() -> None:
        for thing in todo:
            await send(thing)

    await asyncio.gather(*[work() for _ in range(many)])


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    names = [word for word in sys.argv[1:] if not word.isdigit()]
    uvloop.run(main(numbers[0] if numbers else EVENTS, names or PROTOCOLS))
