"""Splunk's HTTP Event Collector, with indexer acknowledgement (confirmed) and without (written).

Touches the network. Without acknowledgement a 200 means that the collector received the events, before they were
indexed: what it loses then, nobody hears of.
"""

import asyncio
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, PositiveFloat, StringConstraints, field_validator, model_validator

from eventgate.clock import Clock
from eventgate.errors import Deferred, Disconnected
from eventgate.forward.transports import Delivery, Limits, Receipt, Refusal
from eventgate.forward.transports.http.acknowledgements import Acknowledgements
from eventgate.forward.transports.http.answers import TooLarge, patience, readable, words
from eventgate.forward.transports.http.compression import packed
from eventgate.forward.transports.http.line import Line
from eventgate.forward.transports.http.requests import Cut, Part
from eventgate.forward.transports.http.settings import BaseUrl, HttpSettings, header_word, secret
from eventgate.forward.transports.http.transport import ROUNDS, WINDOWS, HttpTransport
from eventgate.forward.transports.reread import Reread
from eventgate.outbound import Answer
from eventgate.protocols import hec

_Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_EVENTS, _BYTES = 500, 1 << 20


class HecSettings(HttpSettings):
    """Keys of transport ``hec``."""

    sent: ClassVar[tuple[str, ...]] = ("token", "token_file")

    url: BaseUrl
    token: Annotated[str | None, Field(repr=False)] = None
    token_file: Path | None = None
    index: _Word | None = None
    source: _Word | None = None
    sourcetype: _Word | None = None
    host: _Word | None = None
    """Of every event; left out: its sensor's serial number."""
    acknowledge: bool = True
    acknowledge_seconds: PositiveFloat = 300.0
    """How long an event may take to be indexed; after that it is sent again."""
    gzip: bool = False

    @field_validator("url")
    @classmethod
    def _without_path(cls, url: str) -> str:
        if "/services/collector" in url:
            raise ValueError("expected the address before /services/collector")
        return url

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        if (self.token is None) == (self.token_file is None):
            raise ValueError("expected one of token and token_file")
        if self.token is not None:
            header_word(self.token)
        return self

    def read_files(self) -> None:
        self.read_token()

    def read_token(self) -> str | None:
        """Raises ConfigurationError."""
        return secret("token", self.token, self.token_file, header_word)

    @property
    def guarantee(self) -> str:
        return "confirmed" if self.acknowledge else "written"


class Hec(HttpTransport):
    """One channel of one collector."""

    def __init__(self, settings: HecSettings, clock: Clock, *, channel: uuid.UUID, structured: bool) -> None:
        if settings.acknowledge:  # all requests of all windows may wait for the indexers together
            limits = Limits(5000, 4 << 20, windows=WINDOWS)
            at_once = WINDOWS * (limits.events // _EVENTS + 8)
        else:
            limits = Limits(min(settings.in_flight * _EVENTS * ROUNDS, 4000), 4 << 20, windows=WINDOWS)
            at_once = settings.in_flight
        super().__init__(settings, limits, Cut(_EVENTS, _BYTES), clock, at_once=at_once)
        self._asking = asyncio.Semaphore(settings.in_flight)
        self.guarantee = settings.guarantee
        self._acknowledge = settings.acknowledge
        self._compress = settings.gzip
        self._envelope = hec.Envelope(structured, settings.index, settings.source, settings.sourcetype, settings.host)
        self._channel = str(channel)
        self._ack_url = f"{self._url}/services/collector/ack?channel={channel}"
        self._token = Reread(settings.read_token, [settings.token_file])
        self._acks = Acknowledgements(self._indexed, settings.acknowledge_seconds)

    async def close(self) -> None:
        await self._acks.close()
        await super().close()

    async def _greet(self, line: Line) -> None:
        """The acknowledgement's address knows the token, and says before any event if it has none to give."""
        if not self._acknowledge:
            await line.ask("GET", f"{self._url}/services/collector/health", self._headers())
            return
        answer = await line.ask("POST", self._ack_url, self._headers(), hec.question([0]))
        if answer.status != 400:
            self._demand_success(answer)
        elif hec.reply(answer.body).code == hec.ACKNOWLEDGEMENT_DISABLED:
            said = words(answer, line.name)
            raise Deferred(f"{said}; enable indexer acknowledgement for the token, or set acknowledge = false")

    async def _examine(self, line: Line) -> None:
        health = await line.ask("GET", f"{self._url}/services/collector/health", self._headers())
        self._demand_success(health)
        if self._acknowledge:
            await self._greet(line)
        else:  # health knows no token; a request without events is refused for that alone, by who accepts the token
            answer = await line.ask("POST", f"{self._url}/services/collector/event", self._headers(), b"")
            if answer.status != 400 or not hec.reply(answer.body).blames_events:
                self._demand_success(answer)

    async def _send(self, part: Part) -> Delivery:
        try:
            async with self._asking:
                if self._requests.failed:
                    return Delivery(0, (), Disconnected("a request before this one failed"))
                answer = await self._ask(part)
            return await self._fate(part, answer, hec.reply(answer.body))
        except Disconnected as error:
            self._acks.lose(error)  # an answer got lost, and the id in it
            raise

    async def _ask(self, part: Part) -> Answer:
        wrap = self._envelope.wrap
        plain = b"\n".join([wrap(out.event, out.names.serial, out.body, replay=out.replay) for out in part])
        body, coding = await packed(plain, compress=self._compress)
        url = f"{self._url}/services/collector/event"
        return await self._line.ask("POST", url, {**self._headers(), **coding}, body)

    async def _fate(self, part: Part, answer: Answer, reply: hec.Reply) -> Delivery:
        said = words(answer, self._line.name)
        if answer.status == 200 and reply.code == hec.SUCCESS:
            told: dict[str, Any] = {"status": answer.status}
            if self._acknowledge:
                if reply.ack is None:
                    raise Deferred(f"{said}; expected an ackId: does the token have indexer acknowledgement?")
                await self._acks.wait(reply.ack)
                told |= {"channel": self._channel, "ackId": reply.ack}
            return Delivery(len(part), receipt=Receipt(told))
        if 200 <= answer.status < 300:
            raise Deferred(f"{said}; an event collector answers 200 with code 0")
        if answer.status == 400 and not reply.blames_events:
            raise Deferred(said, patience(answer.headers, self._clock.now_ms()))
        if answer.status == 400 and reply.invalid is not None and 0 <= reply.invalid < len(part):
            return await self._without(part, reply.invalid, said)
        failure = self._failure(answer)
        assert failure is not None, "success was seen to"
        if isinstance(failure, TooLarge) and len(part) > 1:
            self._cut.learn(part)
        return Delivery(0, (), failure)

    async def _without(self, part: Part, bad: int, said: str) -> Delivery:
        """The events before the bad one are in; where the indexers' word counts, they go again to be given an id."""
        if self._acknowledge and bad:
            before = await self._send(part[:bad])
            if before.finished < bad or before.failure is not None:
                return before
            return Delivery(bad + 1, [Refusal(bad, said)], receipt=before.receipt)
        return Delivery(bad + 1, [Refusal(bad, said)])

    async def _indexed(self, acks: Collection[int]) -> set[int]:
        answer = await self._line.ask("POST", self._ack_url, self._headers(), hec.question(acks))
        if answer.status == 400:
            raise Deferred(words(answer, self._line.name))
        self._demand_success(answer)
        try:
            return hec.indexed(answer.body)
        except hec.ProtocolError as error:
            raise Disconnected(f"{self._line.name}: {readable(str(error))}") from error

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Splunk {self._token.current()}",
            "X-Splunk-Request-Channel": self._channel,
            "Content-Type": "application/json",
        }
