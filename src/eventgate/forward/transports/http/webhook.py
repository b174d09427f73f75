"""Webhooks as Standard Webhooks describes them: signed, one event or a batch a request, ended by 410.

Touches the network.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from eventgate.clock import Clock
from eventgate.errors import Gone
from eventgate.forward.transports import Delivery, Limits, Receipt
from eventgate.forward.transports.http.answers import TooLarge, words
from eventgate.forward.transports.http.line import Line
from eventgate.forward.transports.http.requests import Cut, Part
from eventgate.forward.transports.http.settings import HttpSettings, secret
from eventgate.forward.transports.http.transport import WINDOWS, HttpTransport
from eventgate.forward.transports.reread import Reread
from eventgate.protocols import webhook

_BYTES = 1 << 20
_ROUNDS = 32
"""How often each request in flight is used in one window: the cursor of a slow receiver should move now and then."""


class WebhookSettings(HttpSettings):
    """Keys of transport ``webhook``."""

    secret_file: Path
    """Secrets ``whsec_…``, one a line; every message is signed with each of them."""
    in_flight: Annotated[int, Field(ge=1, le=64)] = 1
    batch: Annotated[int, Field(ge=1, le=1000)] = 1
    """The most events in one request: with 1 the body is the event, with more an array of events."""

    def read_files(self) -> None:
        self.secrets()

    def secrets(self) -> tuple[bytes, ...]:
        """Raises ConfigurationError."""
        found = secret("secret", None, self.secret_file, webhook.secrets)
        assert found is not None, "the settings demand a file"
        return found


class Webhook(HttpTransport):
    """One address. ``structured``: bodies are JSON objects; else they are lines of text."""

    def __init__(self, settings: WebhookSettings, clock: Clock, *, structured: bool) -> None:
        limits = Limits(min(settings.batch * settings.in_flight * _ROUNDS, 5000), 2 << 20, windows=WINDOWS)
        super().__init__(settings, limits, Cut(settings.batch, _BYTES), clock, at_once=settings.in_flight)
        self._arrays = structured and settings.batch > 1
        self._type = "application/json" if structured else "text/plain; charset=utf-8"
        self._secrets = Reread(settings.secrets, [settings.secret_file])

    async def _greet(self, line: Line) -> None:
        await line.ask("HEAD", self._url)

    async def _examine(self, line: Line) -> None:
        """Many receivers answer nothing but a POST, and that would be a message: any answer says that one is there."""
        await line.ask("HEAD", self._url)

    async def _send(self, part: Part) -> Delivery:
        bodies = [out.body for out in part]
        body = b"[%b]" % b",".join(bodies) if self._arrays else b"\n".join(bodies)
        message = webhook.message_id([out.event for out in part])
        now = self._clock.now_ms()
        headers = {
            "Content-Type": self._type,
            "webhook-id": message,
            "webhook-timestamp": str(now // 1000),
            "webhook-signature": webhook.signature(self._secrets.current(), message, now // 1000, body),
        }
        if part[0].replay:
            headers["eventgate-replay"] = "true"
        answer = await self._line.ask("POST", self._url, headers, body)
        if answer.status == 410:
            raise Gone(f"{words(answer, self._line.name)}; it wants nothing more: resume the sink if it does again")
        failure = self._failure(answer)
        if isinstance(failure, TooLarge) and len(part) > 1:
            self._cut.learn(part)
        if failure is not None:
            return Delivery(0, (), failure)
        return Delivery(len(part), receipt=Receipt({"status": answer.status, "webhookId": message}))
