"""Raw bytes in the request line on real connections: kept alive, pipelined, split, beside bodies."""

import asyncio
import json
import random
from collections import Counter

import pytest

from tests.integration.http_service import http_service

TARGET = '/alerts?filter=message·is·"Büro%20✓"&filter=timestamp·isBefore·2099-05-13%2016%3A11'


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path) as running:
        await running.store([running.event(1, message="Büro ✓"), running.event(2, message="elsewhere")])
        yield running


def get(service, target: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: x\r\nX-API-Key: %b\r\n\r\n" % (target, service.made.auth_key.encode())


def post(service, body: bytes, framing: bytes) -> bytes:
    head = b"POST /v2/sinks/none/rewind HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return head + b"X-API-Key: %b\r\n%b\r\n\r\n" % (service.made.admin_auth_key.encode(), framing) + body


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    return int(head.split()[1]), json.loads(await reader.readexactly(length))


async def test_one_connection_split_again_and_again(service):
    request = get(service, TARGET.encode())
    async with service.connected() as (reader, writer):
        for cut in range(1, len(request), 3):
            writer.write(request[:cut])
            await writer.drain()
            await asyncio.sleep(0.002)  # so that the two halves do not arrive as one
            writer.write(request[cut:])
            status, body = await answer(reader)
            assert (status, [alert["message"] for alert in body["data"]]) == (200, ["Büro ✓"]), cut


async def test_pipelined_beside_bodies_that_look_like_requests(service):
    lookalike = json.dumps({"GET /· HTTP/1.1\r\n\r\n": "ÿ·"}, ensure_ascii=False).encode()
    raw = get(service, TARGET.encode())
    with_length = post(service, lookalike, b"Content-Length: %d" % len(lookalike))
    chunked = post(service, b"%x\r\n%b\r\n0\r\n\r\n" % (len(lookalike), lookalike), b"Transfer-Encoding: chunked")
    async with service.connected() as (reader, writer):
        writer.write(raw + with_length + raw + chunked + raw)
        answers = [await answer(reader) for _ in range(5)]
    assert [status for status, _ in answers] == [200, 404, 200, 404, 200]
    assert answers[0][1]["data"] == answers[2][1]["data"] == answers[4][1]["data"]
    assert answers[0][1]["count"] == 1


async def test_a_link_of_a_raw_call_works_when_followed(service):
    await service.store([service.event(number, message="Büro ✓") for number in range(3, 6)])
    async with service.connected() as (reader, writer):
        writer.write(get(service, TARGET.encode() + b"&limit=2"))
        status, body = await answer(reader)
    assert (status, body["total"], body["count"]) == (200, 4, 2)
    assert body["nextUrl"].isascii()
    status, following = await service.get(body["nextUrl"].replace(body["nextUrl"].split("/alerts")[0], service.url))
    assert (status, following["count"]) == (200, 2)
    assert {alert["message"] for alert in following["data"]} == {"Büro ✓"}


async def test_a_header_with_raw_bytes_stays_as_it_is(service):
    async with service.connected() as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Note: \xc2\xb7\xff\r\n\r\n")
        assert await answer(reader) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: the-unexpected\r\n\r\n", 417, "request-malformed"),
        (b"GET /nowhere HTTP/1.1\r\nHost: x\r\nExpect: the-unexpected\r\n\r\n", 417, "request-malformed"),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not-found"),
        (b"GET http://elsewhere/nowhere HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not-found"),
        (b"GET /v2/alerts/%00 HTTP/1.1\r\nHost: x\r\n\r\n", 401, "credentials-missing"),
        (b"BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400, "request-malformed"),
        (b"TRACE /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method-not-allowed"),
    ],
)
async def test_requests_that_lead_nowhere_are_problems(service, sent, status, code):
    async with service.connected() as (reader, writer):
        writer.write(sent)
        got, body = await answer(reader)
    assert (got, body["code"], body["status"]) == (status, code, status)


PATHS = rb"/v2/alerts /v2/alerts/meta /v2/alerts/export /v2/events /alerts /v2/edges /v2/alerts/%00 //x /.. *".split()
PARTS = (
    rb"""? & = filter= filter= limit=5 offset=-1 total=exact kind=alert severity data.a.b data."a" message timestamp
    edgeName %C2%B7 %B7 \xb7 is isAnyOf > contains isNotEmpty isBefore 5 1e999 "x" "%00" "%F0%9F%A6%8A" ["a"%2C"b"] [ "
    %ff # % + 2025-05-13%2016%3A11 \xff http://x:y@z""".replace(rb"\xb7", b"\xc2\xb7")
    .replace(rb"\xff", b"\xff")
    .split()
)


async def test_no_request_line_yields_a_500(service):
    """A thousand request lines of likely and unlikely bytes: each is answered, and none with a fault of ours."""
    luck = random.Random(802)
    key = service.made.auth_key.encode()
    statuses = Counter()
    for _ in range(1000):
        query = b"?filter=" + b"".join(luck.choices(PARTS, k=luck.randint(0, 9)))
        if luck.random() < 0.3:
            query = b"?filter=%b\xc2\xb7%b\xc2\xb7%b" % tuple(luck.choices(PARTS, k=3))
        target = luck.choice(PATHS) + luck.choice([b"", query, query])
        async with service.connected() as (reader, writer):
            writer.write(b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: %b\r\n\r\n" % (target, key))
            status = int((await reader.read(64)).split()[1])
        assert status < 500, target
        statuses[status] += 1
    assert min(statuses[200], statuses[400], statuses[404]) > 10
