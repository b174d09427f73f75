"""The live stream: what is committed comes out, once, in order, filtered, and goes on where its caller left off."""

import asyncio
import json
import re
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from aiohttp import ClientTimeout
from yarl import URL

from eventgate.api import stream
from eventgate.event import Kind
from tests.integration.http_service import Service, http_service
from tests.patience import PATIENCE


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path) as running:
        yield running


@asynccontextmanager
async def follow(service: Service, query: str = "", last: str | None = None):
    """An open stream, once its first comment has come."""
    headers = {"X-API-Key": service.made.auth_key} | ({"Last-Event-ID": last} if last else {})
    url = URL(f"{service.url}/v2/alerts/stream{query}", encoded=True)
    async with service.session.get(url, headers=headers, timeout=ClientTimeout(total=30)) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        greeting = await answer.content.readuntil(b"\n\n")
        assert re.fullmatch(rb": still here\nid: \d+\.\d+\nretry: 1000\n\n", greeting)
        yield answer


async def told(answer, count: int) -> list[tuple[str, dict]]:
    """The next events of a stream: id and data."""
    found = []
    while len(found) < count:
        block = (await answer.content.readuntil(b"\n\n")).decode()
        if block.startswith(":"):
            continue
        fields = dict(line.split(": ", 1) for line in block.strip().split("\n"))
        assert fields["event"] == "alert"
        found.append((fields["id"], json.loads(fields["data"])))
    return found


async def test_what_is_committed_comes_out_as_a_search_prints_it(service):
    await service.store([service.event(9, message="from before")])
    async with follow(service) as answer:
        # One group lies in the journal in the order of its ids, that is of time.
        await service.store([service.event(3), service.event(2, kind=Kind.HEARTBEAT, code=None), service.event(1)])
        hostile = json.dumps({"number": 4, "ssid": "\0\\u0000"}).encode()
        await service.store([service.event(4, message="a hidden \0", data=hostile)])
        events = await told(answer, 3)
    assert [data["data"]["number"] for _, data in events] == [3, 1, 4]
    assert [place for place, _ in events] == ["2.0", "2.2", "3.0"]
    for _, alert in events:
        assert await service.get(f"/v2/alerts/{alert['id']}") == (200, alert)


async def test_a_stream_goes_on_where_its_caller_left_off(service):
    async with follow(service) as answer:
        await service.store([service.event(number) for number in range(3)])
        (place, _), *_ = await told(answer, 2)
    await service.store([service.event(3)])
    async with follow(service, last=place) as answer:
        assert [data["data"]["number"] for _, data in await told(answer, 3)] == [1, 0, 3]


async def test_a_stream_that_saw_nothing_goes_on_from_where_it_stood(service):
    await service.store([service.event(1)])
    headers = {"X-API-Key": service.made.auth_key}
    async with service.session.get(f"{service.url}/alerts/stream", headers=headers) as answer:
        greeting = await answer.content.readuntil(b"\n\n")
    place = re.search(rb"id: (.*)", greeting)[1].decode()
    await service.store([service.event(2)])
    async with follow(service, last=place) as answer:
        assert [data["data"]["number"] for _, data in await told(answer, 1)] == [2]


async def test_a_filter_and_a_company_choose(service):
    other = uuid4()
    await service.pool.execute("INSERT INTO companies (id, name, id_secret) VALUES ($1, 'Other', $2)", other, bytes(32))
    async with follow(service, "?filter=severity%C2%B7%3E%C2%B75&filter=serial%C2%B7is%C2%B7%22EG-0001%22") as answer:
        await service.store([service.event(1, severity=3), service.event(2, company=other), service.event(3)])
        ((_, data),) = await told(answer, 1)
    assert data["data"]["number"] == 3


@pytest.mark.parametrize("last", ["x", "1", "7.0", "-1.0", "1.0.0"])
async def test_a_place_that_the_journal_never_gave(service, last):
    status, body = await service.get("/v2/alerts/stream", Last_Event_ID=last)
    assert (status, body["code"]) == (400, "last-event-id-malformed")


async def test_a_quiet_stream_comments_and_ends_when_its_key_is_revoked(service, monkeypatch):
    monkeypatch.setattr(stream, "COMMENT_SECONDS", 0.1)
    async with follow(service) as answer:
        assert (await answer.content.readuntil(b"\n\n")).startswith(b": still here\nid: 0.")
        await service.pool.execute("UPDATE api_keys SET deleted_at = now()")
        service.authenticator.forget()
        async with asyncio.timeout(PATIENCE):
            while await answer.content.readany():
                pass


async def test_a_stream_that_is_never_quiet_ends_as_well(service):
    async def keep_it_busy():
        for number in range(10_000):
            await service.store([service.event(number)])

    async with follow(service) as answer, asyncio.timeout(PATIENCE):
        storing = asyncio.create_task(keep_it_busy())
        await answer.content.readuntil(b"event: alert")
        await service.pool.execute("UPDATE companies SET retired_at = now()")
        service.authenticator.forget()
        while await answer.content.readany():
            pass
        storing.cancel()


async def test_a_drain_ends_streams(service):
    async with follow(service) as answer:
        await service.stream.stop()
        async with asyncio.timeout(PATIENCE):
            assert await answer.content.read() == b""


async def test_there_is_an_end_to_how_many(service, monkeypatch):
    monkeypatch.setattr(stream, "MOST_STREAMS", 1)
    async with follow(service):
        status, body = await service.get("/v2/alerts/stream")
        assert (status, body["code"]) == (503, "busy")
    async with asyncio.timeout(PATIENCE):
        while (await service.get("/v2/alerts/stream?filter=x"))[0] != 400 or service.stream._open:
            await asyncio.sleep(0.05)
    async with follow(service):
        pass


async def test_a_slow_reader_misses_nothing(service):
    async with follow(service) as answer:
        answer.connection.transport.pause_reading()
        for _ in range(20):
            await service.store([service.event(number, message="x" * 4000) for number in range(200)])
        await asyncio.sleep(0.5)
        answer.connection.transport.resume_reading()
        assert len(await told(answer, 4000)) == 4000
