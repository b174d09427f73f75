"""Over real HTTP, whatever a caller sends is answered, and never with a 500."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.ingest_gate import Gate, open_gate
from tests.patience import PATIENCE

_FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

_SIGNED = ("Authorization", "Content-Type", "Content-Digest", "Signature-Input", "Signature")
_visible = st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60)


@pytest.fixture
async def gate(database_url: str, pool: asyncpg.Pool, tmp_path: Path) -> AsyncIterator[Gate]:
    async with open_gate(database_url, pool, tmp_path) as opened:
        yield opened


def _event() -> bytes:
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    return orjson.dumps({"timestamp": moment, "alertCode": "X", "message": "a", "data": {"a": [1, "b"]}})


def _damage(data: st.DataObject, whole: bytes) -> bytes:
    """Exchange, take out or put in a few bytes."""
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged)))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    return bytes(damaged)


async def _still_takes_writes(gate: Gate) -> None:
    assert (await gate.post(_event())).status == 201


@_FUZZ
@given(data=st.data(), coding=st.sampled_from(["identity", "gzip", "zstd"]))
async def test_signed_bodies(gate: Gate, data: st.DataObject, coding: str) -> None:
    body = _event() if data.draw(st.booleans()) else b"[" + _event() + b", " + _event() + b"]"
    body = gzip.compress(_damage(data, body)) if data.draw(st.booleans()) else _damage(data, body)
    answer = await gate.post(body, Content_Encoding=coding)
    assert answer.status in {200, 201, 400, 413, 422}, answer.body


@_FUZZ
@given(data=st.data())
async def test_header_fields(gate: Gate, data: st.DataObject) -> None:
    body = _event()
    headers = gate.headers(body)
    name = data.draw(st.sampled_from(_SIGNED))
    value = headers[name]
    at = data.draw(st.integers(0, len(value)))
    headers[name] = value[:at] + data.draw(_visible) + value[at + data.draw(st.integers(0, 5)) :]
    answer = await gate.post(body, headers)
    assert answer.status in {200, 201, 400, 401, 403, 415}, answer.body


@_FUZZ
@given(data=st.data())
async def test_raw_requests(gate: Gate, data: st.DataObject) -> None:
    body = _event()
    head = "".join(f"{name}: {value}\r\n" for name, value in gate.headers(body).items())
    whole = f"POST /v2/events HTTP/1.1\r\nHost: gate\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    try:
        writer.write(_damage(data, whole))
        writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
        assert not answer.startswith(b"HTTP/1.1 5"), answer
    finally:
        writer.close()
    await _still_takes_writes(gate)


@pytest.mark.parametrize("prefix", ["http://127.0.0.1:8080", "HTTPS://gate.example"])
async def test_a_target_in_absolute_form_is_signed_for_its_path(gate: Gate, prefix: str) -> None:
    body = _event()
    answer = await _sent_raw(gate, f"{prefix}/v2/events".encode(), gate.headers(body), body)
    assert answer.startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize(("name", "status"), [("Content-Type", 415), ("Content-Encoding", 415), ("Expect", 417)])
async def test_a_header_field_that_is_no_text_is_answered(gate: Gate, name: str, status: int) -> None:
    headers = gate.headers(_event()) | {name: "\udcff"}
    answer = await _sent_raw(gate, b"/v2/events", headers, _event())
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in answer


async def _sent_raw(gate: Gate, target: bytes, headers: dict[str, str], body: bytes) -> bytes:
    """What is answered to a write with exactly this target and these field values."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    fields = headers | {"Host": "x", "Connection": "close", "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    writer.write(b"POST %b HTTP/1.1\r\n%b\r\n%b" % (target, lines.encode(errors="surrogateescape"), body))
    answer = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    await writer.wait_closed()
    return answer
