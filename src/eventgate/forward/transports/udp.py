"""Syslog over UDP (RFC 5426): one message a datagram, best effort.

Touches the network. Nobody says whether a datagram arrived; a receiver's host that says "nobody listens" is believed.
"""

import asyncio
import errno
import os
import socket

from eventgate.errors import Disconnected
from eventgate.forward.transports import Delivery, Limits, Refusal, Window
from eventgate.forward.transports.settings import Address, Settings, host_and_port
from eventgate.journal.cursors import Standing

_LARGEST_DATAGRAM = 65_507
_BREATH = 32
"""Datagrams sent in one go: a receiver's buffer is small, and what it cannot hold is lost without a word."""


class UdpSettings(Settings):
    """Keys of transport ``udp``."""

    address: Address


class SyslogDatagrams:
    """One socket that sends to one address."""

    guarantee = "best effort"
    limits = Limits(events=500, bytes=1 << 20, event_bytes=_LARGEST_DATAGRAM)
    keeps_progress = False
    keeper: str | None = None

    def __init__(self, settings: UdpSettings) -> None:
        self._address = settings.address
        self._socket: socket.socket | None = None

    async def open(self, kept: Standing) -> Standing:
        self._socket = await self._made()
        return kept

    async def deliver(self, window: Window) -> Delivery:
        assert self._socket is not None, "deliver before open"
        loop = asyncio.get_running_loop()
        refused: list[Refusal] = []
        for number, outgoing in enumerate(window.events):
            if number % _BREATH == 0:
                await asyncio.sleep(0.001)
            try:
                await loop.sock_sendall(self._socket, outgoing.body)
            except OSError as error:
                if error.errno == errno.EMSGSIZE:
                    refused.append(
                        Refusal(number, f"too long for a datagram on this route: {len(outgoing.body)} octets")
                    )
                    continue
                return self._nobody_there(error.errno or 0)
        await asyncio.sleep(0.001)
        if error_number := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return self._nobody_there(error_number)
        return Delivery(len(window.events), refused)

    async def probe(self) -> None:
        (await self._made()).close()

    async def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _nobody_there(self, error_number: int) -> Delivery:
        """An answer to some datagram sent before, nobody says which: the whole window goes again later."""
        return Delivery(0, (), Disconnected(f"{self._address}: {os.strerror(error_number)}"))

    async def _made(self) -> socket.socket:
        host, port = host_and_port(self._address)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            family, kind, protocol, _, address = found[0]
            sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            sock.connect(address)
        except OSError as error:
            raise Disconnected(f"cannot send to {self._address}: {error.strerror}") from error
        return sock
