"""Splunk's HTTP Event Collector: the envelope around one event, what its answers say, and acknowledgements to wait for.

Pure. A request is envelopes one after the other, no array. The answer's ``code`` says what is wrong; 0 means received.
With indexer acknowledgement an answer carries an ``ackId`` of the request's channel, and a question about ids is
answered by those that are indexed by now.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
import orjson

from eventgate.event import Event

SUCCESS = 0
ACKNOWLEDGEMENT_DISABLED = 14
_OF_THE_EVENTS = frozenset({5, 6, 12, 13, 15})
"""No data, invalid format, no event, empty event, indexed fields: the other codes are the token's or the channel's."""
_json = orjson.dumps
_uuid = msgspec.json.Encoder().encode  # in a fraction of the time that orjson takes for one


class ProtocolError(Exception):
    """What came back is no answer of an event collector."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What surrounds the events of one sink; what is None is left to the token's own settings.

    ``structured``: a body is a JSON object and becomes the event as it is; else it is text and becomes a string.
    ``host`` None: the sensor's serial number.
    """

    structured: bool
    index: str | None = None
    source: str | None = None
    sourcetype: str | None = None
    host: str | None = None

    def wrap(self, event: Event, serial: str, body: bytes, *, replay: bool = False) -> bytes:
        """One event. Its id, which a receiver drops repeats by, is an indexed field whatever the format."""
        seconds, ms = divmod(event.timestamp, 1000)
        return b'{"time":%d.%03d,"host":%b%b,"event":%b,"fields":{"eventgate_id":%b,"eventgate_company":%b%b}}' % (
            seconds,
            ms,
            _quoted(self.host or serial),
            _members(self.index, self.source, self.sourcetype),
            body if self.structured else _json(body.decode()),
            _uuid(event.id),
            _uuid(event.company),
            b',"eventgate_replay":"true"' if replay else b"",
        )


class Reply(NamedTuple):
    """An answer to a request. ``invalid`` is the number in the request of the first event that is not in (0 the first):
    those before it are.
    """

    code: int | None
    text: str
    ack: int | None
    invalid: int | None

    @property
    def blames_events(self) -> bool:
        """Whether a 400 with this is about what was sent; a proxy's, which has no code, may be."""
        return self.code is None or self.code in _OF_THE_EVENTS


def reply(body: bytes) -> Reply:
    """Read an answer; what is no JSON object has no code."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        return Reply(None, "", None, None)
    text = told.get("text")
    return Reply(
        _number(told.get("code")),
        text if isinstance(text, str) else "",
        _number(told.get("ackId")),
        _number(told.get("invalid-event-number")),
    )


def question(acks: Collection[int]) -> bytes:
    """The body that asks which of these are indexed."""
    return _json({"acks": sorted(acks)})


def indexed(body: bytes) -> set[int]:
    """Read what a question is answered by: the ids that are indexed. Each is told once. Raises ProtocolError."""
    try:
        told = orjson.loads(body)["acks"]
        return {int(ack) for ack, done in told.items() if done is True}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
        raise ProtocolError(f"expected acknowledgements, got {body[:100]!r}") from None


@lru_cache(4096)
def _quoted(text: str) -> bytes:
    return _json(text)


@lru_cache(64)
def _members(index: str | None, source: str | None, sourcetype: str | None) -> bytes:
    named = {"index": index, "source": source, "sourcetype": sourcetype}
    return b"".join(b',"%b":%b' % (name.encode(), _json(value)) for name, value in named.items() if value is not None)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
