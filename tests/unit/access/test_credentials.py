"""Where a credential is found, and where it is refused."""

import pytest
from multidict import CIMultiDict

from eventgate.access.asked import Asked
from eventgate.access.credentials import Credential, Kind, find_credential
from eventgate.errors import CallerError
from eventgate.signing.authkey import AuthKey

KEY = AuthKey.mint().whole
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl"
COOKIE = "__Host-eventgate=abc"


def find(headers, query="") -> Credential:
    return find_credential(Asked("GET", CIMultiDict(headers), query))


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", KEY)],
        [("authorization", f"Bearer {KEY}")],
        [("Authorization", f"bearer   {KEY} ")],
        [("X-API-Key", KEY)],
        [("x-api-key", f" {KEY}")],
        [("Authorization", f"Bearer {KEY}"), ("X-API-Key", KEY)],
        [("Authorization", KEY), ("Authorization", KEY)],
    ],
)
def test_found_wherever_a_caller_may_put_it(headers):
    assert find(headers) == (Kind.AUTH_KEY, KEY)


@pytest.mark.parametrize(
    ("headers", "query", "status", "code"),
    [
        ([], "", 401, "credentials-missing"),
        ([("Authorization", "")], "", 401, "credentials-missing"),
        ([("Authorization", "Bearer ")], "", 401, "credentials-missing"),
        ([("Authorization", KEY), ("X-API-Key", "egk_other")], "", 400, "credentials-ambiguous"),
        ([("Authorization", KEY), ("Authorization", "egk_other")], "", 400, "credentials-ambiguous"),
        ([("Authorization", KEY)], f"key={KEY}", 400, "key-in-query"),
        ([("Authorization", KEY)], f"access_token={TOKEN}", 400, "token-in-query"),
        ([("Authorization", KEY), ("X-API-Key", TOKEN)], "", 400, "credentials-ambiguous"),
        ([("Authorization", "Basic YTpi")], "", 401, "key-malformed"),
        ([("Authorization", "nonsense")], "", 401, "key-malformed"),
        ([("Authorization", ""), ("Cookie", COOKIE)], "", 401, "credentials-missing"),
        ([("Cookie", f"{COOKIE}; __Host-eventgate=other")], "", 400, "credentials-ambiguous"),
        ([("Cookie", "eventgate=abc")], "", 401, "credentials-missing"),
        ([], f"limit=5&access_token={KEY}", 400, "key-in-query"),
    ],
)
def test_refused(headers, query, status, code):
    with pytest.raises(CallerError) as caught:
        find(headers, query)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert KEY not in str(caught.value)
    assert ("WWW-Authenticate" in caught.value.headers) == (status == 401)


def test_a_search_for_the_prefix_is_no_key():
    assert find({"Authorization": KEY}, 'filter=message·contains·"egk_"&filter=message·contains·"eyJ"') == (
        Kind.AUTH_KEY,
        KEY,
    )


def test_three_parts_are_a_token():
    assert find({"Authorization": f"Bearer {TOKEN}"}) == (Kind.TOKEN, TOKEN)


def test_a_cookie_counts_without_either_header_alone():
    assert find({"Cookie": f"theme=dark; {COOKIE}; other=1"}) == (Kind.SESSION, "abc")
    assert find([("Cookie", COOKIE), ("Cookie", "a=b")]) == (Kind.SESSION, "abc")
    assert find({"Cookie": COOKIE, "X-API-Key": KEY}) == (Kind.AUTH_KEY, KEY)
    assert find({"Cookie": COOKIE, "Authorization": KEY}) == (Kind.AUTH_KEY, KEY)
