"""RELP, plain or TLS: the receiver acknowledges every message, so what counts is confirmed.

Touches the network. Messages go out as long as the receiver's window has room, answers come in meanwhile.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from eventgate.errors import Disconnected
from eventgate.forward.transports import Delivery, Limits, Receipt, Refusal, Window
from eventgate.forward.transports.connection import Connection
from eventgate.forward.transports.settings import Address
from eventgate.forward.transports.tls import TlsSettings, client_contexts
from eventgate.journal.cursors import START, Standing
from eventgate.protocols import relp

_FAREWELL_SECONDS = 1.0


class RelpSettings(TlsSettings):
    """Keys of transport ``relp``."""

    address: Address
    tls: bool = False
    window: Annotated[int, Field(ge=1, le=10_000)] = relp.WINDOW
    timeout_seconds: PositiveFloat = 30.0
    max_message_bytes: PositiveInt = 128 << 10
    """The receiver's largest message (rsyslog: maxDataSize); a longer event becomes a dead letter."""

    @model_validator(mode="after")
    def _secure_or_not(self) -> Self:
        # Who names certificates means TLS; to send in the clear instead would go unnoticed.
        if not self.tls and (self.ca_file or self.certificate_file or self.server_name):
            raise ValueError("ca_file, certificate_file and server_name need tls = true")
        return self


class Relp:
    """One RELP session at a time."""

    guarantee = "confirmed"
    keeps_progress = False
    keeper: str | None = None

    def __init__(self, settings: RelpSettings) -> None:
        self._settings = settings
        self.limits = Limits(events=2000, bytes=2 << 20, event_bytes=settings.max_message_bytes)
        self._context: Callable[[], ssl.SSLContext | None] = lambda: None
        if settings.tls:
            self._context = client_contexts(settings).current
        self._tls: ssl.SSLContext | None = None
        self._connection: Connection | None = None
        self._client = relp.RelpClient(settings.window)

    async def open(self, kept: Standing) -> Standing:
        self._client = relp.RelpClient(self._settings.window)
        self._tls = self._context()
        self._connection = await Connection.connect(self._settings.address, self._tls, self._settings.server_name)
        await self._connection.send(self._client.open())
        while not self._client.ready:
            await self._answers(self._connection)
        return kept

    async def deliver(self, window: Window) -> Delivery:
        """Messages are numbered over the session; a window that broke off is followed by a new session."""
        assert self._connection is not None, "deliver before open"
        if self._context() is not self._tls:  # certificates changed, and nothing is on its way
            await self.close()
            await self.open(window.upto)
        client, first = self._client, self._client.sent
        receipt = Receipt({"transaction": client.next_transaction})
        bodies = [outgoing.body for outgoing in window.events]
        refused: list[Refusal] = []
        try:
            while (finished := client.finished - first) < len(bodies):
                sent = client.sent - first
                if room := min(client.room, len(bodies) - sent):
                    await self._connection.send(client.send(bodies[sent : sent + room]))
                refused += [Refusal(number - first, reason) for number, reason in await self._answers(self._connection)]
        except Disconnected as failure:
            finished = client.finished - first
            return Delivery(finished, [refusal for refusal in refused if refusal.number < finished], failure, receipt)
        return Delivery(finished, refused, receipt=receipt)

    async def probe(self) -> None:
        """A session of its own, opened and closed: RELP receivers serve many."""
        other = Relp(self._settings)
        try:
            await other.open(START)
        finally:
            await other.close()

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if self._client.ready and not self._client.closed and not self._client.waiting:
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await connection.send(self._client.close())
        except (Disconnected, TimeoutError):
            pass
        finally:
            connection.close()

    async def _answers(self, connection: Connection) -> list[relp.Refusal]:
        """Wait for the receiver's next words. Silence for longer than the timeout is a lost connection."""
        if self._client.closed:
            raise Disconnected(f"{self._settings.address} closed the session")
        timeout = self._settings.timeout_seconds
        try:
            async with asyncio.timeout(timeout):
                return self._client.receive(await connection.receive())
        except TimeoutError:
            raise Disconnected(f"{self._settings.address} answered nothing for {timeout:g} s") from None
        except relp.ProtocolError as error:
            raise Disconnected(f"{self._settings.address}: {error}") from error
