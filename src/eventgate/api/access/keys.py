"""``/keys``: the API keys of the caller's company.

Touches HTTP and the keys it is handed. Who has not keys:manage sees the keys of their own user, and changes none.
"""

from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from eventgate.access.keys.api_key import ApiKey
from eventgate.access.keys.api_keys import Keys
from eventgate.api.access.key_bodies import KeyChanges, NewKey
from eventgate.api.access.key_schemas import STATUS
from eventgate.api.bodies import described, read_body
from eventgate.api.paging import LIST_PARAMETERS, asked_page, json_response, listed_page
from eventgate.api.problem import not_found, or_not_found
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import listed, one

MANAGE = "keys:manage"
OWN_KEYS = "Without the scope `keys:manage`: the keys of your own user."
TOLD_ONCE = "`key` is whole in this answer alone: EventGate keeps only its hash."
GONE = {204: {"description": "Deleted, now or before"}}


class ApiKeys:
    """The addresses of API keys."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET", "/keys", None, self.list_keys,
                Operation("The API keys, newest first", "keys", {200: listed("ApiKey")}, OWN_KEYS),
                (STATUS, *LIST_PARAMETERS),
            ),
            Route(
                "POST", "/keys", MANAGE, self.create,
                Operation(
                    "Make an API key", "keys", {201: one("ApiKey", "Created")}, TOLD_ONCE, described(NewKey),
                    problems=(413, 415, 422),
                ),
            ),
            Route(
                "GET", "/keys/{keyId}", None, self.one_key,
                Operation("One API key", "keys", {200: one("ApiKey")}, OWN_KEYS, problems=(404,)),
            ),
            Route(
                "PUT", "/keys/{keyId}", MANAGE, self.change,
                Operation(
                    "Change an API key", "keys", {200: one("ApiKey", "As it is now")},
                    "What is left out stays as it is, null clears. Going back to an older `apiVersion` is possible "
                    "until `apiVersionDowngradeNotAllowedAfter`, then 409.",
                    described(KeyChanges), problems=(404, 409, 413, 415, 422),
                ),
            ),
            Route(
                "DELETE", "/keys/{keyId}", MANAGE, self.delete,
                Operation("Delete an API key: it is refused within a second", "keys", GONE, problems=(404,)),
            ),
        )  # fmt: skip

    async def list_keys(self, call: Call) -> web.StreamResponse:
        page = await self._keys.page(
            call.principal.company, asked_page(call.parameters), active=wants_active(call), user=sees(call)
        )
        return listed_page(call, page, ApiKey.shown)

    async def create(self, call: Call) -> web.StreamResponse:
        body = await read_body(call.request, NewKey)
        made, whole = await self._keys.create(call.principal, call.actor, body.user_id, body.said("user_id"))
        return told_once(made, whole)

    async def one_key(self, call: Call) -> web.StreamResponse:
        return json_response((await visible_key(self._keys, call)).shown())

    async def change(self, call: Call) -> web.StreamResponse:
        body = await read_body(call.request, KeyChanges)
        changed = or_not_found(await self._keys.change(call.principal, call.actor, call.path["keyId"], body.said()))
        return json_response(changed.shown())

    async def delete(self, call: Call) -> web.StreamResponse:
        if not await self._keys.deactivate(call.actor, call.principal.company, call.path["keyId"]):
            raise not_found()
        return web.Response(status=204)


def sees(call: Call) -> UUID | None:
    """Whose keys the caller sees: None for everybody's in the company.

    Raises CallerError 403 where it may not manage keys and is no user who could have some.
    """
    if MANAGE in call.principal.scopes:
        return None
    if call.principal.user is None:
        call.principal.require(MANAGE)
    return call.principal.user


async def visible_key(keys: Keys, call: Call) -> ApiKey:
    return or_not_found(await keys.get(call.principal.company, call.path["keyId"], user=sees(call)))


def told_once(made: ApiKey, whole: str) -> web.Response:
    return json_response({**made.shown(), "key": whole}, 201, secret=True)


def wants_active(call: Call) -> bool:
    return bool(call.parameters.get("status", "active") == "active")
