"""The HTTP interface as a whole: every noun's routes in one table, behind one door, with answers of one kind.

Touches nothing itself; is handed the rooms it speaks for.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from eventgate.api import routes
from eventgate.api.addresses import Addresses
from eventgate.api.documents import Documents
from eventgate.api.routes import Authenticate, OpenRoute, Route, Spend, addressed

OPENAPI = web.AppKey("openapi", dict[str, Any])
"""Where an application keeps the document that describes it."""


def build_application(
    table: Sequence[Route | OpenRoute],
    *,
    authenticate: Authenticate,
    spend: Spend,
    addresses: Addresses,
    server_url: str,
) -> web.Application:
    """Make an application of a table of routes, which it also describes; ``server_url`` is how callers reach it."""
    documents = Documents(table, server_url)
    application = web.Application()
    application[OPENAPI] = documents.openapi
    routes.add(application, [*table, *documents.routes()], authenticate, spend, addresses)
    return application


def build_metrics_application(table: Sequence[OpenRoute]) -> web.Application:
    """Make an application for a listener of the machine's own, which asks for no credential."""
    application = web.Application()
    for route in table:
        for method, path in addressed(route):
            application.router.add_route(method, path, route.handler)
    return application
