"""``/v2/users/current``: whoever asks, about itself.

Touches HTTP and the users it is handed. Needs no scope; a token whose subject is no user here has no such address.
"""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from pydantic import Field

from eventgate.access.people.password_changes import PasswordChanges
from eventgate.access.people.users import Users
from eventgate.api.access.users import Email, Login
from eventgate.api.bodies import Body, Line, described, read_body
from eventgate.api.paging import json_response
from eventgate.api.problem import or_not_found
from eventgate.api.routes import Call, Operation, Route
from eventgate.api.schemas import one
from eventgate.errors import CallerError

_TAG = "people"
_ITSELF = "/v2/users/current"

Password = Annotated[str, Field(min_length=1, max_length=1024)]
NewPassword = Annotated[
    str,  # measured where it is judged, which says more
    Field(description="Not easy to guess.", json_schema_extra={"minLength": 12, "maxLength": 128}),
]


class ChangeYourself(Body):
    """What is left out stays; ``email`` and ``name`` can be null."""

    login: Login = ""
    email: Email | None = None
    name: Line | None = None


class ChangePassword(Body):
    """A new password, and the one until now."""

    current_password: Password
    new_password: NewPassword


class CurrentUser:
    """The addresses of whoever asks."""

    def __init__(self, users: Users, changes: PasswordChanges) -> None:
        self._users = users
        self._changes = changes

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET", _ITSELF, None, self.show,
                Operation("Who you are", _TAG, {200: one("User")}),
            ),
            Route(
                "PATCH", _ITSELF, None, self.change,
                Operation(
                    "Change your login, email or name", _TAG, {200: one("User", "Changed")},
                    "login and email need a credential that may do all that you may, since they lead to signing in.",
                    described(ChangeYourself), (409, 413, 415, 422),
                ),
            ),
            Route(
                "PUT", f"{_ITSELF}/reset-password", None, self.change_password,
                Operation(
                    "Set your own password", _TAG, {204: {"description": "Set"}},
                    "Every other session of yours ends. Wrong current passwords count as failed attempts.",
                    described(ChangePassword), (413, 415, 422, 429),
                ),
            ),
        )  # fmt: skip

    async def show(self, call: Call) -> web.StreamResponse:
        user = or_not_found(await self._users.get(call.principal.company, call.principal.require_user()))
        return json_response(user.shown())

    async def change(self, call: Call) -> web.StreamResponse:
        user = call.principal.require_user()
        if call.principal.edge is not None:
            raise CallerError(403, "sensor-key", "This API key is bound to a sensor; it cannot change a user.")
        body = await read_body(call.request, ChangeYourself)
        return json_response((await self._users.update_own(call.principal, call.actor, user, body.said())).shown())

    async def change_password(self, call: Call) -> web.StreamResponse:
        user = call.principal.require_user()
        body = await read_body(call.request, ChangePassword)
        await self._changes.change_own(call.principal, call.actor, user, body.current_password, body.new_password)
        return web.Response(status=204)
