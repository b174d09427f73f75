"""``/v2/alerts/stream``: alerts as they are committed, as server-sent events (WHATWG HTML, section 9.2).

Touches HTTP and the journal's tail: a stream is one more reader with a cursor, which its caller keeps. The id of an
event is its place in the journal; a caller that sends it back as ``Last-Event-ID`` misses nothing.
"""

import re
from collections.abc import Sequence

import orjson
from aiohttp import web

from eventgate.api import shown
from eventgate.api.answers import stamp
from eventgate.api.filters import FILTER
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import answer
from eventgate.clock import Clock
from eventgate.errors import CallerError, Unavailable
from eventgate.event import Kind
from eventgate.journal.batch import Batch
from eventgate.journal.cursors import Cursor, after_all_of
from eventgate.journal.reading import Journal
from eventgate.journal.tail import Tail
from eventgate.query import Matcher, parse_filters
from eventgate.sensors import Directory

COMMENT_SECONDS = 15.0
MOST_STREAMS = 200
"""Live streams of one process: each costs a connection, and a look at every event."""

_LOOK_SECONDS = 1.0
_CHECK_SECONDS = 0.5
"""How long a stream goes on without asking whether its caller still may."""

_EVENTS_AT_ONCE = 500
_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""The last is for nginx, which would else hold events back."""

_PLACE = re.compile(r"([0-9]{1,18})\.([0-9]{1,10})", re.ASCII)
_DESCRIPTION = """\
Each event is called `alert`; its data is the alert as `/v2/alerts` prints it. Send the id of the last one you have seen
as `Last-Event-ID` to go on from there; without it the stream begins now. Events that are no longer kept are told by an
event called `expired`, whose data counts them. A comment comes every 15 seconds.
"""


class Stream:
    """The live stream; ``stop`` ends all that are open, for the drain."""

    def __init__(self, journal: Journal, tail: Tail, directory: Directory, clock: Clock) -> None:
        self._journal = journal
        self._tail = tail
        self._directory = directory
        self._clock = clock
        self._open = 0
        self._stopping = False

    def routes(self) -> Sequence[Route]:
        text = answer("Events without end", {"type": "string"}, "text/event-stream")
        operation = Operation("Alerts as they come in", "alerts", {200: text}, description=_DESCRIPTION)
        return (
            Route(
                "GET", "/v2/alerts/stream", "alerts:read", self.follow, operation, (FILTER, CUSTOMER),
                aliases=("/alerts/stream",), streamed=True,
                optional_headers={"Last-Event-ID": "Where to go on: an event's id."},
            ),
        )  # fmt: skip

    async def stop(self) -> None:
        self._stopping = True

    async def follow(self, call: Call) -> web.StreamResponse:
        matches = parse_filters(call.parameters["filter"]).matcher()
        cursor = await self._begin(call.request.headers.get("Last-Event-ID"))
        if self._open >= MOST_STREAMS or self._stopping:
            raise Unavailable("busy", "Too many live streams are open. Try again later.", retry_after=5)
        response = web.StreamResponse(headers=_HEADERS)
        self._open += 1
        try:
            stamp(call.request, response)
            await response.prepare(call.request)
            await self._run(call, response, matches, cursor)
        except (ConnectionError, Unavailable, CallerError):
            pass  # the caller left, as all do one day; or it must: the answer has begun, and only its end can tell
        finally:
            self._open -= 1
        return response

    async def _begin(self, last_event_id: str | None) -> Cursor:
        head = await self._journal.head()
        if not last_event_id:
            return after_all_of(head.position)
        place = _PLACE.fullmatch(last_event_id)
        if place is None or int(place[1]) > head.position:
            raise CallerError(
                400, "last-event-id-malformed", "Last-Event-ID is not an id that this stream has given to an event."
            )
        position, index = int(place[1]), int(place[2])
        return min(Cursor(position, index), after_all_of(position))

    async def _run(self, call: Call, response: web.StreamResponse, matches: Matcher, cursor: Cursor) -> None:
        await response.write(_still_at(cursor) + b"retry: 1000\n\n")
        said = checked = self._clock.monotonic()
        while not self._stopping and _is_open(call.request):
            batches = await self._tail.read(cursor, max_events=_EVENTS_AT_ONCE)
            if self._clock.monotonic() - checked >= _CHECK_SECONDS:
                await call.check_again()
                checked = self._clock.monotonic()
            if batches:
                await self._directory.warm(call.principal.company)
            for batch in batches:
                text = b"".join(self._told(call, batch, matches))
                if text:
                    await response.write(text)
                    said = self._clock.monotonic()
                cursor = batch.end
            if self._clock.monotonic() - said >= COMMENT_SECONDS:
                await response.write(_still_at(cursor) + b"\n")
                said = self._clock.monotonic()
            if not batches:
                await self._tail.wait(cursor.position, _LOOK_SECONDS)

    def _told(self, call: Call, batch: Batch, matches: Matcher) -> Sequence[bytes]:
        """The caller's matching alerts of one batch, as events of the stream."""
        company = call.principal.company
        told = []
        if batch.expired:
            told.append(b'event: expired\ndata: {"expired":%d}\n\n' % batch.expired)
        for place, event in batch.placed():
            if event.company != company or event.kind is not Kind.ALERT:
                continue
            names = self._directory.names(company, event.sensor)
            if matches(event, names):
                text = orjson.dumps(shown.alert_of_journal(event, names))
                told.append(b"event: alert\nid: %d.%d\ndata: %b\n\n" % (place.position, place.index, text))
        return told


def _still_at(cursor: Cursor) -> bytes:
    """A comment and a place: whoever has seen no event yet, or none for long, resumes from there too."""
    return b": still here\nid: %d.%d\n" % (cursor.position, cursor.index)


def _is_open(request: web.Request) -> bool:
    """Whether the caller is still there, as far as the connection knows: a quiet stream writes too rarely to notice."""
    return request.transport is not None and not request.transport.is_closing()
