"""``/v2/users``: the people of a company, for whoever manages them.

Touches HTTP and the users it is handed.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from eventgate.access import ROLES, Principal
from eventgate.access.authority import demand_authority
from eventgate.access.people.user import User
from eventgate.access.people.users import NewUser, Users
from eventgate.access.scopes import in_order
from eventgate.api.bodies import NO_BODY, Body, Line, described, read_body, read_nothing, said_as
from eventgate.api.paging import LIST_PARAMETERS, asked_page, json_response, list_parameters, listed_page, listed_whole
from eventgate.api.problem import not_found, or_not_found
from eventgate.api.routes import CUSTOMER, Call, Operation, Route
from eventgate.api.schemas import listed, one
from eventgate.errors import CallerError

_SCOPE, _TAG = "users:manage", "people"

Role = Literal["operator", "admin", "analyst", "sensor"]
Login = Annotated[
    str,
    Field(min_length=1, max_length=320, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$"),
    said_as("one line of 1 to 320 characters, not blanks alone"),
]
Email = Annotated[
    str,
    Field(
        min_length=3, max_length=254, pattern=r'^[^\s@<>()\[\]\\,;:"\x00-\x1f\x7f]+@[^\s@<>()\[\]\\,;:"\x00-\x1f\x7f]+$'
    ),
    said_as("an address of mail, as in ann@example.org"),
]
"""Enough of RFC 5321 to be put into a header field; whether it is anybody's, a mail tells."""


def _sent(member: str) -> JsonDict:
    return {"required": [member], "properties": {member: {"type": "string"}}}


class InviteUser(Body):
    """A new user; ``login`` is the email where it is left out."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [_sent("login"), _sent("email")]}  # what pydantic cannot say: one of the two
    )

    role: Role
    login: Login | None = None
    email: Email | None = None
    name: Line | None = None


class ChangeUser(Body):
    """What is left out stays; ``email`` and ``name`` can be null."""

    login: Login = ""
    email: Email | None = None
    name: Line | None = None
    role: Role = "analyst"
    status: Annotated[
        Literal["active", "inactive"],
        Field(description="inactive keeps the user out, with all its API keys, until it is active again."),
    ] = "active"


class UserRoutes:
    """The addresses of users."""

    def __init__(self, users: Users) -> None:
        self._users = users

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET", "/v2/users", _SCOPE, self.list_users,
                Operation("The users of your company, newest first", _TAG, {200: listed("User")}),
                (*LIST_PARAMETERS, CUSTOMER),
            ),
            Route(
                "POST", "/v2/users", _SCOPE, self.invite,
                Operation(
                    "Make a user, and invite it", _TAG, {201: one("InvitedUser", "Made, and invited")},
                    "Nobody gives a role that may do more than the caller itself; only an operator makes an operator.",
                    described(InviteUser), (409, 413, 415, 422),
                ),
            ),
            Route(
                "GET", "/v2/users/roles", _SCOPE, self.roles,
                Operation("What each role may do", _TAG, {200: listed("UserRole")}),
                (*list_parameters(str, {"type": "string"}), CUSTOMER),
            ),
            Route(
                "GET", "/v2/users/{userUuid}", _SCOPE, self.one_user,
                Operation("One user, deleted or not", _TAG, {200: one("User")}, problems=(404,)),
            ),
            Route(
                "PATCH", "/v2/users/{userUuid}", _SCOPE, self.change,
                Operation(
                    "Change a user", _TAG, {200: one("User", "Changed")},
                    "Felt by every process within a second. Another login or email makes the user's link worthless.",
                    described(ChangeUser), (404, 409, 413, 415, 422),
                ),
            ),
            Route(
                "DELETE", "/v2/users/{userUuid}", _SCOPE, self.delete,
                Operation(
                    "Delete a user", _TAG, {204: {"description": "Deleted, now or before"}},
                    "Its API keys are deactivated and its sessions end. Its id stays what it was.", problems=(404, 409),
                ),
            ),
            Route(
                "PUT", "/v2/users/{userUuid}/reset-password", _SCOPE, self.reset_password,
                Operation(
                    "Send a user a link to set a new password", _TAG, {200: one("PasswordLink", "Made")},
                    "The old password is good until the link is used; then every session of the user ends.",
                    NO_BODY, (404, 409, 413, 415, 422),
                ),
            ),
        )  # fmt: skip

    async def list_users(self, call: Call) -> web.StreamResponse:
        page = await self._users.page(call.principal.company, asked_page(call.parameters))
        return listed_page(call, page, User.shown)

    async def one_user(self, call: Call) -> web.StreamResponse:
        return _shown(await self._users.get(call.principal.company, call.path["userUuid"]))

    async def roles(self, call: Call) -> web.StreamResponse:
        return listed_whole(call, sorted(ROLES), str, lambda role: _role(role, call.principal))

    async def invite(self, call: Call) -> web.StreamResponse:
        body = await read_body(call.request, InviteUser)
        new = NewUser(body.role, body.login, body.email, body.name)
        user, delivery = await self._users.create(call.principal, call.actor, new)
        return json_response({**user.shown(), "link": delivery.shown()}, 201, secret=True)

    async def change(self, call: Call) -> web.StreamResponse:
        body = await read_body(call.request, ChangeUser)
        changes = body.said()
        if "status" in changes:
            changes["active"] = changes.pop("status") == "active"
        return _shown(await self._users.update(call.principal, call.actor, call.path["userUuid"], changes))

    async def delete(self, call: Call) -> web.StreamResponse:
        if not await self._users.delete(call.principal, call.actor, call.path["userUuid"]):
            raise not_found()
        return web.Response(status=204)

    async def reset_password(self, call: Call) -> web.StreamResponse:
        await read_nothing(call.request)
        call.principal.require_another(call.path["userUuid"])
        delivery = or_not_found(await self._users.reset_password(call.principal, call.actor, call.path["userUuid"]))
        return json_response(delivery.shown(), secret=True)


def _shown(user: User | None) -> web.StreamResponse:
    return json_response(or_not_found(user).shown())


def _role(role: str, principal: Principal) -> dict[str, Any]:
    try:
        demand_authority(principal, role)
    except CallerError:
        assignable = False
    else:
        assignable = True
    return {
        "role": role,
        "scopes": in_order(ROLES[role]),
        "assignable": assignable,
    }
