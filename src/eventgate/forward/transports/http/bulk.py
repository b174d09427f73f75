"""The bulk interface of Elasticsearch and OpenSearch: every document under our id, so that a repeat changes nothing.

Touches the network.
"""

import base64
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from eventgate.clock import Clock
from eventgate.errors import Deferred
from eventgate.formats.times import rfc3339
from eventgate.forward.transports import Delivery, Limits, Receipt, Refusal
from eventgate.forward.transports.http.answers import TooLarge, readable, words
from eventgate.forward.transports.http.compression import packed
from eventgate.forward.transports.http.line import Line
from eventgate.forward.transports.http.requests import Cut, Part
from eventgate.forward.transports.http.settings import BaseUrl, HttpSettings, header_word, secret
from eventgate.forward.transports.http.transport import ROUNDS, WINDOWS, HttpTransport
from eventgate.forward.transports.reread import Reread
from eventgate.protocols import bulk
from eventgate.protocols.bulk import Verdict

_EVENTS, _BYTES = 500, 1 << 20


def _target(text: str) -> str:
    bulk.Target(text)
    return text


class BulkSettings(HttpSettings):
    """Keys of transport ``bulk``."""

    sent: ClassVar[tuple[str, ...]] = ("api_key", "api_key_file", "password", "password_file")

    url: BaseUrl
    index: Annotated[str, AfterValidator(_target)] = "eventgate-%Y.%m.%d"
    """An index or a data stream."""
    api_key: Annotated[str | None, Field(repr=False)] = None
    """As the cluster encodes it."""
    api_key_file: Path | None = None
    username: str | None = None
    password: Annotated[str | None, Field(repr=False)] = None
    password_file: Path | None = None
    gzip: bool = False

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if self.api_key is not None:
            header_word(self.api_key)
        keys = [self.api_key, self.api_key_file]
        passwords = [self.password, self.password_file]
        if sum(told is not None for told in [*keys, *passwords]) > 1:
            raise ValueError("expected at most one of api_key, api_key_file, password and password_file")
        if (self.username is None) != (passwords == [None, None]):
            raise ValueError("username belongs with one of password and password_file")
        return self

    def read_files(self) -> None:
        self.authorization()

    def authorization(self) -> dict[str, str]:
        """The header that says who we are. Raises ConfigurationError."""
        if key := secret("api_key", self.api_key, self.api_key_file, header_word):
            return {"Authorization": f"ApiKey {key}"}
        if (password := secret("password", self.password, self.password_file, str)) is not None:
            told = base64.b64encode(f"{self.username}:{password}".encode()).decode("ascii")
            return {"Authorization": f"Basic {told}"}
        return {}


class Bulk(HttpTransport):
    """One index, data stream, or family of indices of one cluster."""

    def __init__(self, settings: BulkSettings, clock: Clock) -> None:
        limits = Limits(min(settings.in_flight * _EVENTS * ROUNDS, 4000), 4 << 20, windows=WINDOWS)
        super().__init__(settings, limits, Cut(_EVENTS, _BYTES), clock, at_once=settings.in_flight)
        self._target = bulk.Target(settings.index)
        self._compress = settings.gzip
        files = [settings.api_key_file, settings.password_file]
        self._authorization = Reread(settings.authorization, files)

    async def _greet(self, line: Line) -> None:
        """Any answer but a 401 will do: a key that may write need not be allowed to ask who is there."""
        answer = await line.ask("HEAD", f"{self._url}/", self._authorization.current())
        if answer.status == 401:
            self._demand_success(answer)

    async def _examine(self, line: Line) -> None:
        answer = await line.ask("GET", f"{self._url}/", self._authorization.current())
        if answer.status != 403:
            self._demand_success(answer)

    async def _send(self, part: Part) -> Delivery:
        create = self._target.create
        plain = b"".join([create(out.event, rfc3339(out.event.timestamp), out.body, replay=out.replay) for out in part])
        body, coding = await packed(plain, compress=self._compress)
        headers = {**self._authorization.current(), **coding, "Content-Type": "application/x-ndjson"}
        answer = await self._line.ask("POST", f"{self._url}/_bulk?{bulk.WANTED}", headers, body)
        if (failure := self._failure(answer)) is not None:
            if isinstance(failure, TooLarge) and len(part) > 1:
                self._cut.learn(part)
            return Delivery(0, (), failure)
        try:
            items = bulk.items(answer.body, len(part))
        except bulk.ProtocolError as error:
            raise Deferred(f"{words(answer, self._line.name)}: {readable(str(error))}") from error
        refused: list[Refusal] = []
        for number, item in enumerate(items):
            if item.verdict is Verdict.DONE:
                continue
            reason = f"{self._line.name}: {readable(item.reason)}"
            if item.verdict is Verdict.LATER:
                return Delivery(number, refused, Deferred(reason), Receipt({"status": answer.status}))
            refused.append(Refusal(number, reason))
        return Delivery(len(part), refused, receipt=Receipt({"status": answer.status}))
