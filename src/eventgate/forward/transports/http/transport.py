"""What every transport over HTTP does alike: open, deliver a window as requests, probe, close.

Touches the network through its line. HTTP has no session to speak of: ``open`` asks the receiver something that costs
nothing, so that one who is away is noticed before a window goes out.
"""

import asyncio
from abc import ABC, abstractmethod

from eventgate.clock import Clock
from eventgate.errors import DeliveryError
from eventgate.forward.transports import Delivery, Limits, Window
from eventgate.forward.transports.http.answers import failure_of
from eventgate.forward.transports.http.line import Line
from eventgate.forward.transports.http.requests import Cut, Part, Requests
from eventgate.forward.transports.http.settings import HttpSettings
from eventgate.journal.cursors import Cursor, Standing
from eventgate.outbound import Answer

WINDOWS = 2
"""On their way at once: while the last answers of one come in, the requests of the next are out already."""
ROUNDS = 2
"""How often each request in flight is used in one window."""


class HttpTransport(ABC):
    """A transport but for its protocol."""

    guarantee = "confirmed"
    keeps_progress = False
    keeper: str | None = None

    def __init__(self, settings: HttpSettings, limits: Limits, cut: Cut, clock: Clock, *, at_once: int) -> None:
        self.limits = limits
        self._settings = settings
        self._clock = clock
        self._cut = cut
        self._requests = Requests(self._send, at_once)
        self._beginning = asyncio.Lock()
        self._line = Line(settings)
        self._url = settings.url
        self._sent: dict[Cursor, int] = {}

    async def open(self, kept: Standing) -> Standing:
        await self._line.refresh()
        await self._greet(self._line)
        return kept

    async def deliver(self, window: Window) -> Delivery:
        async with self._beginning:  # windows keep their order
            await self._line.refresh()
            parts = self._cut.parts(window.events, self._sent)
        unfinished = parts
        try:
            delivery, unfinished = await self._requests.carry(parts)
        finally:
            for part in parts:
                self._sent.pop(part[0].place, None)
            self._sent |= {part[0].place: len(part) for part in unfinished}
        return delivery

    async def probe(self) -> None:
        line = Line(self._settings)
        try:
            await line.refresh()
            await self._examine(line)
        finally:
            await line.close()

    async def close(self) -> None:
        await self._line.close()

    @abstractmethod
    async def _send(self, part: Part) -> Delivery:
        """Send one request; see ``requests.Send``."""

    @abstractmethod
    async def _greet(self, line: Line) -> None:
        """Raise DeliveryError where it is clear before any event that none will be taken."""

    @abstractmethod
    async def _examine(self, line: Line) -> None:
        """As ``_greet``, for an operator who asks whether the configuration is right."""

    def _failure(self, answer: Answer) -> DeliveryError | None:
        return failure_of(answer, self._line.name, self._clock.now_ms())

    def _demand_success(self, answer: Answer) -> None:
        if (failure := self._failure(answer)) is not None:
            raise failure
