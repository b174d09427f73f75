"""Promise 6: no company ever sees another company's anything.

Every address that the OpenAPI document knows is asked with a stranger's key, so one that is added later is asked too.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from eventgate.clock import SystemClock
from eventgate.errors import FieldError
from eventgate.event import Event
from eventgate.ids import uuid7
from eventgate.journal.rejects import Rejected, Rejects
from eventgate.sensors import register
from tests.integration.http_service import Service, http_service, other_company

MARK = "only-ours"


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


async def _ours(service: Service) -> tuple[UUID, Event]:
    """A sensor and an event of ours, and in every other list something that carries our mark."""
    sensor = uuid7(service.clock.now_ms())
    await register(service.pool, service.company, sensor, MARK, MARK)
    event = service.event(1, sensor=sensor, code=f"0-{MARK}", message=MARK, data=b'{"ssid":"only-ours"}')
    await service.store([event])
    problem = FieldError("/message", "field-invalid", MARK)
    await Rejects(service.pool, SystemClock()).keep(service.company, uuid4(), MARK, [Rejected(0, b"{}", [problem])])
    await service.pool.execute(
        """INSERT INTO sinks (name, company, filter, format, transport, guarantee)
           VALUES ($1, $2, '{}', 'json', 'file', 'confirmed')""",
        MARK, service.company,
    )  # fmt: skip
    return sensor, event


def _paths(service: Service, method: str, *, sensor: UUID, event: UUID, user: UUID | None = None) -> list[str]:
    """Every address that asks for a key and answers ``method``, about what is ours; live streams have no end."""
    ours = {
        "edgeId": sensor,
        "name": MARK,
        "keyId": service.made.key_id,
        "userUuid": user,
        "companyId": service.company,
    }
    found = []
    for path, operations in service.openapi["paths"].items():
        if operations.get(method, {}).get("security") and not path.endswith("/stream"):
            steps = [ours.get(step[1:-1], event) if step.startswith("{") else step for step in path.split("/")]
            found.append("/".join(map(str, steps)))
    return found


async def _asked(service: Service, path: str, key: str) -> tuple[int, str]:
    async with service.session.get(service.url + path, headers={"X-API-Key": key}) as answer:
        return answer.status, await answer.text()


async def test_no_answer_tells_a_stranger_of_anything_of_ours(service: Service) -> None:
    sensor, event = await _ours(service)
    _, key = await other_company(service)
    telling = set()
    user = await service.pool.fetchval("SELECT id FROM users WHERE company = $1", service.company)
    for path in _paths(service, "get", sensor=sensor, event=event.id, user=user):
        status, text = await _asked(service, path, service.made.admin_auth_key)
        assert status == 200, (path, text)
        if MARK in text:
            telling.add(path)
        status, text = await _asked(service, path, key)
        assert status in ((403,) if path.startswith("/v2/companies") else (200, 404)), (path, text)
        for secret in (MARK, str(service.company), str(event.id)):
            assert secret not in text.replace(path, ""), path
    lists = {"/v2/alerts", "/v2/events", "/v2/alerts/meta", "/v2/alerts/export", "/v2/alert-codes", "/v2/edges"}
    assert telling >= lists | {"/v2/rejects", "/v2/sinks", f"/v2/sinks/{MARK}", f"/v2/alerts/{event.id}"}


async def test_a_stranger_cannot_even_ask_anything_of_our_sinks(service: Service) -> None:
    sensor, event = await _ours(service)
    _, key = await other_company(service)
    paths = [path for path in _paths(service, "post", sensor=sensor, event=event.id) if MARK in path]
    assert len(paths) == 4
    for path in paths:
        status, problem = await service.post(path, {"to": 0} if path.endswith("rewind") else None, key)
        assert (status, problem["code"]) == (404, "not-found"), path
    assert await service.pool.fetchval("SELECT count(*) FROM sink_requests") == 0


async def test_a_live_stream_passes_over_what_is_ours(service: Service) -> None:
    await _ours(service)
    company, key = await other_company(service)
    await service.store([service.event(2, company=company, message="theirs")])
    headers = {"X-API-Key": key, "Last-Event-ID": "0.0"}
    async with service.session.get(f"{service.url}/v2/alerts/stream", headers=headers) as answer:
        text = (await answer.content.readuntil(b'"theirs"')).decode()
    assert text.count("event: alert") == 1
    assert MARK not in text
