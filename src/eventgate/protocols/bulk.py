"""The ``_bulk`` interface of Elasticsearch and OpenSearch: documents created under our own ids, and a verdict on each.

Pure. A request is lines: an action, a document, and so on, with a line feed at the end. The usual failure is a 200
whose items say which documents are not in.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

import msgspec

from eventgate.event import Event

_TIMESTAMP = b'{"@timestamp":'
_FIELD = re.compile(r"%[YmdH]")
_NAME = re.compile(r"^[^-_+A-Z\\/*?\"<>| ,#:%][^A-Z\\/*?\"<>| ,#:%]{0,200}$")
_HOUR_MS = 3_600_000
_json = msgspec.json.Encoder().encode
_SETTINGS = frozenset({"invalid_index_name_exception", "index_closed_exception", "validation_exception"})
"""Errors with status 400 that no other document would escape: they are for whoever looks after the cluster."""


class ProtocolError(Exception):
    """What came back is no answer to a bulk request."""


@dataclass(frozen=True, slots=True)
class Target:
    """The index or data stream that events go to. ``%Y %m %d %H`` stand for the event's own time, in UTC.

    Its own, and not today's: an event sent again meets itself in the same index.
    """

    pattern: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(_FIELD.sub("0", self.pattern)) or self.pattern in (".", ".."):
            raise ValueError(
                "expected the name of an index or data stream: lower case, at most 200 characters, none of"
                " \\ / * ? \" < > | , # : or blanks, not beginning with - _ or +; %Y %m %d %H are the event's time"
            )

    def create(self, event: Event, stamp: str, document: bytes, *, replay: bool = False) -> bytes:
        """The two lines that create one document, a JSON object without line breaks; ``stamp`` is its @timestamp.

        The id is the company's and the event's, so that a second creation is refused as a conflict. A document that
        begins with @timestamp keeps its own.
        """
        mark = b'"eventgate_replay":true,' if replay else b""
        if not document.startswith(_TIMESTAMP):
            mark = b'"@timestamp":"%b",%b' % (stamp.encode(), mark)
        return b'{"create":{"_index":%b,"_id":"%b.%b"}}\n{%b%b\n' % (
            _named(self.pattern, event.timestamp // _HOUR_MS),
            _json(event.company)[1:-1],
            _json(event.id)[1:-1],
            mark,
            document[1:],
        )


class Verdict(Enum):
    """What is to be done about one document."""

    DONE = auto()
    """It is in, now or already."""
    REFUSED = auto()
    """It will never be taken."""
    LATER = auto()
    """The cluster has no room for it now, or something about the index must be mended first."""


class Item(NamedTuple):
    """What became of one document, and why, in the receiver's words."""

    verdict: Verdict
    status: int
    reason: str


class _Error(msgspec.Struct):
    type: str = ""
    reason: str | None = None


class _Result(msgspec.Struct):
    status: int
    error: _Error | None = None


class _Created(msgspec.Struct):
    create: _Result


class _Answer(msgspec.Struct):
    items: list[_Created]


WANTED = "filter_path=items.create.status,items.create.error.type,items.create.error.reason"
"""The part of an answer that is read, as the query that asks for no more."""
_decode = msgspec.json.Decoder(_Answer).decode
_IN = Item(Verdict.DONE, 201, "")


def items(body: bytes, sent: int) -> Sequence[Item]:
    """Read the answer to a request of ``sent`` documents: one item each, in their order. Raises ProtocolError."""
    try:
        told = _decode(body).items
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"expected the items of a bulk request, got {body[:100]!r}: {error}") from None
    if len(told) != sent:
        raise ProtocolError(f"expected {sent} items, got {len(told)}")
    return [_IN if item.create.status == 201 else _item(item.create) for item in told]


def _item(result: _Result) -> Item:
    status, error = result.status, result.error or _Error()
    reason = f"{status} {error.type}: {error.reason or 'no reason given'}"
    if status in (200, 201, 409):
        return Item(Verdict.DONE, status, reason)
    if status == 400 and error.type not in _SETTINGS:
        return Item(Verdict.REFUSED, status, reason)
    return Item(Verdict.LATER, status, reason)


@lru_cache(1024)
def _named(pattern: str, hour: int) -> bytes:
    moment = datetime.fromtimestamp(hour * 3600, UTC)
    return _json(_FIELD.sub(lambda found: moment.strftime(found[0]), pattern))
