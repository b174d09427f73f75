"""``/keys/{keyId}/verify-keys``: the public halves that an API key's signatures are checked with.

Touches HTTP and the keys it is handed. Changing over: add the next one, sign with it, then delete the old one.
"""

from collections.abc import Sequence

from aiohttp import web

from eventgate.access.keys.api_keys import Keys
from eventgate.access.keys.verify_keys import KeptVerifyKey, VerifyKeys
from eventgate.api.access.key_bodies import NewVerifyKey
from eventgate.api.access.key_schemas import STATUS
from eventgate.api.access.keys import MANAGE, OWN_KEYS, visible_key, wants_active
from eventgate.api.bodies import described, read_body
from eventgate.api.paging import LIST_PARAMETERS, asked_page, json_response, listed_page
from eventgate.api.problem import not_found, or_not_found
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import listed, one
from eventgate.errors import CallerError
from eventgate.signing.keys import load_verify_key


class KeysVerifyKeys:
    """The addresses of verify keys."""

    def __init__(self, keys: Keys, verify_keys: VerifyKeys) -> None:
        self._keys = keys
        self._verify_keys = verify_keys

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET", "/keys/{keyId}/verify-keys", None, self.list_verify_keys,
                Operation(
                    "The verify keys of an API key, newest first", "keys", {200: listed("VerifyKey")}, OWN_KEYS,
                    problems=(404,),
                ),
                (STATUS, *LIST_PARAMETERS),
            ),
            Route(
                "POST", "/keys/{keyId}/verify-keys", MANAGE, self.add,
                Operation(
                    "Add a verify key", "keys", {201: one("VerifyKey", "Added")},
                    "Two may be in use at a time, so that a sensor can change over from the old one to the next. "
                    "The private half stays where it was made; EventGate refuses it.",
                    described(NewVerifyKey), problems=(404, 409, 413, 415, 422),
                ),
            ),
            Route(
                "DELETE", "/keys/{keyId}/verify-keys/{verifyKeyId}", MANAGE, self.revoke,
                Operation(
                    "Revoke a verify key: its signatures are refused within a second", "keys",
                    {204: {"description": "Revoked, now or before"}}, problems=(404,),
                ),
            ),
        )  # fmt: skip

    async def list_verify_keys(self, call: Call) -> web.StreamResponse:
        key = await visible_key(self._keys, call)
        page = await self._verify_keys.page(key.id, asked_page(call.parameters), active=wants_active(call))
        return listed_page(call, page, KeptVerifyKey.shown)

    async def add(self, call: Call) -> web.StreamResponse:
        body = await read_body(call.request, NewVerifyKey)
        try:
            given = load_verify_key(body.verify_key, "")
        except CallerError as error:
            raise CallerError.of_field(error.status, error.code, error.detail, "/verifyKey") from None
        added = or_not_found(await self._verify_keys.add(call.actor, call.principal.company, call.path["keyId"], given))
        return json_response(added.shown(), 201)

    async def revoke(self, call: Call) -> web.StreamResponse:
        company, key, verify_key = call.principal.company, call.path["keyId"], call.path["verifyKeyId"]
        if not await self._verify_keys.revoke(call.actor, company, key, verify_key):
            raise not_found()
        return web.Response(status=204)
