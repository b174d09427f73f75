"""Going from one dated version to another, and back in time."""

from datetime import UTC, datetime, timedelta

import pytest

from eventgate.access.versions import NEWEST_VERSION, VERSIONS, check_repin, downgrade_ends
from eventgate.errors import CallerError

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_versions_are_dates_in_order():
    assert list(VERSIONS) == sorted(VERSIONS)
    assert len(VERSIONS) == 2
    assert all(datetime.fromisoformat(version) for version in VERSIONS)


def test_forward_is_always_possible_and_back_until_the_window_ends():
    until = downgrade_ends(NOW)
    check_repin(VERSIONS[0], NEWEST_VERSION, NOW - timedelta(days=9), NOW)
    check_repin(NEWEST_VERSION, VERSIONS[0], until, until)
    with pytest.raises(CallerError) as caught:
        check_repin(NEWEST_VERSION, VERSIONS[0], until, until + timedelta(milliseconds=1))
    assert (caught.value.status, caught.value.code) == (409, "version-downgrade-too-late")
    assert caught.value.members == {"apiVersionDowngradeNotAllowedAfter": "2026-11-29T12:00:00.000Z"}


@pytest.mark.parametrize("wanted", ["2027-01-01", "2026-11-23", "2026-13-45", ""])
def test_an_unknown_or_future_version_is_refused(wanted):
    with pytest.raises(CallerError) as caught:
        check_repin(NEWEST_VERSION, wanted, NOW, NOW)
    assert (caught.value.status, caught.value.members) == (422, {"versions": VERSIONS})
