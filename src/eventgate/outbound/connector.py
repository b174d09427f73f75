"""HTTP that the gate makes itself: the dialled address is judged, no redirect is followed, answers are bounded.

Touches the network. The name is resolved once for each connection, and the judged address is the one dialled: a name
that resolves to something else a moment later gains nothing.
"""

import socket
import ssl
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from eventgate.errors import EventGateError
from eventgate.outbound.reach import AddressRefused, Reach

_CONNECT_SECONDS = 5.0
_HEADERS = {"User-Agent": "EventGate", "Accept-Encoding": "identity"}
_MOST_TOLD = 200
"""Characters of what a parser quotes of an answer that it could not read."""


class OutboundError(EventGateError):
    """No answer was had: not reachable, not allowed, not in time, too long. The message holds no header and no body.

    ``reason`` is the message without the address asked, for addresses that are secrets themselves.
    """

    def __init__(self, reason: str, asked: str | None = None) -> None:
        super().__init__(f"{asked}: {reason}" if asked else reason)
        self.reason = reason


class Answer(NamedTuple):
    """A whole answer. A redirect is one as well: nobody follows it."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outbound:
    """One purpose's way out: its permission, certificates, proxy and connections. An async context manager.

    ``ca_file`` replaces the system's authorities; ``certificate_file`` with ``key_file`` is what we show (PEM).
    ``server_name`` is the name that certificates must carry, where that is not the address's host.
    ``proxy`` is the URL of an HTTP proxy that the operator configured (for HTTPS it is asked to CONNECT). It may have
    a private address; what stands behind it is the proxy's to judge, but for addresses written out, which we judge.
    The environment's proxy variables are not read. Raises OSError or ssl.SSLError for certificates that are not usable.
    """

    def __init__(
        self,
        reach: Reach | None = None,
        *,
        ca_file: Path | None = None,
        certificate_file: Path | None = None,
        key_file: Path | None = None,
        server_name: str | None = None,
        proxy: str | None = None,
        connections: int = 8,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._reach = reach or Reach()
        self._dialled = Reach(private=True) if proxy else self._reach
        self._proxy = proxy
        self._server_name = server_name
        self._connections = connections
        self._resolver = resolver
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate_file is not None:
            self._tls.load_cert_chain(certificate_file, key_file)
        self._session: aiohttp.ClientSession | None = None
        self._asked = 0
        self._leaving = False

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            ssl=self._tls,
            limit=self._connections,
            resolver=self._resolver,
            use_dns_cache=False,
            socket_factory=self._socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            auto_decompress=False,
            trust_env=False,
        )
        self._leaving = False
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None, "left without having been entered"
        await self._session.close()

    async def leave(self) -> None:
        """As leaving the context, once no request is on its way any more."""
        self._leaving = True
        if not self._asked:
            await self.__aexit__(None, None, None)

    async def get(self, url: str, *, seconds: float, most_bytes: int) -> Answer:
        """As ``request`` with GET."""
        return await self.request("GET", url, seconds=seconds, most_bytes=most_bytes)

    async def request(
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        most_bytes: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Ask once, from resolving the name to the last byte of the answer within ``seconds``. Raises OutboundError.

        The answer is taken as sent: whoever wants it compressed asks for that, and unpacks it within a bound.
        """
        assert self._session is not None, "not entered"
        target = URL(url)
        self._asked += 1
        try:
            if self._proxy and target.host and _is_address(target.host):
                self._reach.demand(target.host)
            async with self._session.request(
                method,
                target,
                data=body,
                headers=headers,
                allow_redirects=False,
                proxy=self._proxy,
                server_hostname=self._server_name,
                timeout=_timeout(seconds),
            ) as response:
                return Answer(response.status, response.headers, await _read(response, most_bytes))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise OutboundError(_reason(error), f"{method} {target.with_user(None).with_query(None)}") from error
        finally:
            self._asked -= 1
            if self._leaving:
                await self.leave()

    def _socket(self, dialled: Any) -> socket.socket:
        """Make the socket for one address that is about to be dialled: the last moment to refuse it."""
        family, kind, protocol, _, address = dialled
        self._dialled.demand(address[0])
        return socket.socket(family, kind, protocol)


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    if response.content.at_eof():
        return b""
    if (response.content_length or 0) > most_bytes:
        response.close()
        raise OutboundError(f"the answer is longer than {most_bytes} bytes")
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > most_bytes:
            response.close()
            raise OutboundError(f"the answer is longer than {most_bytes} bytes")
    return bytes(body)


@lru_cache
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT_SECONDS))


def _is_address(host: str) -> bool:
    return host.replace(".", "").isdigit() or ":" in host


def _reason(error: BaseException) -> str:
    """What went wrong in a few words; a refused address is told even where the library wraps it."""
    if isinstance(error, TimeoutError):
        return "no whole answer in time"
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, AddressRefused):
            return str(inner.strerror)
        inner = inner.__cause__ or inner.__context__
    if isinstance(error, aiohttp.ClientResponseError):  # its own text ends with the whole URL, a proxy's password too
        return f"no answer in HTTP: {error.status}, {error.message[:_MOST_TOLD]}"
    if isinstance(error, aiohttp.InvalidURL):
        return error.description or "the URL is not valid"
    return str(error) or type(error).__name__
