"""Sinks that were removed from the configuration: what they keep, who sees it, and how they are forgotten for good."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from eventgate.journal.cursors import START, Cursor
from eventgate.sinks.dead_letters import Letter
from eventgate.sinks.definition import State, reader
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.integration.http_service import Service, http_service

_KEPT = ("sinks", "sink_generations", "sink_requests", "dead_letters", "deliveries", "sink_filters", "sink_minutes")


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def gate(service: Service, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(service.pool, database_url) as opened:
        yield opened


async def left_of(service: Service, name: str) -> dict[str, int]:
    columns = {table: "name" if table == "sinks" else "sink" for table in _KEPT}
    return {
        table: await service.pool.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", name)
        for table, column in columns.items()
    }


async def forget(service: Service, name: str, key: str | None = None) -> tuple[int, str]:
    status, told = await service.ask("DELETE", f"/v2/sinks/{name}", key=key)
    return status, told["code"] if told else ""


async def listed(service: Service, status: str = "") -> dict[str, bool]:
    _, found = await service.get(f"/v2/sinks{status}")
    return {each["name"]: each["configured"] for each in found["data"]}


async def test_a_removed_sink_keeps_its_place_until_it_is_forgotten(
    service: Service, gate: Forwarding, tmp_path: Path
) -> None:
    old, new = sink("old", "file", path=tmp_path / "old"), sink("new", "file", path=tmp_path / "new")
    async with gate.running(old, new) as supervisor:
        await gate.append(20)
        await gate.until_done("old")
        assert await forget(service, "old") == (409, "sink-configured")
        await supervisor.reconfigure([new])
        await gate.append(10)
        await gate.until_done("new")
    assert await listed(service) == {"new": True}
    assert await listed(service, "?status=removed") == {"old": False}
    assert await listed(service, "?status=all") == {"new": True, "old": False}
    _, removed = await service.get("/v2/sinks?status=removed")
    (shown,) = removed["data"]
    assert (shown["state"], shown["delivered"], shown["lagEvents"]) == ("stopped", 20, 10)
    assert shown["lagSeconds"] > 0
    status, told = await service.get("/v2/sinks/old")
    assert (status, told["code"]) == (404, "sink-removed"), "nobody can ask anything of it"
    for verb, body in (("test", None), ("preview", {"id": str(UUID(int=1))})):
        status, told = await service.post(f"/v2/sinks/old/{verb}", body)
        assert (status, told["code"]) == (404, "sink-removed")
        assert "was removed from the configuration" in told["detail"]
    assert (await service.get("/v2/sinks/never"))[1]["code"] == "not-found"

    # It comes back and goes on where it was.
    async with gate.running(old, new):
        assert (await gate.until_done("old")).ledger.delivered == 30
    await gate.stores.letters.write("old", 0, [Letter(Cursor(1, 0), UUID(int=1), UUID(int=2), "no")])
    async with gate.running(new):
        pass
    assert await forget(service, "old") == (204, "")
    assert set((await left_of(service, "old")).values()) == {0}
    assert await gate.stores.cursors.look(reader("old")) == START
    assert (await left_of(service, "new"))["sinks"] == 1
    assert await forget(service, "old") == (404, "not-found")
    line = await service.pool.fetchrow("SELECT * FROM audit WHERE action = 'sink.forget'")
    assert (line["object_id"], orjson.loads(line["before"])["state"], line["after"]) == ("old", "stopped", None)

    # A sink of that name is a new one.
    (tmp_path / "old").unlink()
    async with gate.running(old):
        status = await gate.until_done("old")
    assert (status.ledger.delivered, status.generation, status.state) == (30, 0, State.RUNNING)


async def test_a_removed_sink_stays_in_the_story_of_what_it_had(
    service: Service, gate: Forwarding, tmp_path: Path
) -> None:
    had, later = service.event(1), service.event(2)
    old = sink("old", "file", path=tmp_path / "old")
    async with gate.running(old) as supervisor:
        await service.store([had])
        await gate.until_done("old")
        await supervisor.reconfigure([])
    await service.store([later])
    _, story = await service.get(f"/v2/events/{had.id}/custody")
    ((name, configured, fate),) = [(each["name"], each["configured"], each["fate"]) for each in story["sinks"]]
    assert (name, configured, fate) == ("old", False, "delivered")
    assert (await service.get(f"/v2/events/{later.id}/custody"))[1]["sinks"] == []


async def test_one_whose_loop_has_not_ended_is_not_forgotten(service: Service, gate: Forwarding) -> None:
    await service.pool.execute(
        """INSERT INTO sinks (name, filter, format, transport, guarantee, configured)
           VALUES ('old', '{}', 'json', 'file', 'confirmed', false)"""
    )
    claimed = await gate.stores.cursors.claim(reader("old"), "there", 60)
    assert claimed
    assert await forget(service, "old") == (409, "sink-running")
    assert (await left_of(service, "old"))["sinks"] == 1
    await gate.stores.cursors.release(claimed[0])
    assert await forget(service, "old") == (204, "")


async def test_a_line_that_cannot_be_written_leaves_the_sink(service: Service, gate: Forwarding) -> None:
    await service.pool.execute(
        """INSERT INTO sinks (name, filter, format, transport, guarantee, configured)
           VALUES ('old', '{}', 'json', 'file', 'confirmed', false)"""
    )
    await service.pool.execute("ALTER TABLE audit ADD CONSTRAINT no_line CHECK (action <> 'sink.forget')")
    assert (await forget(service, "old"))[0] == 500
    assert (await left_of(service, "old"))["sinks"] == 1
