"""What answers mean for the delivery loop: whose fault it is, how long to wait, and words that harm nobody."""

import pytest

from eventgate.errors import Deferred, Refused
from eventgate.forward.transports.http.answers import TooLarge, failure_of, patience, readable
from eventgate.outbound import Answer

NOW = 1_763_726_400_000  # 2025-11-21T12:00:00Z


def failure(status: int, body: bytes = b"", **headers: str):
    return failure_of(Answer(status, headers, body), "siem.test", NOW)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(status: int) -> None:
    assert failure(status) is None


@pytest.mark.parametrize(("status", "kind"), [(400, Refused), (422, Refused), (413, TooLarge)])
def test_the_contents_fault(status: int, kind: type) -> None:
    assert type(failure(status, b"no")) is kind
    assert str(failure(status, b"no")) == f"siem.test answered {status}: no"


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404, 405, 408, 410, 415, 429, 500, 502, 503, 504])
def test_everything_else_waits_and_nothing_is_given_up(status: int) -> None:
    assert type(failure(status)) is Deferred


def test_a_redirect_says_what_to_do() -> None:
    assert "redirects are not followed" in str(failure(302))


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("999999999999", 3600.0),
        ("Fri, 21 Nov 2025 12:00:30 GMT", 30.0),
        ("Fri, 21 Nov 2025 11:00:00 GMT", 0.0),
        ("Fri, 21 Nov 2035 12:00:30 GMT", 3600.0),
        ("soon", None),
        ("-1", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(told: str, seconds: float | None) -> None:
    assert patience({"Retry-After": told}, NOW) == seconds
    assert failure(503, **{"Retry-After": told}).retry_after == seconds


def test_words_are_bounded_and_visible() -> None:
    assert readable("a\x1b[31m\x00\u202eb\r\n  c") == "a␛[31m␀\\u202eb c"
    assert len(readable("x" * 9000)) == 501
    assert str(failure(500, b"\xff\xfe" * 5000)).startswith("siem.test answered 500: \ufffd")
