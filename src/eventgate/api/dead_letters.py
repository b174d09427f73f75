"""``/v2/sinks/{name}/dead-letters``: the events that a sink's receiver would not take, and bringing them to it again.

Touches HTTP, the sinks room and the journal it is handed.
"""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from aiohttp import web
from pydantic import Field

from eventgate.access import Audit
from eventgate.alerts.search import AlertSearch
from eventgate.api import shown
from eventgate.api.bodies import Body, described, read_body
from eventgate.api.filters import filter_over
from eventgate.api.paging import LIST_PARAMETERS, asked_page, json_response, listed_page
from eventgate.api.previews import asked_preview, shown_preview
from eventgate.api.problem import or_not_found
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import listed, one
from eventgate.api.sink_wishes import Wishes
from eventgate.api.sinks_named import named_sink, seen_by, silent, sink_name
from eventgate.errors import CallerError, FieldError
from eventgate.journal.times import rfc3339_of
from eventgate.query import Query, parse_filters
from eventgate.sinks.dead_letters import LETTERS, MOST_CHOSEN, DeadLetter, DeadLetters
from eventgate.sinks.definition import seconds_at
from eventgate.sinks.generations import Selection
from eventgate.sinks.requests import Requests, Verb
from eventgate.sinks.store import SinkStatus, SinkStore

_READ, _MANAGE = "sinks:read", "sinks:manage"
_FILTER = filter_over(LETTERS)
_MOST_IDS = 1_000
_PREVIEW_SECONDS = 1.0


class RedriveBody(Body):
    """Which letters: those of these events, those that a filter selects, or all that never went again."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=_MOST_IDS)] | None = None
    filter: Annotated[list[str], Field(min_length=1, max_length=20)] | None = None
    all: bool = False
    replace: bool = False
    dry_run: bool = False


class DeadLettersOfSinks:
    """The addresses of dead letters."""

    def __init__(
        self, store: SinkStore, letters: DeadLetters, requests: Requests, search: AlertSearch, audit: Audit
    ) -> None:
        self._store = store
        self._letters = letters
        self._requests = requests
        self._wishes = Wishes(store, requests, audit)
        self._search = search

    def routes(self) -> Sequence[Route]:
        named = {"name": sink_name}
        redrive = Operation(
            "Bring dead letters to the receiver again",
            "sinks",
            {202: one("Redriven", "They go again"), 200: one("Redriven", "What would go again")},
            description="Exactly one of ids, filter and all. They go beside what is new, each marked as a replay.",
            request_body=described(RedriveBody),
            problems=(404, 409, 422, 504),
        )
        return (
            Route(
                "GET", "/v2/sinks/{name}/dead-letters", _READ, self.list_letters,
                Operation(
                    "The sink's dead letters, newest event first", "sinks", {200: listed("DeadLetter")},
                    description="An event that died more than once shows its last death.", problems=(404, 422),
                ),
                (_FILTER, *LIST_PARAMETERS), path_readers=named,
            ),
            Route(
                "GET", "/v2/sinks/{name}/dead-letters/{eventId}", _READ, self.one_letter,
                Operation(
                    "One dead letter: why, the event, and what the sink would write of it", "sinks",
                    {200: one("DeadLetterWhole")}, problems=(404,),
                ),
                path_readers=named,
            ),
            Route(
                "POST", "/v2/sinks/{name}/dead-letters/redrive", _MANAGE, self.redrive, redrive, path_readers=named,
            ),
        )  # fmt: skip

    async def list_letters(self, call: Call) -> web.StreamResponse:
        sink = await named_sink(self._store, call)
        query = parse_filters(call.parameters["filter"], LETTERS)
        page = await self._letters.page(sink.name, seen_by(call.principal), query, asked_page(call.parameters))
        return listed_page(call, page, _shown)

    async def one_letter(self, call: Call) -> web.StreamResponse:
        sink = await named_sink(self._store, call)
        letter = or_not_found(await self._letters.one(sink.name, seen_by(call.principal), call.path["eventId"]))
        stored = await self._search.get(letter.company, letter.event)
        preview = None
        if stored is not None:
            preview = await asked_preview(
                self._requests, sink.name, letter.company, letter.event, timeout=_PREVIEW_SECONDS
            )
        return json_response(
            {
                **_shown(letter),
                "event": None if stored is None else shown.event(stored),
                "preview": shown_preview(preview.facts) if preview and preview.facts else None,
            }
        )

    async def redrive(self, call: Call) -> web.StreamResponse:
        sink = await named_sink(self._store, call)
        body = await read_body(call.request, RedriveBody)
        company = seen_by(call.principal)
        selection = Selection(await self._chosen(sink, company, body), company)
        if body.dry_run:
            events = await self._letters.count(sink.name, company, selection.events)
            seconds = seconds_at(sink.replay_events_per_second, events)
            return json_response({"generation": None, "events": events, "seconds": seconds})
        asked = body.model_dump(mode="json", include={"ids", "filter", "all", "replace"}, exclude_defaults=True)
        answered = await self._wishes.ask(call, sink, Verb.REDRIVE, asked, selection=selection, replace=body.replace)
        if answered is not None:
            await self._wishes.note_answer(call, sink, Verb.REDRIVE, answered)
        if answered is None:
            return silent(call, sink)
        if not answered.done:
            raise CallerError(409, "sink-refused", answered.detail)
        return json_response(answered.facts or {}, 202)

    async def _chosen(self, sink: SinkStatus, company: UUID | None, body: RedriveBody) -> Sequence[UUID] | None:
        """The events that are meant, None for all that never went again. Raises CallerError 422."""
        if [body.ids is not None, body.filter is not None, body.all].count(True) != 1:
            raise CallerError.of_field(
                422, "body-invalid", "The body: expected exactly one of ids, filter and all.", ""
            )
        if body.filter is None:
            return body.ids
        events = await self._letters.selected(sink.name, company, _parsed(body.filter))
        if len(events) > MOST_CHOSEN:
            detail = f"/filter: expected to choose at most {MOST_CHOSEN} letters; say all, or choose fewer."
            raise CallerError.of_field(422, "body-invalid", detail, "/filter")
        return events


def _parsed(filters: Sequence[str]) -> Query:
    """Raises CallerError 422, which points into the body."""
    try:
        return parse_filters(filters, LETTERS)
    except CallerError as mistake:
        errors = [
            FieldError(f"/filter/{error.pointer.removeprefix('filter[').removesuffix(']')}", error.code, error.detail)
            for error in mistake.errors
        ]
        raise CallerError(422, mistake.code, mistake.detail, errors) from mistake


def _shown(letter: DeadLetter) -> dict[str, Any]:
    return {
        "eventId": letter.event,
        "companyId": letter.company,
        "position": letter.place.position,
        "index": letter.place.index,
        "generation": letter.generation,
        "diedAt": rfc3339_of(letter.died_at),
        "reason": letter.reason,
        "redrivenIn": letter.redriven_in,
    }
