"""Whatever a caller sends, wherever: the answer is a problem document of its own fault, and never a 500."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from eventgate.api import bodies
from eventgate.signing.authkey import AuthKey
from tests.integration.http_service import METRICS_TOKEN, Service, http_service
from tests.patience import PATIENCE

_DEEP = 20_000
BODIES = {
    "nothing": b"",
    "a string": b'"text"',
    "an array": b"[]",
    "null": b"null",
    "half of an object": b'{"a":',
    "a huge number": b'{"rateLimit":1e999,"role":123456789012345678901234567890}',
    "a lone surrogate": b'{"name":"\\ud800","login":"\\udfff","description":"\\ud83d"}',
    "a NUL": b'{"name":"a\\u0000b","login":"\\u0000","description":"\\u0000","password":"\\u0000"}',
    "a member twice": b'{"name":"a","name":"b","name":null}',
    "deep arrays": b'{"scopes":' + b"[" * _DEEP + b"]" * _DEEP + b"}",
    "arrays that one parser takes and the next does not": b'{"a":' + b"[" * 300 + b"]" * 300 + b"}",
    "arrays just short of too deep for any": b'{"a":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    "deep objects": b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    "bytes that are no UTF-8": b'{"name":"\xff\xfe"}',
    "wrong types": b'{"name":[],"login":{},"role":7,"scopes":"all","whitelistedIPs":true,"expiresAt":-1}',
    "a name of 64 KiB": b'{"name":"' + b"x" * (64 << 10) + b'"}',
    "much too much": b'{"name":"' + b"x" * (500 << 10) + b'"}',
    "keys that are strange": '{"__proto__":{},"":1,"\\u0000":2,"/~":3,"é":4}'.encode(),
}
STEPS = [
    "%00",
    "%2e%2e%2f",
    "%ff",
    "-1",
    "x" * 5_000,
    "%F0%9F%92%A9",
    "'%20OR%201=1--",
    "{id}",
    "current%20",
    "%C2%B7",
    "1e9",
]
QUERIES = [
    "%00",
    "=",
    "&&&",
    "limit=%ff",
    "filter=%00",
    "limit=99999999999999999999",
    "startingAfter=%00",
    "a[b]=1",
    "total=%EF%BF%BD",
]
ENDLESS = {"/v2/alerts/stream", "/alerts/stream"}


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


def operations(service: Service) -> list[tuple[str, str, bool]]:
    return [
        (method.upper(), path, bool(operation["security"]))
        for path, methods in service.openapi["paths"].items()
        for method, operation in methods.items()
        if path not in ENDLESS and method != "head"
    ]


def at(path: str, step: str) -> str:
    return "/".join(step if part.startswith("{") else part for part in path.split("/"))


async def asked(service: Service, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    headers = {"X-API-Key": service.made.admin_auth_key, "Content-Type": "application/json"}
    if path.startswith("/metrics"):
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    url = URL(service.url + path, encoded=True)
    async with service.session.request(method, url, headers=headers, data=body, allow_redirects=False) as answer:
        text = await answer.read()
        if answer.status >= 400:
            assert answer.content_type == "application/problem+json", (method, path, answer.status, text)
            assert json.loads(text)["status"] == answer.status
        return answer.status, text


async def test_no_body_brings_a_route_down(service: Service) -> None:
    nobody, wrong = "0199c1f0-0000-7000-8000-000000000000", []
    for method, path, _ in operations(service):
        if method in ("GET", "DELETE"):
            continue
        for what, body in BODIES.items():
            status, text = await asked(service, method, at(path, nobody), body)
            if status >= 500:
                wrong.append(f"{method} {path} with {what}: {status} {text[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert (await asked(service, "GET", "/v2/edges"))[0] == 200, "the key was lost on the way"


@pytest.mark.parametrize("path", ["/v2/sessions", "/v2/password-links", "/v2/users"])
async def test_a_body_that_never_arrives_holds_nobody_up(
    service: Service, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_SECONDS", 0.05)
    url = URL(service.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {url.host}\r\nX-API-Key: {service.made.admin_auth_key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
    )
    writer.write(head.encode())
    async with asyncio.timeout(PATIENCE):
        assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
    writer.close()
    await writer.wait_closed()


async def test_no_address_brings_a_route_down(service: Service) -> None:
    wrong = []
    for method, path, _ in operations(service):
        if method != "GET" and "{" not in path:
            continue
        hostile = [at(path, step) for step in STEPS] if "{" in path else []
        hostile += [f"{at(path, 'nobody')}?{query}" for query in QUERIES] if method == "GET" else []
        for where in hostile:
            status, text = await asked(service, method, where, None if method == "GET" else b"{}")
            if status >= 500 or (method != "GET" and status < 400):
                wrong.append(f"{method} {where[:200]}: {status} {text[:200]!r}")
    assert not wrong, "\n".join(wrong)
    assert (await asked(service, "GET", "/v2/edges"))[0] == 200, "the key was lost on the way"


async def test_a_key_in_an_address_is_refused_everywhere(service: Service) -> None:
    key = service.made.admin_auth_key
    for method, path, guarded in operations(service):
        if guarded:
            status, text = await asked(service, method, f"{at(path, 'nobody')}?key={key}")
            assert (status, json.loads(text)["code"]) == (400, "key-in-query"), (method, path)
            assert key.encode() not in text
            url = f"{service.url}{at(path, 'nobody')}?access_token={key}"
            async with service.session.request(method, url) as answer:
                assert answer.status in (400, 401), (method, path)


def one_character_on(key: str) -> list[str]:
    """The key with each part changed in one place."""
    head, public, random, checksum = key.split("_", 1)[0], *key.split("_")[1:4]

    def other(text: str) -> str:
        return ("A" if text[0] != "A" else "B") + text[1:]

    return [
        f"{head}_{other(public)}_{random}_{checksum}",
        f"{head}_{public}_{other(random)}_{checksum}",
        f"{head}_{public}_{random}_{other(checksum)}",
        f"{head}_{public}_{random}",
        key.upper(),
        key + "A",
    ]


async def test_a_changed_key_is_no_key(service: Service) -> None:
    changed = [one for one in one_character_on(service.made.admin_auth_key) if one != service.made.admin_auth_key]
    for key in [*changed, AuthKey.mint().whole]:
        status, problem = await service.get("/v2/edges", key=key)
        assert status == 401, key
        assert problem["code"] in ("key-malformed", "key-unknown")
        assert key not in json.dumps(problem)


SMUGGLED: dict[str, list[bytes]] = {
    "two different ones": [b"Authorization: KEY", b"Authorization: Bearer OTHER"],
    "two header fields": [b"Authorization: OTHER", b"X-API-Key: KEY"],
    "joined by a comma": [b"Authorization: KEY, OTHER"],
    "joined the other way": [b"Authorization: Bearer OTHER,KEY"],
    "a NUL inside": [b"Authorization: KEY\0"],
    "a bare CR": [b"Authorization: OTHER\rX-API-Key: KEY"],
    "folded onto a second line": [b"Authorization: Bearer", b" KEY"],
    "a blank before the colon": [b"Authorization : KEY"],
    "of 100 kB": [b"Authorization: " + b"x" * 100_000],
    "of 100 kB of keys": [b"Authorization: " + b"KEY " * 1_500],
    "of bytes above 0x7f": [b"Authorization: \xff\xfe\xfd"],
    "of letters that look alike": ["Authorization: \u0435gk_".encode() + b"KEY"[4:]],
    "another scheme": [b"Authorization: Basic KEY"],
    "two schemes": [b"Authorization: Bearer Bearer KEY"],
    "a cookie of the key": [b"Cookie: session=KEY; Authorization=KEY"],
}


@pytest.mark.parametrize("how", SMUGGLED)
async def test_a_smuggled_credential_lets_nobody_in(service: Service, how: str) -> None:
    key, other = service.made.admin_auth_key.encode(), AuthKey.mint().whole.encode()
    lines = [line.replace(b"KEY", key).replace(b"OTHER", other) for line in SMUGGLED[how]]
    status, head, body = await raw(service, lines)
    assert status in (400, 401, 431), (how, status, body)
    assert b"problem+json" in head
    assert key not in body
    assert other not in body


@pytest.mark.parametrize(
    "lines",
    [
        [b"Authorization: KEY"],
        [b"Authorization:\tBearer   KEY\t"],
        [b"authorization: bEARER KEY", b"X-API-KEY: KEY"],
        [b"Authorization: KEY", b"Authorization: Bearer KEY"],
    ],
)
async def test_the_same_credential_however_often_is_one(service: Service, lines: list[bytes]) -> None:
    key = service.made.admin_auth_key.encode()
    status, _, body = await raw(service, [line.replace(b"KEY", key) for line in lines])
    assert status == 200, body


async def raw(service: Service, lines: list[bytes]) -> tuple[int, bytes, bytes]:
    """Status, head and body of a GET with these header lines."""
    request = b"\r\n".join([b"GET /v2/edges HTTP/1.1", b"Host: localhost", b"Connection: close", *lines, b"", b""])
    async with service.connected() as (reader, writer):
        writer.write(request)
        answer: Any = await asyncio.wait_for(reader.read(), PATIENCE)
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head, body
