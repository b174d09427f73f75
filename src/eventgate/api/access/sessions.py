"""``/v2/sessions`` and ``/v2/users/…/sessions``: people sign in and out, and see where they are signed in.

Touches HTTP and the rooms of access it is handed. The only module that writes the session's cookie.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Self
from uuid import UUID

from aiohttp import web
from pydantic import ConfigDict, Field, model_validator

from eventgate.access import Asked
from eventgate.access.credentials import SESSION_COOKIE
from eventgate.access.sessions.authenticator import check_origin
from eventgate.access.sessions.sessions import Session, Sessions
from eventgate.access.signin.signing_in import Attempt, SignedIn, SigningIn
from eventgate.api.addresses import Addresses
from eventgate.api.answers import REQUEST_ID
from eventgate.api.bodies import NO_CONTROLS, Body, described, read_body
from eventgate.api.paging import LIST_PARAMETERS, json_response, listed_whole
from eventgate.api.problem import not_found, or_not_found
from eventgate.api.routes import CUSTOMER, Call, OpenRoute, Operation, Route
from eventgate.api.schemas import TEXT, TIME, answer, closed, listed, one
from eventgate.api.schemas import UUID as UUID_SCHEMA
from eventgate.journal.times import rfc3339_of

DEVICE_COOKIE = "__Host-eventgate-device"
_DEVICE_SECONDS = 365 * 86_400
_MOST_DEVICE = 64

_GONE = {204: {"description": "Ended"}}
_USER = closed({"id": UUID_SCHEMA, "companyId": UUID_SCHEMA, "login": TEXT, "role": TEXT})
_SIGNED_IN = closed(
    {
        "id": UUID_SCHEMA,
        "csrfToken": {
            **TEXT,
            "description": "Sent with the cookie as `X-CSRF-Token`, but for GET and HEAD.",
        },
        "expiresAt": {**TIME, "description": "When the session ends, however much it is used."},
        "user": _USER,
    }
)
_DESCRIPTION = f"""\
Answers with the cookie `{SESSION_COOKIE}` (HttpOnly, Secure, SameSite=Lax). A user with a second factor sends `code` or
`recoveryCode` too; without either the answer is 401 `code-required`. A login and a password that do not belong together
answer 401 `sign-in-failed`, whether there is such a login or not. Attempts that fail are slowed down: 429
`too-many-attempts` says in `Retry-After` when the next one is taken. Whoever signs in from where they did before is not
slowed down by strangers' attempts.
"""


_BOTH: dict[str, Any] = {
    "required": ["code", "recoveryCode"],
    "properties": {"code": {"type": "string"}, "recoveryCode": {"type": "string"}},
}


class SignIn(Body):
    """Who wants in."""

    model_config = ConfigDict(json_schema_extra={"not": _BOTH})

    login: Annotated[str, Field(min_length=1, max_length=320, pattern=NO_CONTROLS)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]
    code: Annotated[str | None, Field(max_length=32, description="Of an authenticator app: six digits.")] = None
    recovery_code: Annotated[str | None, Field(max_length=64)] = None

    @model_validator(mode="after")
    def _shows_one(self) -> Self:
        if self.code is not None and self.recovery_code is not None:
            raise ValueError("expected code or recoveryCode, found both")
        return self


class SessionRoutes:
    """The addresses of sessions."""

    def __init__(self, signing_in: SigningIn, sessions: Sessions, addresses: Addresses) -> None:
        self._signing_in = signing_in
        self._sessions = sessions
        self._addresses = addresses

    def routes(self) -> Sequence[Route | OpenRoute]:
        found = listed("Session")
        sign_in = Operation(
            "Sign in", "people", {201: answer("Signed in", _SIGNED_IN)}, _DESCRIPTION, described(SignIn),
            (400, 401, 403, 413, 415, 422, 429, 503),
        )  # fmt: skip
        routes: list[Route | OpenRoute] = [
            OpenRoute("POST", "/v2/sessions", self.sign_in, sign_in),
            Route(
                "GET", "/v2/sessions/current", None, self.current,
                Operation("The session that asks", "people", {200: one("Session")}, problems=(404,)),
            ),
            Route(
                "DELETE", "/v2/sessions/current", None, self.sign_out,
                Operation("Sign out", "people", _GONE, problems=(404,)),
            ),
        ]  # fmt: skip
        for whose, scope in (("current", None), ("{userUuid}", "users:manage")):
            path = f"/v2/users/{whose}/sessions"
            routes += [
                Route(
                    "GET", path, scope, self.list,
                    Operation("Where a user is signed in, newest first", "people", {200: found}, problems=(404,)),
                    (*LIST_PARAMETERS, CUSTOMER),
                ),
                Route(
                    "DELETE", path, scope, self.end_all,
                    Operation("End every session of a user", "people", _GONE, problems=(404,)),
                ),
                Route(
                    "DELETE", path + "/{sessionId}", scope, self.end,
                    Operation("End one session of a user", "people", _GONE, problems=(404,)),
                ),
            ]  # fmt: skip
        return routes

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        origin = self._addresses.origin(request)
        # Whoever makes a browser sign in as somebody else sees what its owner does there.
        check_origin(Asked(request.method, request.headers, "", origin.remote, origin.url))
        body = await read_body(request, SignIn)
        device = request.cookies.get(DEVICE_COOKIE, "")
        attempt = Attempt(
            body.login,
            body.password,
            body.code,
            body.recovery_code,
            origin.remote,
            device if len(device) <= _MOST_DEVICE else "",
            request.headers.get("User-Agent", ""),
            request[REQUEST_ID],
        )
        signed_in = await self._signing_in.sign_in(attempt)
        response = json_response(_signed_in(signed_in), 201, secret=True)
        _set_cookie(response, SESSION_COOKIE, signed_in.cookie)
        _set_cookie(response, DEVICE_COOKIE, signed_in.device, max_age=_DEVICE_SECONDS)
        return response

    async def current(self, call: Call) -> web.StreamResponse:
        session = call.principal.session
        for each in await self._sessions.of(call.principal.company, _user(call)) or ():
            if each.id == session:
                return json_response(_shown(each, session))
        raise not_found()

    async def sign_out(self, call: Call) -> web.StreamResponse:
        session = or_not_found(call.principal.session)
        await self._sessions.end(call.actor, call.principal, _user(call), session)
        return _gone(forget_cookie=True)

    async def list(self, call: Call) -> web.StreamResponse:
        found = or_not_found(await self._sessions.of(call.principal.company, _user(call)))
        session = call.principal.session
        return listed_whole(call, found, lambda each: each.id, lambda each: _shown(each, session), descending=True)

    async def end(self, call: Call) -> web.StreamResponse:
        session: UUID = call.path["sessionId"]
        if not await self._sessions.end(call.actor, call.principal, _user(call), session):
            raise not_found()
        return _gone(forget_cookie=session == call.principal.session)

    async def end_all(self, call: Call) -> web.StreamResponse:
        user = _user(call)
        if not await self._sessions.end_all(call.actor, call.principal, user):
            raise not_found()
        return _gone(forget_cookie=call.principal.session is not None and user == call.principal.user)


def _user(call: Call) -> UUID:
    """Whose sessions are meant: those of the user in the path, or the caller's own."""
    user: UUID | None = call.path.get("userUuid", call.principal.user)
    return or_not_found(user)  # there is none where a token stands for no user here


def _set_cookie(response: web.Response, name: str, value: str, max_age: int | None = None) -> None:
    """By the rules of ``__Host-`` (RFC 6265bis, section 4.1.3.2): this host alone, over TLS alone, the whole of it."""
    response.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="Lax")


def _gone(*, forget_cookie: bool) -> web.Response:
    response = web.Response(status=204)
    if forget_cookie:
        _set_cookie(response, SESSION_COOKIE, "", max_age=0)
    return response


def _signed_in(found: SignedIn) -> dict[str, Any]:
    return {
        "id": found.session.id,
        "csrfToken": found.csrf_token,
        "expiresAt": rfc3339_of(found.session.expires_at),
        "user": {"id": found.user, "companyId": found.company, "login": found.login, "role": found.role},
    }


def _shown(session: Session, current: UUID | None) -> dict[str, Any]:
    return {
        "id": session.id,
        "userId": session.user,
        "remote": session.remote,
        "userAgent": session.user_agent,
        "createdAt": rfc3339_of(session.created_at),
        "lastUsedAt": rfc3339_of(session.last_used_at),
        "expiresAt": rfc3339_of(session.expires_at),
        "current": session.id == current,
    }
