"""Writes over real HTTP into a real journal: every row of the wire contract's table, identity, rejects, limits."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from backports import zstd

from eventgate.ingest import Limits
from eventgate.signing.keys import SigningKey
from tests.integration.ingest_gate import Answer, Gate, open_gate


@pytest.fixture
async def gate(database_url: str, pool: asyncpg.Pool, tmp_path: Path) -> AsyncIterator[Gate]:
    async with open_gate(database_url, pool, tmp_path) as opened:
        yield opened


def _now(seconds: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def _event(**members: Any) -> dict[str, Any]:
    return {"timestamp": _now(), "alertCode": "DEAUTHFLOOD", "severity": 7, "message": "a flood"} | members


def _text(**members: Any) -> bytes:
    return orjson.dumps(_event(**members))


def _is_problem(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.body.get("code")) == (status, code), answer.body
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.body["requestId"] == answer.headers["X-Request-Id"]


async def test_one_event_is_stored_and_answered(gate: Gate) -> None:
    answer = await gate.post(_text())
    assert answer.status == 201
    [entry] = answer.body["events"]
    assert {**answer.body, "events": None, "receipt": None} == {
        "accepted": 1, "duplicates": 0, "rejected": 0, "events": None, "receipt": None,
    }  # fmt: skip
    assert (entry["index"], entry["status"], entry["position"]) == (0, "accepted", 1)
    digest = await gate.pool.fetchval("SELECT digest FROM journal WHERE position = 1")
    assert answer.body["receipt"] == {"position": 1, "digest": digest.hex()}
    stored = await gate.pool.fetchrow("SELECT id::text AS id, code, message, sensor::text AS sensor FROM events")
    assert tuple(stored) == (entry["id"], "DEAUTHFLOOD", "a flood", gate.made.edge_id)


@pytest.mark.parametrize("coding", [None, "gzip", "zstd"])
@pytest.mark.parametrize("media", ["application/json", "application/x-ndjson"])
async def test_batches_in_every_form(gate: Gate, coding: str | None, media: str) -> None:
    events = [_text(eventId=str(number)) for number in range(300)]
    body = b"\n".join(events) if media.endswith("ndjson") else b"[" + b",".join(events) + b"]"
    more = {"Content_Type": media}
    if coding:
        body = gzip.compress(body) if coding == "gzip" else zstd.compress(body)
        more["Content_Encoding"] = coding
    answer = await gate.post(body, **more)
    assert (answer.status, answer.body["accepted"], await gate.stored()) == (201, 300, 300)
    assert [entry["index"] for entry in answer.body["events"]] == list(range(300))


async def test_a_replay_is_idempotent(gate: Gate) -> None:
    body = orjson.dumps([_event(), _event(eventId="e")])
    first, again = await gate.post(body), await gate.post(body)
    assert (again.status, again.body["duplicates"], again.body["receipt"]) == (200, 2, None)
    assert [(entry["id"], entry["position"], entry["positionIndex"]) for entry in again.body["events"]] == [
        (entry["id"], entry["position"], entry["positionIndex"]) for entry in first.body["events"]
    ]
    assert await gate.stored() == 2


async def test_a_retry_in_flight_is_stored_once(gate: Gate) -> None:
    bodies = [_text(eventId=f"e{number}") for number in range(20)]
    answers = await asyncio.gather(*(gate.post(body) for body in bodies * 3))
    assert {answer.status for answer in answers} == {200, 201}
    assert sum(answer.body["accepted"] for answer in answers) == await gate.stored() == 20


async def test_a_conflict_is_a_reject(gate: Gate) -> None:
    event = _event(eventId="e")
    await gate.post(orjson.dumps(event))
    answer = await gate.post(orjson.dumps(event | {"message": "changed"}))
    _is_problem(answer, 422, "id-conflict")
    assert answer.body["events"][0]["error"]["code"] == "id-conflict"
    assert [reject.problems[0].code for reject in await gate.kept_rejects()] == ["id-conflict"]


async def test_good_events_go_on_and_rejects_are_kept(gate: Gate) -> None:
    bad = _text(severity=11, message=None)
    hostile = b'{"timestamp":"x","message":"\\ud800"}'
    body = b"[" + b",".join([_text(), bad, hostile, _text(message="\x00")]) + b"]"
    answer = await gate.post(body)
    assert (answer.status, answer.body["accepted"], answer.body["rejected"]) == (201, 2, 2)
    assert [entry["status"] for entry in answer.body["events"]] == ["accepted", "rejected", "rejected", "accepted"]
    assert answer.body["events"][1]["error"]["pointer"] == "/severity"
    kept = sorted(await gate.kept_rejects(), key=lambda reject: reject.index)
    assert [(reject.index, reject.body, reject.request_id) for reject in kept] == [
        (1, bad, answer.headers["X-Request-Id"]),
        (2, hostile, answer.headers["X-Request-Id"]),
    ]
    messages = await gate.pool.fetch("SELECT message FROM events")
    assert {row["message"] for row in messages} == {"a flood", "\ufffd"}


async def test_all_rejected_is_a_problem_with_the_same_members(gate: Gate) -> None:
    answer = await gate.post(orjson.dumps([_event(severity=11), {"kind": "x"}]))
    _is_problem(answer, 422, "events-rejected")
    assert (answer.body["accepted"], answer.body["rejected"], answer.body["receipt"]) == (0, 2, None)
    assert [error["pointer"] for error in answer.body["errors"]] == ["/0/severity", "/1/timestamp", "/1/kind"]


async def test_another_sensors_event_is_rejected(gate: Gate) -> None:
    answer = await gate.post(_text(edgeId="9a90af71-251e-11f0-a7be-3ec870f66d56"))
    _is_problem(answer, 422, "edge-not-yours")


async def test_what_is_wrong_with_credentials_and_signatures(gate: Gate) -> None:
    body = _text()
    good = gate.headers(body)
    now = datetime.now(UTC).timestamp()
    other = SigningKey.generate("P-256")
    mine, gate.key = gate.key, other
    forged = gate.headers(body)
    gate.key = mine
    without = {name: value for name, value in good.items() if name != "Signature"}
    twice = good | {"Signature-Input": good["Signature-Input"] + ", " + good["Signature-Input"]}
    wrong_digest = good | {"Content-Digest": gate.headers(body + b" ")["Content-Digest"]}
    cases = [
        ({name: value for name, value in good.items() if name != "Authorization"}, 401, "credentials-missing"),
        (good | {"Authorization": gate.made.auth_key[:-1]}, 401, "key-malformed"),
        (good | {"Authorization": gate.made.admin_auth_key}, 401, "no-verify-key"),
        (without, 401, "unsigned"),
        (twice, 400, "signature-malformed"),
        (good | {"Content-Digest": "sha-256=?"}, 400, "digest-malformed"),
        (wrong_digest, 401, "digest-mismatch"),
        (forged, 401, "signature-invalid"),
        (gate.headers(body, created=int(now) - 301), 401, "created-stale"),
        (gate.headers(body, created=int(now) + 65), 401, "created-ahead"),
        (good | {"Signature-Input": good["Signature-Input"].replace('"@path" ', "")}, 401, "coverage-missing"),
        (
            good | {"Signature-Input": good["Signature-Input"].replace(gate.made.verify_key_id, "x")},
            401,
            "keyid-unknown",
        ),
        (
            good | {"Signature-Input": good["Signature-Input"].replace("p256-sha256", "p384-sha384")},
            401,
            "alg-mismatch",
        ),
    ]
    for headers, status, code in cases:
        answer = await gate.post(body, headers)
        _is_problem(answer, status, code)
    assert "serverTime" in (await gate.post(body, gate.headers(body, created=int(now) - 999))).body
    assert await gate.stored() == 0


async def test_unverified_bytes_are_never_inflated_or_decoded(gate: Gate) -> None:
    """Promise 4: what would fail there fails at the signature, and only a good one lets it come so far."""
    mine = gate.key
    bomb = gzip.compress(bytes(9 << 20))
    for coding, body, fault in (
        ("gzip", b"no gzip", (400, "encoding-malformed")),
        ("zstd", b"no zstd", (400, "encoding-malformed")),
        ("gzip", bomb, (413, "body-too-large")),
        ("identity", b"no JSON", (400, "json-malformed")),
    ):
        gate.key = SigningKey.generate("P-256")
        _is_problem(await gate.post(body, content_encoding=coding), 401, "signature-invalid")
        gate.key = mine
        _is_problem(await gate.post(body, content_encoding=coding), *fault)
    assert await gate.stored() == 0


async def test_a_scope_that_is_missing(gate: Gate) -> None:
    await gate.pool.execute("UPDATE api_keys SET scopes = '{alerts:read}'")
    _is_problem(await gate.post(_text()), 403, "scope-missing")


async def test_media_types_and_codings(gate: Gate) -> None:
    body = _text()
    for more, code in [
        ({"Content_Type": "text/plain"}, "media-type-unsupported"),
        ({"Content_Type": "application/json; charset=latin-1"}, "media-type-unsupported"),
        ({"Content_Encoding": "br"}, "content-encoding-unsupported"),
        ({"Content_Encoding": "gzip, gzip"}, "content-encoding-unsupported"),
    ]:
        _is_problem(await gate.post(body, **more), 415, code)
    headers = gate.headers(body)
    del headers["Content-Type"]
    _is_problem(await gate.post(body, headers), 415, "media-type-unsupported")
    answer = await gate.post(body, Content_Type='application/JSON; charset="UTF-8"', Content_Encoding="identity")
    assert answer.status == 201


async def test_bodies_that_are_wrong_whole(gate: Gate) -> None:
    malformed = await gate.post(b'[\n{"a":1},\n{"b":tru}]')
    _is_problem(malformed, 400, "json-malformed")
    assert (malformed.body["line"], malformed.body["column"]) == (3, 6)
    _is_problem(await gate.post(b"[]"), 422, "no-events")
    _is_problem(await gate.post(b""), 400, "json-malformed")
    _is_problem(await gate.post(b'"text"'), 400, "json-malformed")
    _is_problem(await gate.post(b"{}", Content_Encoding="gzip"), 400, "encoding-malformed")
    _is_problem(await gate.post(b"[" + b"{}," * 5_000 + b"{}]"), 413, "too-many-events")
    _is_problem(await gate.post(zstd.compress(bytes(9 << 20)), Content_Encoding="zstd"), 413, "body-too-large")
    _is_problem(await gate.post(b" " * (5 << 20) + b"{}"), 413, "body-too-large")
    _is_problem(await gate.post(_text(), query="?x=1"), 400, "parameter-unknown")


async def test_a_chunked_body_is_bounded_too(gate: Gate) -> None:
    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b" " * 65_536
        yield small

    small = _text()
    url = f"http://127.0.0.1:{gate.port}/v2/events"
    whole = b" " * 65_536 * 3 + small
    async with gate.session.post(url, data=pieces(3), headers=gate.headers(whole)) as response:
        assert response.status == 201
    async with gate.session.post(url, data=pieces(100), headers=gate.headers(whole)) as response:
        assert (response.status, (await response.json(content_type=None))["code"]) == (413, "body-too-large")


async def test_the_largest_legal_write(gate: Gate) -> None:
    events = [_event(eventId=str(number), data={"x": "y" * 800}) for number in range(5_000)]
    answer = await gate.post(orjson.dumps(events))
    assert (answer.status, answer.body["accepted"]) == (201, 5_000)
    largest = _event(message="é" * 4_096, data={"x": "y" * (65_536 - 8)})
    assert (await gate.post(orjson.dumps(largest))).status == 201


async def test_a_key_with_a_rate(gate: Gate) -> None:
    await gate.pool.execute("UPDATE api_keys SET rate_limit = 2")
    answers = [await gate.post(_text()) for _ in range(4)]
    limited = [answer for answer in answers if answer.status != 201]
    assert limited
    _is_problem(limited[0], 429, "rate-limited")
    assert limited[0].headers["Retry-After"] == "1"
    assert "r=0" in limited[0].headers["RateLimit"]


@pytest.mark.parametrize(
    ("lacking", "code"),
    [
        ({"limits": Limits(budget_bytes=50)}, "busy"),
        ({"limits": Limits(backlog_events=0)}, "busy"),
        ({"minimum_free": 1 << 60}, "storage-low"),
    ],
)
async def test_what_the_gate_cannot_do_now(
    database_url: str, pool: asyncpg.Pool, tmp_path: Path, lacking: dict[str, Any], code: str
) -> None:
    async with open_gate(database_url, pool, tmp_path, **lacking) as gate:
        answer = await gate.post(_text())
        _is_problem(answer, 503, code)
        assert int(answer.headers["Retry-After"]) >= 1


async def test_a_body_that_never_comes(database_url: str, pool: asyncpg.Pool, tmp_path: Path) -> None:
    async with open_gate(database_url, pool, tmp_path, limits=Limits(body_seconds=0.2)) as gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
        head = "".join(f"{name}: {value}\r\n" for name, value in gate.headers(b"").items())
        writer.write(f"POST /v2/events HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 100\r\n\r\n".encode())
        status = await reader.readline()
        assert status.startswith(b"HTTP/1.1 408")
        writer.close()
        await writer.wait_closed()
