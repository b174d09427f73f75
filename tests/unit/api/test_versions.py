"""Which version a call is answered in, and what an answer is in an older one."""

import orjson
import pytest
from aiohttp import web
from multidict import CIMultiDict

from eventgate.access import NEWEST_VERSION, VERSIONS
from eventgate.api.versions import DIFFERENCES, described, differences_of, told_in, version_of
from eventgate.errors import CallerError


def _headers(*values: str) -> CIMultiDict:
    return CIMultiDict([("EventGate-Version", value) for value in values])


def test_a_key_is_answered_in_the_version_it_is_pinned_to():
    assert [version_of(_headers(), version) for version in VERSIONS] == list(VERSIONS)


def test_a_version_that_is_no_more_is_answered_in_the_nearest():
    assert version_of(_headers(), "2020-01-01") == VERSIONS[0]
    assert version_of(_headers(), "2026-11-24") == "2026-11-22"
    assert version_of(_headers(), "2999-01-01") == NEWEST_VERSION


def test_the_header_wins():
    assert version_of(_headers("2026-11-22"), NEWEST_VERSION) == "2026-11-22"
    assert version_of(_headers("2026-11-22", "2026-11-22"), NEWEST_VERSION) == "2026-11-22"


@pytest.mark.parametrize(
    "asked", ["2027-01-01", "2026-11-23", "2026-11-22 ", "latest", "", "20261122", "\u0662026-11-22"]
)
def test_what_is_no_version_is_refused_with_those_there_are(asked):
    with pytest.raises(CallerError) as caught:
        version_of(_headers(asked), NEWEST_VERSION)
    assert (caught.value.status, caught.value.code) == (400, "version-unknown")
    assert caught.value.members == {"versions": VERSIONS}


def test_two_versions_at_once_are_refused():
    with pytest.raises(CallerError):
        version_of(_headers(*VERSIONS), NEWEST_VERSION)


def _codes() -> web.Response:
    return web.json_response({"count": 1, "data": [{"alertCode": "X", "lastSeenAt": None, "source": "observed"}]})


def test_an_older_answer_calls_it_by_its_older_name_in_its_place():
    response = _codes()
    told_in("2026-11-22", differences_of("/v2/alert-codes"), response)
    assert orjson.loads(response.body)["data"] == [{"alertCode": "X", "lastSeen": None, "source": "observed"}]


def test_the_newest_answer_is_left_as_it_is():
    response = _codes()
    before = response.body
    told_in(NEWEST_VERSION, differences_of("/v2/alert-codes"), response)
    assert response.body is before


def test_every_difference_is_since_a_version_and_told():
    assert {difference.since for difference in DIFFERENCES} == {*VERSIONS[1:]}
    assert all(difference.told in described() for difference in DIFFERENCES)
