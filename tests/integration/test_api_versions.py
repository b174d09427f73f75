"""The dated versions of the interface over HTTP: pinned, overridden for a call, upgraded, and gone back to in time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from eventgate.access import NEWEST_VERSION, VERSIONS
from tests.integration.http_service import Service, http_service
from tests.patience import PATIENCE

OLDER, NEWER = VERSIONS
CODES = "/v2/alert-codes?limit=1"


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


async def answered(service: Service, path: str, key: str | None = None, **headers: str):
    """Status, the version that the answer says it is in, and its body."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if key is not None:
        headers["X-API-Key"] = key
    async with service.session.get(service.url + path, headers=headers) as answer:
        (version,) = answer.headers.getall("EventGate-Version")
        return answer.status, version, await answer.json(content_type=None)


async def repin(service: Service, key: str, version: str):
    status, answer = await service.ask("PUT", f"/keys/{key}", {"apiVersion": version})
    service.authenticator.forget()
    return status, answer


async def a_key(service: Service) -> dict:
    return (await service.post("/v2/users/current/api-keys"))[1]


async def test_a_new_key_is_pinned_to_the_newest_and_may_be_pinned_back(service):
    key = await a_key(service)
    assert (key["apiVersion"], key["apiVersionUpdatedAt"]) == (NEWEST_VERSION, None)
    status, version, page = await answered(service, CODES, key["key"])
    assert (status, version) == (200, NEWER)
    assert "lastSeenAt" in page["data"][0]
    assert "lastSeen" not in page["data"][0]
    status, changed = await repin(service, key["id"], OLDER)
    assert (status, changed["apiVersion"]) == (200, OLDER)
    assert changed["apiVersionUpdatedAt"] is not None
    for path in (CODES, CODES.removeprefix("/v2")):
        _, version, page = await answered(service, path, key["key"])
        assert version == OLDER
        assert "lastSeen" in page["data"][0]
        assert "lastSeenAt" not in page["data"][0]


async def test_the_header_overrides_for_a_call(service):
    key = (await a_key(service))["key"]
    _, version, page = await answered(service, CODES, key, EventGate_Version=OLDER)
    assert (version, "lastSeen" in page["data"][0]) == (OLDER, True)
    _, version, _ = await answered(service, CODES, key)
    assert version == NEWER


@pytest.mark.parametrize("asked", ["2027-01-01", "2020-01-01", "latest", ""])
async def test_an_unknown_or_future_version_is_refused(service, asked):
    status, version, problem = await answered(service, CODES, service.made.auth_key, EventGate_Version=asked)
    assert (status, version, problem["code"]) == (400, NEWEST_VERSION, "version-unknown")
    assert problem["versions"] == list(VERSIONS)
    if asked:
        status, problem = await repin(service, service.made.key_id, asked)
        assert (status, problem["errors"][0]["pointer"]) == (422, "/apiVersion")
        assert problem["code"] == ("body-invalid" if asked == "latest" else "version-unknown")


async def test_every_answer_says_its_version(service):
    for path in ("/healthz", "/openapi.json", "/docs", "/nothing/here"):
        async with service.session.get(service.url + path) as answer:
            assert answer.headers["EventGate-Version"] == NEWEST_VERSION, path
    assert (await answered(service, "/v2/alerts"))[:2] == (401, NEWEST_VERSION)
    assert (await answered(service, "/v2/sinks/none", service.made.auth_key, EventGate_Version=OLDER))[:2] == (
        404,
        OLDER,
    )
    status, version, _ = await answered(service, "/keys?nonsense=1", service.made.auth_key, EventGate_Version=OLDER)
    assert (status, version) == (400, OLDER)
    async with service.connected() as (reader, writer):
        writer.write(b"NONSENSE\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
    assert f"EventGate-Version: {NEWEST_VERSION}".encode() in head


async def test_one_may_go_back_inside_the_window_and_not_after_it(service):
    key = await a_key(service)
    assert (await repin(service, key["id"], OLDER))[0] == 200
    status, upgraded = await repin(service, key["id"], NEWER)
    assert (status, upgraded["apiVersion"]) == (200, NEWER)
    assert upgraded["apiVersionDowngradeNotAllowedAfter"] > key["apiVersionDowngradeNotAllowedAfter"]
    assert (await repin(service, key["id"], OLDER))[0] == 200
    assert (await repin(service, key["id"], NEWER))[0] == 200
    await service.pool.execute(
        """UPDATE api_keys SET api_version_updated_at = now() - interval '73 hours',
           api_version_downgrade_not_allowed_after = now() - interval '1 hour'"""
    )
    _, late = await service.get(f"/keys/{key['id']}", service.made.admin_auth_key)
    status, problem = await repin(service, key["id"], OLDER)
    assert (status, problem["code"]) == (409, "version-downgrade-too-late")
    assert problem["apiVersionDowngradeNotAllowedAfter"] == late["apiVersionDowngradeNotAllowedAfter"]
    assert (await repin(service, key["id"], NEWER))[0] == 200


async def test_a_key_of_the_first_start_has_a_window_too(service):
    _, key = await service.get(f"/keys/{service.made.key_id}", service.made.admin_auth_key)
    assert key["apiVersionDowngradeNotAllowedAfter"] > key["createdAt"]
    assert (await repin(service, key["id"], OLDER))[0] == 200


async def test_other_processes_hear_of_a_key_that_is_pinned_anew(service, database_url):
    heard = asyncio.Event()
    connection = await asyncpg.connect(database_url)
    try:
        await connection.add_listener("eventgate_access", lambda *_: heard.set())
        await repin(service, service.made.key_id, OLDER)
        await asyncio.wait_for(heard.wait(), PATIENCE)
    finally:
        await connection.close()


async def test_the_document_tells_of_the_header_and_of_the_difference(service):
    document = service.openapi
    assert document["info"]["version"] == NEWEST_VERSION
    assert "`lastSeenAt`" in document["info"]["description"]
    asked = document["paths"]["/v2/alert-codes"]["get"]
    (parameter,) = [each for each in asked["parameters"] if each["name"] == "EventGate-Version"]
    assert parameter["schema"]["enum"] == list(VERSIONS)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for answer in operation["responses"].values():
                assert "EventGate-Version" in answer["headers"], path
