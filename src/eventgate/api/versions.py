"""What differs between the dated versions of the interface, and how an answer is told in an older one.

Pure, but for aiohttp's response object. Handlers speak the newest version alone; the door does the rest.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from eventgate.access import NEWEST_VERSION, VERSIONS
from eventgate.access.asked import Headers
from eventgate.errors import CallerError

FIELD = "EventGate-Version"
"""The header field: in a request, which version this one call is to be answered in; in an answer, which it was."""


class Difference(NamedTuple):
    """One difference. ``since`` is the version that brought it, ``path`` the route it is about, ``told`` what it is.

    ``older`` makes the answer of ``since`` into that of the version before; it may change what it is given.
    """

    since: str
    path: str
    told: str
    older: Callable[[Any], Any]


def _renamed_in_list(newer: str, older: str) -> Callable[[Any], Any]:
    """Each object of a list called its member ``older``, in the same place."""

    def tell(page: dict[str, Any]) -> dict[str, Any]:
        page["data"] = [
            {older if name == newer else name: value for name, value in each.items()} for each in page["data"]
        ]
        return page

    return tell


DIFFERENCES: Sequence[Difference] = (
    Difference(
        "2026-11-26",
        "/v2/alert-codes",
        "the time of the newest alert is called `lastSeenAt`, as every other time is; before, it was `lastSeen`.",
        _renamed_in_list("lastSeenAt", "lastSeen"),
    ),
)


def version_of(headers: Headers, pinned: str) -> str:
    """The version that a request of a caller pinned to ``pinned`` is answered in.

    Raises CallerError 400 ``version-unknown`` with the ``versions`` there are.
    """
    asked = {*headers.getall(FIELD, [])}
    if not asked:
        return _answered(pinned)
    if len(asked) > 1 or not asked <= {*VERSIONS}:
        detail = f"{FIELD} must be one of {', '.join(VERSIONS)}; leave it out for the version of your API key."
        raise CallerError(400, "version-unknown", detail, members={"versions": VERSIONS})
    return asked.pop()


@cache
def _answered(pinned: str) -> str:
    """The newest version there is that is no newer than the one a caller is pinned to."""
    return max((version for version in VERSIONS if version <= pinned), default=VERSIONS[0])


def differences_of(path: str) -> Sequence[Difference]:
    """The differences that concern a route, newest first."""
    found = [difference for difference in DIFFERENCES if difference.path == path]
    return sorted(found, key=lambda difference: difference.since, reverse=True)


def told_in(version: str, differences: Iterable[Difference], response: web.StreamResponse) -> None:
    """Make the newest answer of a route into that of ``version``."""
    steps = [difference for difference in differences if difference.since > version]
    if steps and response.status == 200 and isinstance(response, web.Response) and isinstance(response.body, bytes):
        document = orjson.loads(response.body)
        for step in steps:
            document = step.older(document)
        response.body = orjson.dumps(document)


def described() -> str:
    """The versions and their differences, for the OpenAPI document."""
    differences = "\n".join(f"- {each.since}, `{each.path}`: {each.told}" for each in DIFFERENCES)
    return (
        f"The interface has dated versions: {', '.join(VERSIONS)}. This document describes {NEWEST_VERSION}. A call is "
        f"answered in the version that its API key is pinned to, or in that of its header field `{FIELD}`; each answer "
        f"says which. What each version brought:\n\n{differences}\n"
    )


PARAMETER: Mapping[str, Any] = {
    "name": FIELD,
    "in": "header",
    "required": False,
    "description": "Answer this call in that version of the interface, whatever the API key is pinned to.",
    "schema": {"type": "string", "enum": [*VERSIONS]},
}
ANSWERED: Mapping[str, Any] = {
    "description": "The version of the interface that this answer is in.",
    "required": True,
    "schema": {"type": "string", "enum": [*VERSIONS]},
}
