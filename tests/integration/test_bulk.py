"""The bulk interface of a real OpenSearch: created once however often it is sent, refused documents, a cluster killed.

What a healthy cluster does not say (429, 413, 401) a small server of the test's own says.
"""

import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from eventgate.clock import SystemClock
from eventgate.errors import Deferred, Disconnected
from eventgate.forward.plan import History
from eventgate.forward.transports import Outgoing, Transport, Window
from eventgate.ids import uuid7
from eventgate.journal.cursors import START, Cursor
from eventgate.sinks.definition import State
from tests.contract.test_transports import document, made, window
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.opensearch import OpenSearch
from tests.unit.formats.samples import ALERT, HOSTILE, NAMES, SIGHTING


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


@pytest.fixture
def index(opensearch: OpenSearch) -> str:
    return f"eventgate-{uuid.uuid4()}"


def towards(url: str, index: str, **options: Any) -> dict[str, Any]:
    return {"url": url, "index": index, "private_addresses": True, **options}


def events(first: int, count: int) -> Window:
    return window(first, count, document)


@asynccontextmanager
async def opened(url: str, index: str, **options: Any) -> AsyncIterator[Transport]:
    transport = made("bulk", "json", **towards(url, index, **options))()
    await transport.open(START)
    try:
        yield transport
    finally:
        await transport.close()


@pytest.mark.parametrize("compress", [False, True])
async def test_what_is_sent_again_is_stored_once(opensearch: OpenSearch, index: str, compress: bool) -> None:
    async with opened(opensearch.url, index, gzip=compress) as transport:
        for _ in range(2):
            delivery = await transport.deliver(events(0, 1500))
            assert (delivery.finished, list(delivery.refused), delivery.failure) == (1500, [], None)
    found = opensearch.documents(index)
    assert len(found) == 1500
    first = next(each for each in found if each["sequence"] == 0)
    assert first["_id"] == f"{first['companyId']}.{first['id']}"
    assert first["@timestamp"] == first["timestamp"]


async def test_an_event_goes_to_the_index_of_its_own_day(opensearch: OpenSearch, index: str) -> None:
    async with opened(opensearch.url, f"{index}-%Y.%m.%d") as transport:
        assert (await transport.deliver(events(0, 1))).finished == 1
    assert [each["_index"] for each in opensearch.documents(f"{index}-*")] == [f"{index}-2025.11.21"]


async def test_a_data_stream_takes_them_too(opensearch: OpenSearch, index: str) -> None:
    template = {"index_patterns": [index], "data_stream": {}, "priority": 500}
    opensearch.ask("PUT", f"/_index_template/{index}", template)
    async with opened(opensearch.url, index) as transport:
        for _ in range(2):
            assert (await transport.deliver(events(0, 10))).finished == 10
    assert len(opensearch.documents(index)) == 10


async def test_documents_that_do_not_fit_are_named_and_those_around_them_are_in(
    opensearch: OpenSearch, index: str
) -> None:
    """What the first event made of a field, the others have to be: here a number."""
    opensearch.ask("PUT", f"/{index}", {"mappings": {"properties": {"sequence": {"type": "byte"}}}})
    async with opened(opensearch.url, index) as transport:
        delivery = await transport.deliver(events(100, 60))
    assert (delivery.finished, delivery.failure) == (60, None)
    assert [refusal.number for refusal in delivery.refused] == list(range(28, 60))  # a byte ends at 127
    assert "mapper_parsing_exception" in delivery.refused[0].reason
    assert len(opensearch.documents(index)) == 28


async def test_an_index_that_must_not_be_made_waits_for_its_keeper(opensearch: OpenSearch) -> None:
    async with opened(opensearch.url, "forbidden") as transport:
        delivery = await transport.deliver(events(0, 3))
    assert (delivery.finished, list(delivery.refused)) == (0, [])
    assert isinstance(delivery.failure, Deferred)
    assert "index_not_found_exception" in str(delivery.failure)


async def test_a_blocked_index_waits_and_goes_on(gate: Forwarding, opensearch: OpenSearch, index: str) -> None:
    opensearch.ask("PUT", f"/{index}", {"settings": {"index.blocks.write": True}})
    await gate.store(200)
    async with gate.running(sink("siem", "bulk", **towards(opensearch.url, index))):
        status = await gate.until("siem", lambda status: status.state is State.RETRYING)
        assert "cluster_block_exception" in str(status.last_error)
        opensearch.ask("PUT", f"/{index}/_settings", {"index.blocks.write": False})
        status = await gate.until_done("siem")
    assert (status.ledger.delivered, status.ledger.dead) == (200, 0)


async def test_a_cluster_killed_in_the_middle_has_everything_once_in_the_end(
    gate: Forwarding, opensearch: OpenSearch, index: str
) -> None:
    stored = await gate.store(8000)
    async with gate.running(sink("siem", "bulk", **towards(opensearch.url, index))):
        await gate.until("siem", lambda status: status.ledger.delivered >= 1000)
        opensearch.kill()
        await gate.until("siem", lambda status: status.state is State.RETRYING or not status.ledger.pending)
        opensearch.start()
        status = await gate.until_done("siem")
    assert (status.guarantee, status.ledger.delivered) == ("confirmed", 8000)
    assert {each["id"] for each in opensearch.documents(index)} == {str(event.id) for event in stored}
    assert len(opensearch.documents(index)) == 8000


@asynccontextmanager
async def answering(answer: Callable[[web.BaseRequest, bytes], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """A server that answers as the test says; its address."""

    async def handle(request: web.BaseRequest) -> web.Response:
        return await answer(request, await request.read())

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def said(*results: dict[str, Any]) -> web.Response:
    return web.json_response({"items": [{"create": result} for result in results]})


async def test_the_part_before_a_429_counts() -> None:
    full = {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "queue is full"}}

    async def answer(request: web.BaseRequest, body: bytes) -> web.Response:
        return said({"status": 201}, {"status": 409}, full, {"status": 201})

    async with answering(answer) as url, opened(url, "x") as transport:
        delivery = await transport.deliver(events(0, 4))
    assert delivery.finished == 2
    assert isinstance(delivery.failure, Deferred)
    assert "queue is full" in str(delivery.failure)


async def test_413_makes_requests_smaller() -> None:
    sizes: list[int] = []

    async def answer(request: web.BaseRequest, body: bytes) -> web.Response:
        sizes.append(len(body))
        if len(body) > 200_000:
            return web.Response(status=413, text="<html>nginx</html>")
        return said(*[{"status": 201}] * (body.count(b"\n") // 2))

    async with answering(answer) as url, opened(url, "x") as transport:
        for first in (0, 1000):
            assert (await transport.deliver(events(first, 1000))).finished == 1000
    assert sum(size > 200_000 for size in sizes) <= 3


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, "<html>"), (200, '{"items":[]}'), (401, "{}"), (403, "{}"), (307, ""), (503, "")],
)
async def test_answers_that_promise_nothing(status: int, body: str) -> None:
    async def answer(request: web.BaseRequest, _: bytes) -> web.Response:
        return web.Response(status=status if request.method == "POST" else 200, text=body)

    async with answering(answer) as url, opened(url, "x") as transport:
        delivery = await transport.deliver(events(0, 4))
    assert (delivery.finished, list(delivery.refused)) == (0, [])
    assert isinstance(delivery.failure, Deferred)


async def test_credentials_come_from_files_that_may_change(tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def answer(request: web.BaseRequest, body: bytes) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return said(*[{"status": 201}] * (body.count(b"\n") // 2))

    file = tmp_path / "key"
    file.write_text("Zmlyc3Q=\n")
    async with answering(answer) as url:
        async with opened(url, "x", api_key_file=str(file)) as transport:
            await transport.deliver(events(0, 1))
            file.write_text("c2Vjb25kIQ==\n")
            await transport.deliver(events(1, 1))
        file.write_text("pass\n")
        async with opened(url, "x", username="gate", password_file=str(file)) as transport:
            await transport.deliver(events(2, 1))
    assert seen == ["ApiKey Zmlyc3Q=", "ApiKey Zmlyc3Q=", "ApiKey c2Vjb25kIQ==", *["Basic Z2F0ZTpwYXNz"] * 2]


async def test_check_tells_a_key_that_is_not_believed() -> None:
    async def answer(request: web.BaseRequest, _: bytes) -> web.Response:
        return web.Response(status=401, text="who are you")

    async with answering(answer) as url:
        transport = made("bulk", "json", **towards(url, "x"))()
        with pytest.raises(Deferred, match="does not accept our credentials"):
            await transport.probe()
        with pytest.raises(Deferred, match="does not accept our credentials"):
            await transport.open(START)
        await transport.close()


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def answer(request: web.BaseRequest, body: bytes) -> web.Response:
        return web.Response(body=json.dumps("x" * (9 << 20)).encode() if request.method == "POST" else b"")

    async with answering(answer) as url, opened(url, "x") as transport:
        delivery = await transport.deliver(events(0, 1))
    assert isinstance(delivery.failure, Disconnected)
    assert "longer than" in str(delivery.failure)


@pytest.mark.parametrize("format_", ["json", "ecs", "ocsf"])
async def test_every_format_of_objects_is_a_document(opensearch: OpenSearch, index: str, format_: str) -> None:
    """A hostile event too: what a sensor calls its data has any shape, so an index had better keep it as one field."""
    flat = {"type": "flat_object"}
    properties = {"data": flat, "eventgate": flat, "unmapped": flat, "evidences": flat}
    opensearch.ask("PUT", f"/{index}", {"mappings": {"properties": properties}})
    plan = sink("siem", "bulk", format=format_, **towards(opensearch.url, index))
    transport = plan.make(History(uuid.uuid4(), no_digest), SystemClock())
    samples = [ALERT, HOSTILE._replace(id=uuid7(HOSTILE.timestamp)), SIGHTING._replace(id=uuid7(SIGHTING.timestamp))]
    outgoing = [Outgoing(each, NAMES, Cursor(1, n), plan.encode(each, NAMES)) for n, each in enumerate(samples)]
    await transport.open(START)
    delivery = await transport.deliver(Window(outgoing, START))
    await transport.close()
    assert (delivery.finished, list(delivery.refused), delivery.failure) == (3, [], None)
    found = opensearch.documents(index)
    assert {each["_id"] for each in found} == {f"{each.company}.{each.id}" for each in samples}
    assert all(each["@timestamp"].startswith("2025-11-21T12:00:00.123") for each in found)


async def no_digest(position: int) -> bytes | None:
    return None
