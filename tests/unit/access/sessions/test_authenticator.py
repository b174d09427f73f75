"""Whose page asks, as far as a browser tells."""

import pytest
from multidict import CIMultiDict

from eventgate.access import Asked
from eventgate.access.sessions.authenticator import check_origin
from eventgate.errors import CallerError

OURS = "https://gate.example"


def asked(*headers: tuple[str, str], origin: str = OURS) -> Asked:
    return Asked("POST", CIMultiDict(headers), origin=origin)


@pytest.mark.parametrize(
    "request_",
    [
        asked(),
        asked(("Origin", OURS)),
        asked(("Origin", "HTTPS://Gate.Example")),
        asked(("Origin", OURS), origin="https://gate.example:443"),
        asked(("Origin", "http://gate.example"), origin="http://gate.example:80"),
        asked(("Origin", "http://127.0.0.1:8080"), origin="http://127.0.0.1:8080"),
        asked(("Sec-Fetch-Site", "same-origin")),
        asked(("Sec-Fetch-Site", "none")),
        asked(("Origin", OURS), ("Sec-Fetch-Site", "same-origin")),
    ],
)
def test_ours(request_):
    check_origin(request_)


@pytest.mark.parametrize(
    "headers",
    [
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Origin", "")],
        [("Origin", "http://gate.example")],
        [("Origin", "https://gate.example:8443")],
        [("Origin", "https://gate.example.evil.example")],
        [("Origin", OURS), ("Origin", "https://evil.example")],
        [("Sec-Fetch-Site", "cross-site")],
        [("Sec-Fetch-Site", "same-site")],
    ],
)
def test_another_sites(headers):
    with pytest.raises(CallerError) as caught:
        check_origin(asked(*headers))
    assert (caught.value.status, caught.value.code) == (403, "origin-foreign")
