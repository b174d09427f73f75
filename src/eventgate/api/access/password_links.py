"""``/v2/password-links``: for people who cannot sign in. Asks for no credential; a link's token is the credential.

Touches HTTP and the rooms of access it is handed. A token comes in a body alone: addresses end up in logs.
"""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from pydantic import Field

from eventgate.access.people.forgotten import Forgotten
from eventgate.access.people.password_changes import PasswordChanges
from eventgate.api.access.current_user import NewPassword
from eventgate.api.access.users import Login
from eventgate.api.addresses import Addresses
from eventgate.api.answers import REQUEST_ID
from eventgate.api.bodies import Body, described, read_body, said_as
from eventgate.api.routes import OpenRoute, Operation

_TAG = "people"
_PROBLEMS = (400, 413, 415, 422, 429, 503)


class ForgottenPassword(Body):
    """Whose password is forgotten."""

    login: Login


class Redeem(Body):
    """The token behind the ``#`` of a link, and the password to be."""

    token: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]{43}$"), said_as("the 43 characters behind #token= in the link")
    ]
    password: NewPassword


class PasswordLinks:
    """The addresses of links."""

    def __init__(self, forgotten: Forgotten, changes: PasswordChanges, addresses: Addresses) -> None:
        self._forgotten = forgotten
        self._changes = changes
        self._addresses = addresses

    def routes(self) -> Sequence[OpenRoute]:
        return (
            OpenRoute(
                "POST", "/v2/password-links", self.ask,
                Operation(
                    "Have a link mailed to whoever forgot a password", _TAG,
                    {202: {"description": "Taken, whether or not there is such a login"}},
                    "A mail is sent where mail is configured and the user has an address, at most three an hour.",
                    described(ForgottenPassword), _PROBLEMS,
                ),
            ),
            OpenRoute(
                "POST", "/v2/password-links/redeem", self.redeem,
                Operation(
                    "Set a password with a link", _TAG, {204: {"description": "Set; the link is used up"}},
                    "Every session of the user ends. A password that is refused leaves the link good.",
                    described(Redeem), _PROBLEMS,
                ),
            ),
        )  # fmt: skip

    async def ask(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request, ForgottenPassword)
        await self._forgotten.ask(body.login, self._addresses.origin(request).remote, request[REQUEST_ID])
        return web.Response(status=202)

    async def redeem(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request, Redeem)
        remote = self._addresses.origin(request).remote
        await self._changes.redeem(body.token, body.password, remote, request[REQUEST_ID])
        return web.Response(status=204)
