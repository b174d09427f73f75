"""Custody, dead letters and previews over HTTP, with the delivery loop of a real sink behind it."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from eventgate.event import Origin
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.integration.http_service import Service, http_service, other_company
from tests.patience import PATIENCE
from tests.services.rsyslog import Rsyslog

SEVERE = "severity\u00b7>\u00b77"
LIMIT = 2_000


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def gate(service: Service, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(service.pool, database_url) as opened:
        yield opened


async def until(service: Service, path: str, holds: Any) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not holds(document := (await service.get(path))[1]):
        assert time.monotonic() < deadline, document
        await asyncio.sleep(0.05)
    return document


def of(document: Any, name: str) -> Any:
    return next(each for each in document["sinks"] if each["name"] == name)


async def test_the_story_of_an_event_from_its_signature_to_its_receipt(
    service: Service, gate: Forwarding, tmp_path: Path
) -> None:
    verify_key, key = uuid4(), uuid4()
    bad = service.event(1, severity=9, key=key, verify_key=verify_key)
    mild = service.event(2, severity=3)
    its_own = service.event(3, severity=9, origin=Origin.SYSTEM, data=b'{"sink":"siem"}')
    plan = sink("siem", "file", path=tmp_path / "lines", filters=(SEVERE,))
    other = sink("others", "file", path=tmp_path / "others", company=uuid4())
    async with gate.running(plan, other):
        await service.store([bad, mild, its_own])
        story = await until(
            service, f"/v2/events/{bad.id}/custody", lambda told: of(told, "siem")["deliveries"]
        )  # fmt: skip
        _, left_out = await service.get(f"/v2/events/{mild.id}/custody")
        about_itself = await until(
            service, f"/v2/events/{its_own.id}/custody", lambda told: of(told, "siem")["fate"] == "filtered"
        )  # fmt: skip
    assert story["signedBy"] == {
        "keyId": str(key), "verifyKeyId": str(verify_key), "contentDigest": bad.content_digest.hex(),
    }  # fmt: skip
    head = await service.journal.head()
    assert story["committed"]["position"] == head.position
    assert story["committed"]["digest"] == head.digest.hex()
    assert [each["name"] for each in story["sinks"]] == ["siem"], "another company's sink is nobody's business"
    there = of(story, "siem")
    assert (there["fate"], there["deaths"], there["comesAgain"]) == ("delivered", [], False)
    (delivery,) = there["deliveries"]
    assert (delivery["lane"], delivery["generation"]) == ("live", 0)
    assert delivery["receipt"]["path"] == str(tmp_path / "lines")
    left = of(left_out, "siem")
    assert (left["fate"], left["condition"], left["deliveries"]) == ("filtered", SEVERE, [])
    assert SEVERE in left["detail"]
    assert of(about_itself, "siem")["condition"] is None
    assert "tells of this sink" in of(about_itself, "siem")["detail"]


async def test_a_preview_shows_what_would_be_written_and_writes_nothing(
    service: Service, gate: Forwarding, tmp_path: Path
) -> None:
    mild = service.event(1, severity=3, message="an\u0000other")
    await service.store([mild])
    plan = sink("siem", "file", path=tmp_path / "lines", filters=("kind\u00b7isNotEmpty", SEVERE))
    async with gate.running(plan):
        await gate.until_done("siem")
        status, told = await service.post("/v2/sinks/siem/preview", {"id": str(mild.id)})
        missing, _ = await service.post("/v2/sinks/siem/preview", {"id": str(uuid4())})
    assert (status, missing) == (200, 404)
    assert (told["wanted"], told["condition"], told["fits"]) == (False, SEVERE, True)
    assert (told["contentType"], told["limitBytes"]) == ("application/json", None)
    assert base64.b64decode(told["body"]).decode() == told["text"]
    assert told["bytes"] == len(base64.b64decode(told["body"]))
    assert orjson.loads(told["text"])["id"] == str(mild.id)
    assert (tmp_path / "lines").read_bytes() == b""


async def test_a_test_tells_what_came_back(service: Service, gate: Forwarding, tmp_path: Path) -> None:
    async with gate.running(sink("siem", "file", path=tmp_path / "lines")):
        await gate.until("siem", lambda status: status.state.value == "running")
        status, told = await service.post("/v2/sinks/siem/test")
    assert (status, told["verb"]) == (200, "test")
    written = (tmp_path / "lines").read_bytes()
    assert orjson.loads(written)["id"] == told["eventId"]
    assert told["receipt"] == {"path": str(tmp_path / "lines"), "from": 0, "to": len(written)}


async def test_letters_are_listed_inspected_and_brought_again(
    service: Service, gate: Forwarding, rsyslog: Rsyslog
) -> None:
    """A sink that carries only short messages: the long events die, and go again once it carries more."""
    address = f"localhost:{rsyslog.ports['relp']}"
    long = [service.event(number, message="x" * LIMIT) for number in (1, 2, 3)]
    async with gate.running(sink("siem", "relp", format="rfc5424", address=address, max_message_bytes=LIMIT)):
        await service.store([*long, service.event(4)])
        await gate.until_done("siem")
        _, page = await service.get("/v2/sinks/siem/dead-letters?limit=2")
        assert (page["total"], [each["eventId"] for each in page["data"]]) == (3, [str(e.id) for e in long[:2]])
        _, rest = await service.get(page["nextUrl"])
        assert [each["eventId"] for each in rest["data"]] == [str(long[2].id)]
        _, whole = await service.get(f"/v2/sinks/siem/dead-letters/{long[0].id}")
        assert whole["event"]["message"] == "x" * LIMIT
        assert (whole["preview"]["fits"], whole["preview"]["limitBytes"]) == (False, LIMIT)
        assert "octets" in whole["reason"]
        path = '/v2/sinks/siem/dead-letters?filter=reason\u00b7contains\u00b7"octets"'
        assert (await service.get(path.replace('"', "%22").replace("\u00b7", "%C2%B7")))[1]["total"] == 3
        assert (await service.get(f"/v2/sinks/siem/dead-letters/{uuid4()}"))[0] == 404
    async with gate.running(sink("siem", "relp", format="rfc5424", address=address)):
        await redriven(service, gate, long)
    assert len([line for line in rsyslog.received() if "x" * LIMIT in line["message"]]) == 3
    _, told = await service.get(f"/v2/events/{long[0].id}/custody")
    there = of(told, "siem")
    assert there["fate"] == "delivered"
    assert there["deaths"][0]["redrivenIn"] == there["deliveries"][0]["generation"] == 1


async def redriven(service: Service, gate: Forwarding, long: list[Any]) -> None:
    """One by its id, one by a filter, then all that is left, each in a generation of its own."""
    path = "/v2/sinks/siem/dead-letters/redrive"
    everything = ('reason\u00b7contains\u00b7"octets"', f'id\u00b7is\u00b7"{long[1].id}"')
    wishes: list[dict[str, Any]] = [{"ids": [str(long[0].id)]}, {"filter": list(everything)}, {"all": True}]
    for generation, wish in enumerate(wishes, 1):
        status, dry = await service.post(path, {**wish, "dryRun": True})
        assert (status, dry["generation"], dry["events"]) == (200, None, 1)
        status, told = await service.post(path, wish)
        assert (status, told["generation"], told["events"]) == (202, generation, 1), told
        await gate.until("siem", lambda status: status.replay is not None and status.replay.ledger.pending == 0)
    status, told = await service.post(path, {"all": True})
    assert (status, told["code"]) == (409, "sink-refused")
    for wrong in ({}, {"all": True, "ids": [str(long[0].id)]}, {"filter": ["reason\u00b7is"]}, {"ids": []}):
        status, told = await service.post(path, wrong)
        assert status == 422, told
    lines = await service.pool.fetch("SELECT * FROM audit WHERE action = 'sink.redrive' ORDER BY id")
    assert orjson.loads(lines[0]["after"]) == {"ids": [str(long[0].id)]}
    answers = await service.pool.fetch("SELECT after FROM audit WHERE action = 'sink.answer' ORDER BY id")
    assert [orjson.loads(line["after"])["done"] for line in answers] == [True, True, True, False]
    assert len(lines) == len(answers)


async def test_where_a_file_lies_is_the_operators_to_know(service: Service, gate: Forwarding, tmp_path: Path) -> None:
    company, key = await other_company(service)
    event = service.event(1, company=company)
    async with gate.running(sink("siem", "file", path=tmp_path / "lines", company=company)):
        await service.store([event])
        path = f"/v2/events/{event.id}/custody"
        deadline = time.monotonic() + 20
        while not of(story := (await service.get(path, key))[1], "siem")["deliveries"]:
            assert time.monotonic() < deadline, story
            await asyncio.sleep(0.05)
        _, tested = await service.post("/v2/sinks/siem/test", key=key)
        _, whole = await service.post("/v2/sinks/siem/test")
    (delivery,) = of(story, "siem")["deliveries"]
    assert delivery["receipt"].keys() == tested["receipt"].keys() == {"from", "to"}
    assert str(tmp_path) not in orjson.dumps([story, tested]).decode()
    assert whole["receipt"]["path"] == str(tmp_path / "lines")


async def test_another_companys_event_is_not_there(service: Service, gate: Forwarding, tmp_path: Path) -> None:
    theirs = service.event(1, company=UUID(int=7))
    await service.store([theirs])
    async with gate.running(sink("siem", "file", path=tmp_path / "lines")):
        assert (await service.get(f"/v2/events/{theirs.id}/custody"))[0] == 404
        assert (await service.post("/v2/sinks/siem/preview", {"id": str(theirs.id)}))[0] == 404
