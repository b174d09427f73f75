"""The route table: each address of the HTTP interface with who may use it, what it takes and what it answers.

The one decision point: nothing is answered that did not pass ``door``. Touches nothing itself.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler

from eventgate.access import Actor, Asked, Principal
from eventgate.api.addresses import Addresses
from eventgate.api.answers import RATE_FIELDS, REQUEST_ID, VERSION
from eventgate.api.parameters import Parameter, identifier, read_query
from eventgate.api.problem import not_found
from eventgate.api.versions import differences_of, told_in, version_of
from eventgate.errors import CallerError

Authenticate = Callable[[Asked], Awaitable[Principal]]
"""Answers who is asking."""

Spend = Callable[[Principal], Mapping[str, str]]
"""Counts a request against its caller's rate limits: the header fields that tell what is left, or CallerError 429."""


class Call(NamedTuple):
    """One authenticated request: who asks, for what, and the address that links in the answer begin with."""

    request: web.Request
    principal: Principal
    parameters: Mapping[str, Any]
    path: Mapping[str, Any]
    base_url: str
    check_again: Callable[[], Awaitable[Principal]]
    """Raises CallerError once the caller may not go on; for answers that take long."""
    remote: str

    @property
    def actor(self) -> Actor:
        """Who asks, as the audit log remembers it."""
        return Actor.of(self.principal, self.remote, self.request[REQUEST_ID])


@dataclass(frozen=True, slots=True)
class Operation:
    """What the OpenAPI document says of a route. ``responses`` are response objects by status, errors left out."""

    summary: str
    tag: str
    responses: Mapping[int, Mapping[str, Any]]
    description: str = ""
    request_body: Mapping[str, Any] | None = None
    problems: Sequence[int] = ()
    """Further statuses answered with a problem document, beside those that every route of its kind has."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path, open to a principal with ``scope``; None: to everybody who is known.

    ``operator`` True: to the operator of this EventGate alone.

    ``aliases`` are further paths that answer the same. Path parameters are UUIDs unless ``path_readers`` names them.
    """

    method: str
    path: str
    scope: str | None
    handler: Callable[[Call], Awaitable[web.StreamResponse]]
    operation: Operation
    parameters: Sequence[Parameter] = ()
    aliases: Sequence[str] = ()
    path_readers: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header fields that must be sent, described."""
    optional_headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False
    """Whether the answer is made while it is sent; such a one has no HEAD."""
    operator: bool = False


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """A route that asks for no API key."""

    method: str
    path: str
    handler: Handler
    operation: Operation


CUSTOMER = Parameter(
    "customerid",
    "Empty, or your own company's id.",
    {"type": "string", "default": "", "pattern": "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$"},
    lambda text: identifier(text) if text else None,
)
"""Taken on every published list; callers of the published interface send it."""


def door(route: Route, authenticate: Authenticate, spend: Spend, addresses: Addresses) -> Handler:
    """The way in to a route's handler: credential, version, rate, scope, parameters, path, in this order."""
    differences = differences_of(route.path)

    async def enter(request: web.Request) -> web.StreamResponse:
        query_string = request.rel_url.raw_query_string
        origin = addresses.origin(request)
        asked = Asked(request.method, request.headers, query_string, origin.remote, origin.url)

        async def check_again() -> Principal:
            return _allowed(route, await authenticate(asked))

        principal = await authenticate(asked)
        request[VERSION] = version = version_of(request.headers, principal.api_version)
        request[RATE_FIELDS] = spend(principal)
        _allowed(route, principal)
        path = {name: _read_path(route, name, text) for name, text in request.match_info.items()}
        parameters = read_query(query_string, route.parameters)
        _check_customer(parameters.get(CUSTOMER.name), principal)
        response = await route.handler(
            Call(request, principal, parameters, path, addresses.base_url(origin), check_again, origin.remote)
        )
        if differences:
            told_in(version, differences, response)
        return response

    return enter


def add(
    application: web.Application,
    routes: Sequence[Route | OpenRoute],
    authenticate: Authenticate,
    spend: Spend,
    addresses: Addresses,
) -> None:
    """Put a table of routes into an application; any other method of an address in it is refused."""
    handlers: dict[str, dict[str, Handler]] = {}
    for route in routes:
        handler = route.handler if isinstance(route, OpenRoute) else door(route, authenticate, spend, addresses)
        for method, path in addressed(route):
            taken = handlers.setdefault(path, {})
            assert method not in taken, f"two routes answer {method} {path}"
            taken[method] = handler
    for path in sorted(handlers, key=_words_first):
        resource = application.router.add_resource(path)
        for method, handler in handlers[path].items():
            resource.add_route(method, handler)
        resource.add_route("*", _refusal(sorted(handlers[path])))


def _words_first(path: str) -> list[bool]:
    """Sorts /users/current before /users/{id}, which would take it for one of its own."""
    return [step.startswith("{") for step in path.split("/")]


def _refusal(methods: Sequence[str]) -> Handler:
    async def refuse(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMethodNotAllowed(request.method, methods)

    return refuse


def addressed(route: Route | OpenRoute) -> Iterator[tuple[str, str]]:
    """Every method and path that a route answers: what can be had by GET can be asked for by HEAD (RFC 9110, 9.3.2)."""
    aliases, streamed = ((), False) if isinstance(route, OpenRoute) else (route.aliases, route.streamed)
    for path in (route.path, *aliases):
        yield route.method, path
        if route.method == "GET" and not streamed:
            yield "HEAD", path


def _allowed(route: Route, principal: Principal) -> Principal:
    """The principal, if it may use the route; raises CallerError 403 otherwise."""
    if route.scope is not None:
        principal.require(route.scope)
    if route.operator:
        principal.require_operator()
    return principal


def _read_path(route: Route, name: str, text: str) -> Any:
    try:
        return route.path_readers.get(name, identifier)(text)
    except ValueError:  # what cannot be an id is nobody's id
        raise not_found() from None


def _check_customer(customer: UUID | None, principal: Principal) -> None:
    if customer is not None and customer != principal.company:
        detail = "customerid is not your company's id. Leave it empty, or leave it out."
        raise CallerError.of_field(400, "customerid-mismatch", detail, CUSTOMER.name)
