"""Lists: which page was asked for, and the envelope a page travels in.

Pure. The links in an envelope work when they are followed: they carry the whole question, with another place to begin.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
from aiohttp import web

from eventgate.api.parameters import Parameter, Schema, identifier, integer, one_of
from eventgate.api.routes import Call
from eventgate.query.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, Neighbour, Page, PageRequest

Item = TypeVar("Item")


def list_parameters(read_id: Callable[[str], Any], id_schema: Schema) -> tuple[Parameter, ...]:
    """The parameters of a list whose objects have ids of that kind."""
    return (
        Parameter(
            "limit",
            "The most results to return.",
            {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
            integer(1, MAX_LIMIT),
        ),
        Parameter(
            "startingAfter",
            "Return results that stand after this id in the list. The id is compared, not looked up.",
            id_schema,
            read_id,
        ),
        Parameter(
            "endingBefore",
            "Return the results that stand just before this id in the list, in the list's own order.",
            id_schema,
            read_id,
        ),
        Parameter(
            "offset",
            "How many results to pass over. Not together with startingAfter or endingBefore.",
            {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
            integer(0, MAX_OFFSET),
        ),
        Parameter(
            "total",
            "`exact` insists on an exact total, however long it takes.",
            {"type": "string", "enum": ["exact"]},
            one_of(["exact"]),
        ),
    )


LIST_PARAMETERS = list_parameters(identifier, {"type": "string", "format": "uuid"})
_PLACE = {"startingAfter", "endingBefore", "offset"}


def asked_page(parameters: Mapping[str, Any]) -> PageRequest:
    """The page that a list's parameters ask for. Raises CallerError 400 where they contradict each other."""
    return PageRequest(
        limit=parameters.get("limit", DEFAULT_LIMIT),
        after=parameters.get("startingAfter"),
        before=parameters.get("endingBefore"),
        offset=parameters.get("offset", 0),
        exact_total="total" in parameters,
    )


def envelope(
    call: Call,
    data: Sequence[Any],
    *,
    total: int,
    total_is_exact: bool = True,
    following: Neighbour | None = None,
    previous: Neighbour | None = None,
    complete: bool = True,
) -> web.Response:
    """One page. ``complete`` False says that the search stopped at its deadline and ``nextUrl`` goes on from there."""
    return json_response(
        {
            "status": 200,
            "total": total,
            "totalRelation": "exact" if total_is_exact else "atLeast",
            "count": len(data),
            "complete": complete,
            "nextUrl": _link(call, following),
            "previousUrl": _link(call, previous),
            "data": data,
        }
    )


def listed_whole(
    call: Call,
    items: Sequence[Item],
    id_of: Callable[[Item], Any],
    show: Callable[[Item], Any],
    *,
    descending: bool = False,
) -> web.Response:
    """One page of a list that is all in memory, in the order of its ids."""
    asked = asked_page(call.parameters)
    precedes = operator.gt if descending else operator.lt
    if asked.before is not None:
        end = sum(precedes(id_of(item), asked.before) for item in items)
        start = max(end - asked.limit, 0)
    else:
        start = asked.offset
        if asked.after is not None:
            start = sum(not precedes(asked.after, id_of(item)) for item in items)
        end = min(start + asked.limit, len(items))
    page = items[start:end]
    return envelope(
        call,
        [show(item) for item in page],
        total=len(items),
        following=Neighbour(after=id_of(page[-1])) if page and end < len(items) else None,
        previous=Neighbour(before=id_of(page[0])) if page and start > 0 else None,
    )


def listed_page(call: Call, page: Page[Item], show: Callable[[Item], Any]) -> web.Response:
    """One page that the database has cut."""
    return envelope(
        call,
        [show(item) for item in page.items],
        total=page.total,
        total_is_exact=page.total_is_exact,
        following=page.next,
        previous=page.previous,
        complete=page.complete,
    )


def json_response(document: Any, status: int = 200, *, secret: bool = False) -> web.Response:
    """``secret`` True keeps an answer that holds one out of every cache."""
    headers = {"Cache-Control": "no-store"} if secret else None
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json", headers=headers)


def _link(call: Call, place: Neighbour | None) -> str | None:
    """This request's own address with another place in the list."""
    if place is None:
        return None
    # What the caller percent-encoded stays as it is; what came raw, quotes and brackets say, is encoded.
    parts = [
        quote(part, safe="%=+~!$'()*,;:@/?-._")
        for part in call.request.rel_url.raw_query_string.split("&")
        if part and part.partition("=")[0] not in _PLACE
    ]
    named = {"startingAfter": place.after, "endingBefore": place.before, "offset": place.offset}
    parts += [f"{name}={quote(str(value), safe='')}" for name, value in named.items() if value is not None]
    return f"{call.base_url}{call.request.rel_url.raw_path}?{'&'.join(parts)}"
