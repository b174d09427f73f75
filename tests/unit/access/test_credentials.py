"""Where a credential is found, and where it is refused."""

import pytest
from multidict import CIMultiDict

from eventgate.access.credentials import find_credential
from eventgate.errors import CallerError
from eventgate.signing.authkey import AuthKey

KEY = AuthKey.mint().whole


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
    assert find_credential(CIMultiDict(headers), "") == KEY


@pytest.mark.parametrize(
    ("headers", "query", "status", "code"),
    [
        ([], "", 401, "credentials-missing"),
        ([("Authorization", "")], "", 401, "credentials-missing"),
        ([("Authorization", "Bearer ")], "", 401, "credentials-missing"),
        ([("Authorization", KEY), ("X-API-Key", "egk_other")], "", 400, "credentials-ambiguous"),
        ([("Authorization", KEY), ("Authorization", "egk_other")], "", 400, "credentials-ambiguous"),
        ([("Authorization", KEY)], f"key={KEY}", 400, "key-in-query"),
        ([], f"limit=5&access_token={KEY}", 400, "key-in-query"),
    ],
)
def test_refused(headers, query, status, code):
    with pytest.raises(CallerError) as caught:
        find_credential(CIMultiDict(headers), query)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert KEY not in str(caught.value)
    assert ("WWW-Authenticate" in caught.value.headers) == (status == 401)


def test_a_search_for_the_prefix_is_no_key():
    assert find_credential(CIMultiDict(Authorization=KEY), 'filter=message·contains·"egk_"') == KEY
