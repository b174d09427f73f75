"""Syslog over TCP (RFC 6587) and TLS (RFC 5425), framed by octets or by lines: written, never confirmed.

Touches the network. Syslog itself acknowledges nothing. The most that can be said is that the receiver's kernel has
every byte: the window counts when the send queue is empty and the peer has not closed. What came after the cursor is
sent again on the next connection, and a window is small, so that is little. RELP is the better choice.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Literal

from pydantic import PositiveFloat

from eventgate.errors import Disconnected
from eventgate.forward.transports import Delivery, Limits, Refusal, Window
from eventgate.forward.transports.connection import Connection
from eventgate.forward.transports.settings import Address, Settings
from eventgate.forward.transports.tls import TlsSettings, client_contexts
from eventgate.journal.cursors import Standing
from eventgate.protocols import line_framing, octet_counting

_FIRST_LOOK, _LONGEST_LOOK = 0.0005, 0.004


class TcpSettings(Settings):
    """Keys of transport ``tcp``."""

    address: Address
    framing: Literal["octets", "newline"] = "octets"
    """Octet counting carries any message; RFC 5425 knows no other. Lines are for receivers that know nothing else."""
    timeout_seconds: PositiveFloat = 30.0


class SecureSettings(TcpSettings, TlsSettings):
    """Keys of transport ``tls``."""


class SyslogStream:
    """One connection to a syslog receiver, plain or TLS."""

    guarantee = "written"
    limits = Limits(events=1000, bytes=1 << 20)
    keeps_progress = False
    keeper: str | None = None

    def __init__(self, settings: TcpSettings) -> None:
        self._address = settings.address
        self._lines = settings.framing == "newline"
        self._timeout = settings.timeout_seconds
        self._context: Callable[[], ssl.SSLContext | None] = lambda: None
        self._server_name: str | None = None
        if isinstance(settings, SecureSettings):
            self._context = client_contexts(settings).current
            self._server_name = settings.server_name
        self._tls: ssl.SSLContext | None = None
        self._connection: Connection | None = None

    async def open(self, kept: Standing) -> Standing:
        self._tls = self._context()
        self._connection = await Connection.connect(self._address, self._tls, self._server_name)
        return kept

    async def deliver(self, window: Window) -> Delivery:
        assert self._connection is not None, "deliver before open"
        if self._context() is not self._tls:  # certificates changed, and nothing is on its way
            await self.close()
            await self.open(window.upto)
        self._connection.check()
        framed, refused = self._framed([outgoing.body for outgoing in window.events])
        try:
            async with asyncio.timeout(self._timeout):
                await self._connection.send(framed)
                await self._until_taken(self._connection)
        except TimeoutError:
            raise Disconnected(f"{self._address} took nothing for {self._timeout:g} s") from None
        self._connection.check()
        return Delivery(len(window.events), refused)

    async def probe(self) -> None:
        (await Connection.connect(self._address, self._context(), self._server_name)).close()

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _framed(self, messages: list[bytes]) -> tuple[bytes, list[Refusal]]:
        """What goes on the wire, and the messages that cannot."""
        if not self._lines:
            return octet_counting.frame(messages), []
        unfit = [number for number, message in enumerate(messages) if not line_framing.fits(message)]
        refused = [Refusal(number, "a line feed, with line framing, would make two messages of it") for number in unfit]
        return line_framing.frame(filter(line_framing.fits, messages)), refused

    @staticmethod
    async def _until_taken(connection: Connection) -> None:
        pause = _FIRST_LOOK
        while connection.unacknowledged():
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_LOOK)
