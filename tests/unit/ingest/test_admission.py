"""The head of a write: what it may be, before a byte of its body is read."""

import pytest
from aiohttp.test_utils import make_mocked_request

from eventgate.clock import ManualClock
from eventgate.errors import CallerError, Unavailable
from eventgate.ingest.admission import Admission, Admitted
from eventgate.ingest.disk import Disk
from eventgate.ingest.limits import Limits


def _admission(backlog: int = 0, limits: Limits | None = None) -> Admission:
    clock = ManualClock()
    return Admission(limits or Limits(), Disk(None, 0, clock), lambda: backlog)


def _admit(admission: Admission | None = None, **fields: str) -> Admitted:
    headers = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in fields.items()}
    request = make_mocked_request("POST", "/v2/events", headers=headers)
    return (admission or _admission()).admit(request)


@pytest.mark.parametrize(
    ("field", "media"),
    [
        ("application/json", "json"),
        ("Application/JSON; charset=UTF-8", "json"),
        ('application/json;charset="utf-8"', "json"),
        ("application/x-ndjson", "ndjson"),
    ],
)
def test_media_types_that_are_read(field: str, media: str) -> None:
    assert _admit(Content_Type=field) == Admitted(media, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["", "text/json", "application/json; charset=utf-16", "application/json; v=2", ";"])
def test_media_types_that_are_not(field: str) -> None:
    with pytest.raises(CallerError) as caught:
        _admit(Content_Type=field)
    assert (caught.value.status, caught.value.code) == (415, "media-type-unsupported")


@pytest.mark.parametrize(("field", "coding"), [("gzip", "gzip"), (" ZSTD ", "zstd"), ("identity", None), ("", None)])
def test_codings_that_are_read(field: str, coding: str | None) -> None:
    assert _admit(Content_Encoding=field).coding == coding


@pytest.mark.parametrize("field", ["br", "deflate", "gzip, zstd", "x-gzip"])
def test_codings_that_are_not(field: str) -> None:
    with pytest.raises(CallerError) as caught:
        _admit(Content_Encoding=field)
    assert (caught.value.status, caught.value.code) == (415, "content-encoding-unsupported")
    assert caught.value.headers == {"Accept-Encoding": "gzip, zstd"}


def test_a_length_at_the_limit_and_beyond() -> None:
    most = Limits().body_bytes
    assert _admit(Content_Length=str(most)).length == most
    with pytest.raises(CallerError, match="body-too-large"):
        _admit(Content_Length=str(most + 1))


def test_a_backlog_at_its_limit() -> None:
    most = Limits().backlog_events
    _admit(_admission(backlog=most - 1))
    with pytest.raises(Unavailable, match="busy"):
        _admit(_admission(backlog=most))
