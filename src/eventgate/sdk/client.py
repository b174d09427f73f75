"""The client of a sensor: signs a write, sends it, and sends it again until it is answered.

Touches the network through Connection, and the clock. Not for several threads at once: take one client each.
"""

import gzip
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Self

from eventgate.errors import Unavailable
from eventgate.sdk.answer import Answer, read_answer
from eventgate.sdk.connection import Connection
from eventgate.signing.keys import SigningKey
from eventgate.signing.sign import sign

_PATH = "/v2/events"
_COMPRESS_FROM = 1024
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 30.0


class Client:
    """Sends events, signed. A write may be repeated without harm: the gate knows an event that it has.

    ``retry_for`` is how long one write is tried, in seconds, when the connection is lost or the gate says 429 or 503.
    ``on_wait`` hears why and for how many seconds the client is about to wait.
    ``now`` gives seconds since the epoch, ``sleep`` waits; tests hand in their own.
    """

    def __init__(
        self,
        url: str,
        auth_key: str,
        signing_key: SigningKey,
        verify_key_id: str,
        *,
        retry_for: float = 60.0,
        ca_file: str | PathLike[str] | None = None,
        connection: Connection | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection or Connection(url, ca_file=ca_file)
        self._auth_key = auth_key
        self._signing_key = signing_key
        self._verify_key_id = verify_key_id
        self.retry_for = retry_for
        self.on_wait: Callable[[Unavailable, float], None] = lambda _error, _seconds: None
        self._now = now
        self._sleep = sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def send(self, events: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Answer:
        """Send one event or a batch (at most 5,000) and return when it is answered.

        Raises CallerError where the write as a whole was refused, Unavailable where the gate could not take it in time.
        """
        return self.send_json(json.dumps(events, ensure_ascii=False, separators=(",", ":")).encode())

    def send_json(self, body: bytes) -> Answer:
        """Send JSON text as it is, one object or an array; compressed on the way where that pays."""
        fields = {"content-type": "application/json"}
        if len(body) >= _COMPRESS_FROM:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            fields["content-encoding"] = "gzip"
        patience, wait = self._now() + self.retry_for, _FIRST_WAIT
        while True:
            try:
                return self._attempt(fields, body)
            except Unavailable as error:
                pause = max(error.retry_after, random.uniform(wait / 2, wait))  # noqa: S311 - spreads retries, no secret
                if self._now() + pause > patience:
                    raise
                self.on_wait(error, pause)
            self._sleep(pause)
            wait = min(wait * 2, _LONGEST_WAIT)

    def _attempt(self, fields: Mapping[str, str], body: bytes) -> Answer:
        """Sign and send once; signed anew each time, since a signature goes stale while one waits."""
        signed = sign(
            "POST",
            self._connection.path(_PATH),
            body,
            self._signing_key,
            keyid=self._verify_key_id,
            created=int(self._now()),
            fields=fields,
        )
        try:
            reply = self._connection.request("POST", _PATH, {"Authorization": self._auth_key, **fields, **signed}, body)
        except ConnectionError as error:
            raise Unavailable("connection-lost", str(error), retry_after=0) from error
        return read_answer(reply.status, reply.headers, reply.body)
