"""Finds the one credential of a request, wherever the published APIs let a caller put it, and says of which kind it is.

Pure. Never puts what it found into an error or a log line.
"""

import re
from enum import Enum

from eventgate.access.asked import Asked, Headers
from eventgate.errors import CallerError

SESSION_COOKIE = "__Host-eventgate"

_AUTH_KEY_IN_QUERY = re.compile(r"egk_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", re.ASCII)
_TOKEN_IN_QUERY = re.compile(r"eyJ[\w-]{8,}\.[\w-]{2,}\.[\w-]*", re.ASCII)  # a JWT's header begins with {"
_REALM = 'Bearer realm="EventGate"'
_IN_QUERY = (
    "Addresses end up in logs: send it as Authorization: Bearer …, and replace this one, since others may have read it."
)


class Kind(Enum):
    """What a credential proves itself as."""

    AUTH_KEY = "auth key"
    TOKEN = "token"  # noqa: S105 - a kind of credential, not one
    SESSION = "session"


Credential = tuple[Kind, str]
"""The kind, and the auth key, the JWT or the session cookie's value: a secret. Plain, since every request makes one."""


def find_credential(asked: Asked) -> Credential:
    """The request's credential, without a ``Bearer`` in front. The cookie counts without either header alone.

    Raises CallerError: 401 ``credentials-missing``, ``key-malformed`` for what is no kind of credential; 400
    ``credentials-ambiguous`` for two different ones (the same one twice is one); 400 ``key-in-query``,
    ``token-in-query``, since addresses end up in logs and histories.
    """
    if asked.query_string:
        _refuse_in_query(asked.query_string)
    headers = asked.headers
    shown, keys = headers.getall("Authorization", []), headers.getall("X-API-Key", [])
    if not shown and not keys:
        return Kind.SESSION, _cookie(headers)
    text = _only([_without_scheme(value) for value in shown] + [value.strip() for value in keys])
    if text.startswith("egk_"):
        return Kind.AUTH_KEY, text
    if text.count(".") == 2:
        return Kind.TOKEN, text
    raise unauthenticated("key-malformed", "The credential is not an auth key: those begin with egk_.")


def unauthenticated(code: str, detail: str, *, error: str = "") -> CallerError:
    """A 401 with the challenge that RFC 9110 (section 11.6.1) wants on each.

    ``error`` is what RFC 6750 (section 3.1) calls what is wrong with a token.
    """
    challenge = f'{_REALM}, error="{error}"' if error else _REALM
    return CallerError(401, code, detail, headers={"WWW-Authenticate": challenge})


def _refuse_in_query(query_string: str) -> None:
    if "egk_" in query_string and _AUTH_KEY_IN_QUERY.search(query_string):
        raise CallerError(400, "key-in-query", f"There is an auth key in the address. {_IN_QUERY}")
    if "eyJ" in query_string and _TOKEN_IN_QUERY.search(query_string):
        raise CallerError(400, "token-in-query", f"There is a token in the address. {_IN_QUERY}")


def _only(texts: list[str]) -> str:
    if len(texts) == 1 and texts[0]:  # as almost always
        return texts[0]
    found = {text for text in texts if text}
    if not found:
        raise unauthenticated(
            "credentials-missing", "Send your auth key as Authorization: Bearer egk_…, or as X-API-Key: egk_…."
        )
    if len(found) > 1:
        raise CallerError(
            400, "credentials-ambiguous", "Two different credentials came with this request; send the one you mean."
        )
    return found.pop()


def _cookie(headers: Headers) -> str:
    values = []
    for header in headers.getall("Cookie", []):
        for pair in header.split(";"):
            name, _, value = pair.strip().partition("=")
            if name == SESSION_COOKIE:
                values.append(value)
    return _only(values)


def _without_scheme(value: str) -> str:
    value = value.strip()
    scheme, _, rest = value.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else value
