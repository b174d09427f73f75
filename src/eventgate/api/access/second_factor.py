"""``/v2/users/…/reset-2fa``: people set up their second factor; an admin takes one away that was lost.

Touches HTTP and the rooms of access it is handed.
"""

import io
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import segno
from aiohttp import web
from pydantic import Field

from eventgate.access.signin.current_password import CurrentPassword
from eventgate.access.signin.second_factor import SecondFactors
from eventgate.api.bodies import NO_BODY, Body, described, read_body, read_nothing
from eventgate.api.paging import json_response
from eventgate.api.problem import not_found, or_not_found
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import TEXT, answer, closed

_BEGUN = closed(
    {
        "secret": {**TEXT, "description": "In base32, for an app without a camera."},
        "otpauthUri": {**TEXT, "format": "uri", "description": "What the QR code says."},
        "qrCode": {**TEXT, "description": "An SVG document."},
    }
)
_CONFIRMED = closed(
    {
        "recoveryCodes": {
            "type": "array",
            "items": TEXT,
            "description": "Each signs you in once in place of a code. They are shown this once.",
        }
    }
)
_TAKEN = closed({"id": {"type": "string", "format": "uuid"}, "secondFactor": {"const": False}})
_DESCRIPTION = """\
Takes two steps. Without `code` it answers with a secret for an authenticator app (TOTP: SHA-1, six digits, 30 s); a
second factor that is in place goes on counting. With `code`, the app's current one, within 15 minutes, it puts that
secret in place and answers with ten recovery codes; every other session of yours ends.

The first step asks for your current `password` from a session, and wherever a second factor is in place already.
"""


class ResetSecondFactor(Body):
    """The first step without ``code``, the second with it."""

    password: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    code: Annotated[str | None, Field(min_length=1, max_length=32)] = None


class SecondFactorRoutes:
    """The addresses of second factors."""

    def __init__(self, factors: SecondFactors, current_password: CurrentPassword) -> None:
        self._factors = factors
        self._current_password = current_password

    def routes(self) -> Sequence[Route]:
        told = answer("The secret, or the recovery codes", {"oneOf": [_BEGUN, _CONFIRMED]})
        own = Operation(
            "Set up your second factor", "people", {200: told}, _DESCRIPTION,
            described(ResetSecondFactor), (404, 409, 413, 415, 422, 429),
        )  # fmt: skip
        anothers = Operation(
            "Take away a user's second factor, and end the user's sessions", "people",
            {200: answer("Taken away", _TAKEN)},
            request_body=NO_BODY, problems=(404, 413, 415, 422),
        )  # fmt: skip
        return (
            Route("PUT", "/v2/users/current/reset-2fa", None, self.reset_own, own),
            Route("PUT", "/v2/users/{userUuid}/reset-2fa", "users:manage", self.reset, anothers),
        )

    async def reset_own(self, call: Call) -> web.StreamResponse:
        body = await read_body(call.request, ResetSecondFactor)
        user = or_not_found(call.principal.user)  # there is none where a token stands for no user here
        if body.code is not None:
            codes = await self._factors.confirm(call.actor, user, body.code)
            return json_response({"recoveryCodes": codes}, secret=True)
        if call.principal.session is not None or await self._factors.in_place(user):
            await self._current_password.demand(call.principal, body.password, call.remote)
        secret, uri = await self._factors.begin(call.actor, call.principal, user)
        return json_response({"secret": secret, "otpauthUri": uri, "qrCode": _svg(uri)}, secret=True)

    async def reset(self, call: Call) -> web.StreamResponse:
        await read_nothing(call.request)
        user: UUID = call.path["userUuid"]
        call.principal.require_another(user)
        if not await self._factors.remove(call.actor, call.principal, user):
            raise not_found()
        return json_response({"id": user, "secondFactor": False})


def _svg(text: str) -> str:
    drawn = io.BytesIO()
    segno.make(text, micro=False).save(drawn, kind="svg", scale=4, xmldecl=False, light="#fff")
    return drawn.getvalue().decode()
