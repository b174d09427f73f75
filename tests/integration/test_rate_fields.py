"""The header fields of a limited caller: on every answer, whatever it says, and on those that stream."""

import pytest

from tests.integration.http_service import http_service


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path) as running:
        await running.pool.execute("UPDATE api_keys SET rate_limit = 3")
        await running.pool.execute("UPDATE companies SET rate_limit = 5")
        running.authenticator.forget()
        yield running


async def _fields(service, method: str, path: str) -> tuple[int, str | None, str | None]:
    headers = {"X-API-Key": service.made.auth_key}
    async with service.session.request(method, service.url + path, headers=headers) as answer:
        return answer.status, answer.headers.get("RateLimit"), answer.headers.get("RateLimit-Policy")


async def test_every_answer_tells(service):
    policy = '"key";q=3;w=1, "company";q=5;w=1'
    assert await _fields(service, "GET", "/v2/edges?nonsense=1") == (400, '"key";r=2;t=1, "company";r=4;t=1', policy)
    assert await _fields(service, "POST", "/v2/sinks/x/pause") == (403, '"key";r=1;t=1, "company";r=3;t=1', policy)
    assert await _fields(service, "GET", "/v2/alerts/export") == (200, '"key";r=0;t=1, "company";r=2;t=1', policy)
    status, left, told = await _fields(service, "HEAD", "/v2/alerts")
    assert (status, left, told) == (429, '"key";r=0;t=1, "company";r=2;t=1', policy)


async def test_who_is_not_known_is_not_counted(service):
    async with service.session.get(service.url + "/v2/edges") as answer:
        assert (answer.status, answer.headers.get("RateLimit")) == (401, None)
    async with service.session.get(service.url + "/healthz") as answer:
        assert (answer.status, answer.headers.get("RateLimit")) == (200, None)
