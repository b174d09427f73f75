"""``/v2/users/{userUuid}/api-keys``, ``/v2/users/current/api-keys``: the API keys of one user.

Touches HTTP and the keys it is handed. ``current`` is the user of the credential.
"""

from collections.abc import Sequence
from uuid import UUID

from aiohttp import web

from eventgate.access import Principal
from eventgate.access.keys.api_key import ApiKey
from eventgate.access.keys.api_keys import Keys
from eventgate.api.access.key_bodies import NewOwnKey
from eventgate.api.access.key_schemas import STATUS
from eventgate.api.access.keys import GONE, MANAGE, OWN_KEYS, TOLD_ONCE, sees, told_once, wants_active
from eventgate.api.bodies import described, read_body
from eventgate.api.paging import LIST_PARAMETERS, asked_page, listed_page
from eventgate.api.problem import not_found
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import listed, one

_PAGE = (STATUS, *LIST_PARAMETERS, CUSTOMER)
_OWN = "Whoever is signed in manages their own keys; an API key or a token needs `keys:manage` for it."


class UserKeys:
    """The addresses of users' API keys."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET", "/v2/users/current/api-keys", None, self.list_own,
                Operation("Your user's API keys, newest first", "keys", {200: listed("ApiKey")}), _PAGE,
            ),
            Route(
                "POST", "/v2/users/current/api-keys", None, self.create_own,
                Operation(
                    "Make an API key of your user", "keys", {201: one("ApiKey", "Created")}, f"{TOLD_ONCE}\n\n{_OWN}",
                    described(NewOwnKey), problems=(413, 415, 422),
                ),
            ),
            Route(
                "DELETE", "/v2/users/current/api-keys/{keyUuid}", None, self.delete_own,
                Operation("Delete one of your user's API keys", "keys", GONE, _OWN, problems=(404,)),
            ),
            Route(
                "GET", "/v2/users/{userUuid}/api-keys", None, self.list_keys,
                Operation(
                    "A user's API keys, newest first", "keys", {200: listed("ApiKey")}, OWN_KEYS, problems=(404,)
                ),
                _PAGE,
            ),
            Route(
                "DELETE", "/v2/users/{userUuid}/api-keys/{keyUuid}", MANAGE, self.delete,
                Operation("Delete one of a user's API keys", "keys", GONE, problems=(404,)),
            ),
        )  # fmt: skip

    async def list_own(self, call: Call) -> web.StreamResponse:
        return await self._listed(call, call.principal.require_user())

    async def create_own(self, call: Call) -> web.StreamResponse:
        _demand_own(call.principal)
        user = call.principal.require_user()
        body = await read_body(call.request, NewOwnKey)
        return told_once(*await self._keys.create(call.principal, call.actor, user, body.said()))

    async def delete_own(self, call: Call) -> web.StreamResponse:
        _demand_own(call.principal)
        return await self._deleted(call, call.principal.require_user())

    async def list_keys(self, call: Call) -> web.StreamResponse:
        user = call.path["userUuid"]
        seen = sees(call) in (None, user)
        if not seen or not await self._keys.has_user(call.principal.company, user):
            raise not_found()
        return await self._listed(call, user)

    async def delete(self, call: Call) -> web.StreamResponse:
        return await self._deleted(call, call.path["userUuid"])

    async def _listed(self, call: Call, user: UUID) -> web.StreamResponse:
        page = await self._keys.page(
            call.principal.company, asked_page(call.parameters), active=wants_active(call), user=user
        )
        return listed_page(call, page, ApiKey.shown)

    async def _deleted(self, call: Call, user: UUID) -> web.StreamResponse:
        if not await self._keys.deactivate(call.actor, call.principal.company, call.path["keyUuid"], user=user):
            raise not_found()
        return web.Response(status=204)


def _demand_own(principal: Principal) -> None:
    """Raise CallerError 403 where a key that manages none would make another: people may, who have signed in."""
    if principal.session is None:
        principal.require(MANAGE)
