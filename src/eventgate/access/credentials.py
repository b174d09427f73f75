"""Finds the one credential of a request, wherever the published APIs let a caller put it.

Pure. Never puts what it found into an error or a log line.
"""

import re

from eventgate.access.asked import Headers
from eventgate.errors import CallerError

_AUTH_KEY_IN_QUERY = re.compile(r"egk_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", re.ASCII)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="EventGate"'}  # RFC 9110, section 11.6.1: a 401 carries one


def find_credential(headers: Headers, query_string: str) -> str:
    """The credential's text, without a ``Bearer`` in front.

    Raises CallerError: 401 ``credentials-missing``; 400 ``credentials-ambiguous`` for two different ones (the same one
    twice is one); 400 ``key-in-query``, since addresses end up in logs and histories.
    """
    if "egk_" in query_string and _AUTH_KEY_IN_QUERY.search(query_string):
        raise CallerError(
            400,
            "key-in-query",
            "There is an auth key in the address. Addresses end up in logs: send it as Authorization or X-API-Key, "
            "and replace this key.",
        )
    found = {_without_scheme(value) for value in headers.getall("Authorization", [])}
    found.update(value.strip() for value in headers.getall("X-API-Key", []))
    found.discard("")
    if not found:
        raise unauthenticated(
            "credentials-missing", "Send your auth key as Authorization: Bearer egk_…, or as X-API-Key: egk_…."
        )
    if len(found) > 1:
        raise CallerError(
            400, "credentials-ambiguous", "Two different credentials came with this request; send the one you mean."
        )
    return found.pop()


def unauthenticated(code: str, detail: str) -> CallerError:
    """A 401 with the challenge that RFC 9110 wants on each."""
    return CallerError(401, code, detail, headers=_CHALLENGE)


def _without_scheme(value: str) -> str:
    scheme, _, rest = value.strip().partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else value.strip()
