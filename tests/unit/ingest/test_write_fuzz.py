"""Whatever bytes a signed write holds, the parsers either take them or say whose fault it is."""

import gzip
from contextlib import suppress
from typing import Any

import orjson
import pytest
from backports import zstd
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from eventgate.access import Principal
from eventgate.errors import CallerError, Unavailable
from eventgate.ingest.budget import ByteBudget
from eventgate.ingest.decode import Decoder
from eventgate.ingest.fields import EXPECTED
from eventgate.ingest.limits import Limits
from eventgate.ingest.workspace import Workspace
from eventgate.ingest.write import Write
from tests.unit.ingest.house import NOW_TEXT, SENSOR, MakeWrite, SensorList, text

_FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20), st.sampled_from([NOW_TEXT, str(SENSOR.id), SENSOR.serial, "alert", "heartbeat", "\x00", ""]),
)  # fmt: skip
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)
_events = st.dictionaries(st.sampled_from([*EXPECTED, "x"]), _values, max_size=13).map(
    lambda members: {"timestamp": NOW_TEXT, "alertCode": "X"} | members
)
_bodies = st.one_of(
    st.binary(max_size=200),
    _values.map(orjson.dumps),
    _events.map(orjson.dumps),
    st.lists(_events, max_size=5).map(orjson.dumps),
    st.text(alphabet='[]{}",:\\u0d8e-+.1 \n', max_size=60).map(str.encode),
)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A body with a few of its bytes exchanged, taken out or put in."""
    body = bytearray(draw(_bodies))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(body)


@pytest.fixture
def decoder(sensors: SensorList) -> Decoder:
    return Decoder(sensors, lambda _code: (6, 5), Limits(inflated_bytes=1 << 16))  # type: ignore[arg-type]


async def _read(decoder: Decoder, write: Write) -> None:
    """Decode, or be told whose fault it is: any other exception is the test's failure."""
    with ByteBudget(1 << 20, Workspace(1 << 30)).charge() as charge, suppress(CallerError, Unavailable):
        decoded = await decoder.decode(write, charge)
        assert len(decoded.events) + len(decoded.rejects) > 0
        for event in decoded.events:
            assert isinstance(orjson.loads(event.raw), dict)
            assert isinstance(orjson.loads(event.data), dict)
        for reject in decoded.rejects:
            assert orjson.dumps([problem.pointer for problem in reject.problems]) != b"[]"


@_FUZZ
@given(body=_damaged(), media=st.sampled_from(["json", "ndjson"]))
@example(body=b"[" * 100_000, media="json")
@example(body=b'[{"timestamp":"' + b"9" * 5_000 + b'"}]', media="json")
async def test_no_body_breaks_the_decoder(
    decoder: Decoder, make_write: MakeWrite, unbound: Principal, body: bytes, media: str
) -> None:
    await _read(decoder, make_write(body, media))
    await _read(decoder, make_write(body, media, by=unbound))


@_FUZZ
@given(body=_damaged(), coding=st.sampled_from(["gzip", "zstd"]), data=st.data())
async def test_no_compressed_body_breaks_the_decoder(
    decoder: Decoder, make_write: MakeWrite, body: bytes, coding: str, data: st.DataObject
) -> None:
    pressed = bytearray(gzip.compress(body) if coding == "gzip" else zstd.compress(body))
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(pressed)))
        pressed[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    await _read(decoder, make_write(bytes(pressed), "json", coding))


@_FUZZ
@given(members=_events)
async def test_an_event_is_taken_or_every_mistake_has_a_pointer(
    decoder: Decoder, make_write: MakeWrite, members: dict[str, Any]
) -> None:
    with ByteBudget(1 << 20, Workspace(1 << 30)).charge() as charge:
        decoded = await decoder.decode(make_write(orjson.dumps([members, orjson.loads(text())])), charge)
    assert decoded.indexes[-1] == 1
    for reject in decoded.rejects:
        assert all(problem.pointer.startswith("/") for problem in reject.problems)
