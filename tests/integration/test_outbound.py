"""HTTP of our own against real servers on the loopback: addresses, redirects, bounds, certificates, a proxy."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver

from eventgate.outbound import Outbound, OutboundError, Reach

PRIVATE = Reach(private=True)


class Naming(AbstractResolver):
    """Resolves any name to the next of its addresses: a name whose owner changes its mind."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked = 0

    async def resolve(self, host, port=0, family=socket.AF_INET):
        address = self.addresses[min(self.asked, len(self.addresses) - 1)]
        self.asked += 1
        found = {"hostname": host, "host": address, "port": port, "family": socket.AF_INET}
        return [{**found, "proto": 0, "flags": socket.AI_NUMERICHOST}]

    async def close(self):
        pass


class Server:
    """Counts what it was asked."""

    def __init__(self, port: int, hits: list[str]) -> None:
        self.port = port
        self.hits = hits
        self.url = f"http://127.0.0.1:{port}"


@asynccontextmanager
async def serving(
    answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    hits: list[str] = []

    async def handle(request):
        hits.append(request.path)
        return await answer(request)

    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield Server(runner.addresses[0][1], hits)
    finally:
        await runner.cleanup()


async def hello(request):
    return web.Response(text="hello")


async def get(url: str, reach: Reach = PRIVATE, *, seconds: float = 5, most_bytes: int = 100, **options):
    async with Outbound(reach, **options) as outbound:
        return await outbound.get(url, seconds=seconds, most_bytes=most_bytes)


async def failure(url: str, reach: Reach = PRIVATE, **options) -> str:
    with pytest.raises(OutboundError) as caught:
        await get(url, reach, **options)
    return str(caught.value)


async def test_an_answer_comes_whole():
    async with serving(hello) as server:
        answer = await get(f"{server.url}/x")
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"])
async def test_the_machine_itself_is_not_reached_without_permission(host):
    async with serving(hello) as server:
        said = await failure(f"http://{host}:{server.port}/", Reach())
        assert server.hits == []
    assert "private_addresses = true" in said or "not a canonical IPv4 address" in said


async def test_link_local_is_never_reached():
    assert "never reached" in await failure("http://169.254.169.254/latest/meta-data")
    assert "never reached" in await failure("http://metadata.test/", resolver=Naming("169.254.169.254"))


async def test_a_name_that_changes_its_mind_is_judged_each_time_it_is_dialled():
    """DNS rebinding: a name is harmless when it is looked at, and something else when it is used."""

    async def once(request):
        return web.Response(text="hello", headers={"Connection": "close"})

    async with serving(once) as server:
        naming = Naming("127.0.0.1", "169.254.169.254")
        url = f"http://gate.test:{server.port}/"
        async with Outbound(PRIVATE, resolver=naming) as outbound:
            assert (await outbound.get(url, seconds=5, most_bytes=10)).status == 200
            with pytest.raises(OutboundError, match="never reached"):
                await outbound.get(url, seconds=5, most_bytes=10)
        assert naming.asked == 2  # one look at the name for each connection: none in between to be fooled by


async def test_a_redirect_is_an_answer_and_nobody_follows_it():
    async def elsewhere(request):
        raise web.HTTPFound("/secret")

    async with serving(elsewhere) as server:
        answer = await get(f"{server.url}/start")
        assert server.hits == ["/start"]
    assert answer.status == 302


@pytest.mark.parametrize("declared", [True, False])
async def test_an_answer_that_is_too_long_is_left_unread(declared):
    async def flood(request):
        if declared:
            return web.Response(body=bytes(1000))
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(100_000))

    async with serving(flood) as server:
        assert "longer than 100 bytes" in await failure(f"{server.url}/")


async def test_an_answer_that_would_unpack_to_much_stays_packed():
    async def packed(request):
        return web.Response(body=b"\x1f\x8b not unpacked", headers={"Content-Encoding": "gzip"})

    async with serving(packed) as server:
        assert (await get(f"{server.url}/")).body == b"\x1f\x8b not unpacked"


async def test_an_answer_that_drips_is_given_up():
    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b".")
            await asyncio.sleep(0.01)

    async with serving(drip) as server:
        assert "in time" in await failure(f"{server.url}/", seconds=0.3, most_bytes=1_000_000)


async def test_what_is_said_of_a_failure_holds_no_secret():
    said = await failure("http://user:hunter2@127.0.0.1:1/?token=hunter2")
    assert "hunter2" not in said


async def test_certificates_are_checked_both_ways(certificates):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates.ca)
    tls.load_cert_chain(certificates.server, certificates.server_key)
    tls.verify_mode = ssl.CERT_REQUIRED
    ours = {"certificate_file": certificates.client, "key_file": certificates.client_key}
    async with serving(hello, tls) as server:
        url = f"https://127.0.0.1:{server.port}/"
        assert (await get(url, ca_file=certificates.ca, **ours)).body == b"hello"
        await failure(url, ca_file=certificates.stranger_ca, **ours)
        await failure(url, **ours)  # the system's authorities do not know it
        await failure(url, ca_file=certificates.ca)  # it wants a certificate of us


async def test_the_name_in_the_certificate_may_be_another_than_that_of_the_address(certificates):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.server, certificates.server_key)
    async with serving(hello, tls) as server:
        url = f"https://127.0.0.1:{server.port}/"
        assert (await get(url, ca_file=certificates.ca, server_name="localhost")).body == b"hello"
        assert "siem.test" in await failure(url, ca_file=certificates.ca, server_name="siem.test")


async def test_a_proxy_is_asked_to_connect_and_only_the_configured_one(certificates, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.server, certificates.server_key)
    async with serving(hello, tls) as server, connect_proxy(server.port) as (proxy, asked):
        answer = await get(f"https://localhost:{server.port}/", Reach(), ca_file=certificates.ca, proxy=proxy)
        assert answer.body == b"hello"
        assert asked == [f"localhost:{server.port}"]
        assert "never reached" in await failure("https://169.254.169.254/", Reach(), proxy=proxy)
        assert "private_addresses" in await failure("https://127.0.0.1/", Reach(), proxy=proxy)
        assert len(asked) == 1
    async with serving(hello) as server:
        assert (await get(server.url)).status == 200


@asynccontextmanager
async def connect_proxy(port: int) -> AsyncIterator[tuple[str, list[str]]]:
    """An HTTP proxy that knows CONNECT alone, and one destination."""
    asked: list[str] = []
    ways: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, authority, _ = (await reader.readline()).decode().split()
        assert method == "CONNECT"
        asked.append(authority)
        while (await reader.readline()).strip():
            pass
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        ways.add(asyncio.create_task(_pass_on(reader, far_writer)))
        await _pass_on(far_reader, writer)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    await asyncio.gather(*ways, return_exceptions=True)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while passed := await reader.read(65536):
            writer.write(passed)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_an_answer_that_is_not_http_is_told_in_few_words_and_without_the_url(garbage):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(garbage)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server, Outbound(PRIVATE) as outbound:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hidden?hidden"
        with pytest.raises(OutboundError) as told:
            await outbound.get(url, seconds=5, most_bytes=1000)
    assert "hidden" not in told.value.reason
    assert len(told.value.reason) < 300


async def test_who_leaves_lets_what_is_on_its_way_come_to_its_end():
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def late(request):
        asked.set()
        await may_answer.wait()
        return web.Response(text="late")

    async with serving(late) as server:
        outbound = await Outbound(PRIVATE).__aenter__()
        asking = asyncio.create_task(outbound.get(f"{server.url}/", seconds=5, most_bytes=100))
        await asked.wait()
        await outbound.leave()
        may_answer.set()
        assert (await asking).body == b"late"
        with pytest.raises(RuntimeError, match="closed"):
            await outbound.get(f"{server.url}/", seconds=5, most_bytes=100)
