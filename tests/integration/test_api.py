"""The HTTP interface end to end: real database, real socket, one noun after the other."""

import asyncio
import csv
import io
import json
from urllib.parse import quote
from uuid import UUID, uuid4

import aiohttp
import pytest

from eventgate.event import Kind
from eventgate.ids import uuid7
from eventgate.sensors import register
from eventgate.signing.authkey import AuthKey
from tests.integration.http_service import METRICS_TOKEN, Service, http_service, other_company
from tests.patience import PATIENCE

HOSTILE = '=HYPERLINK("http://evil"),\n\0</script>\u202e🦊\'";--'


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path) as running:
        yield running


async def problem(service: Service, path: str, **options) -> tuple[int, str]:
    status, body = await service.get(path, **options)
    assert body["status"] == status
    assert set(body) >= {"title", "code", "detail", "requestId"}
    return status, body["code"]


async def test_an_alert_has_the_published_members(service):
    event = service.event(1, message="flood", data=b'{"bssid":"aa:bb:cc:dd:ee:ff","rssi":-40.50}')
    await service.store([event])
    status, body = await service.get("/v2/alerts")
    assert (status, body["status"], body["total"], body["count"]) == (200, 200, 1, 1)
    (alert,) = body["data"]
    assert alert == {
        "id": str(event.id),
        "categoryId": 1,
        "alertCode": "DEAUTHFLOOD",
        "edgeId": service.made.edge_id,
        "timestamp": alert["timestamp"],
        "message": "flood",
        "data": {"bssid": "aa:bb:cc:dd:ee:ff", "rssi": -40.5},
        "serial": "EG-0001",
        "edgeName": None,
        "severity": 8,
        "receivedAt": alert["receivedAt"],
        "companyId": service.made.company_id,
    }
    assert await service.get(f"/v2/alerts/{event.id}") == (200, alert)
    assert await service.get(f"/alerts/{str(event.id).upper()}") == (200, alert)


async def test_pages_are_walked_by_their_links_to_the_end_and_back(service):
    events = [service.event(number) for number in range(7)]
    await service.store(events)
    expected = [str(event.id) for event in sorted(events, key=lambda event: event.id, reverse=True)]
    path = '/v2/alerts?limit=3&filter=message·contains·"alert number"&filter=severity%C2%B7is%C2%B78'
    url, pages = quote(path, safe='/?&=%·"').replace("·", "%C2%B7").replace('"', "%22"), []
    while url:
        status, body = await service.get(url)
        assert status == 200
        pages.append(body)
        url = body["nextUrl"]
    assert [alert["id"] for page in pages for alert in page["data"]] == expected
    assert [page["count"] for page in pages] == [3, 3, 1]
    assert {page["total"] for page in pages} == {7}
    assert pages[0]["previousUrl"] is None
    back = [pages[-1]]
    while back[-1]["previousUrl"]:
        back.append((await service.get(back[-1]["previousUrl"]))[1])
    assert [[alert["id"] for alert in page["data"]] for page in back[:3]] == [expected[6:], expected[3:6], expected[:3]]


@pytest.mark.parametrize("prefix", ["", "/v2"])
async def test_the_published_calls_letter_for_letter(service, prefix):
    edges = [UUID(f"9a90a{end}-251e-11f0-a7be-3ec870f66d56") for end in ("f71", "c8f", "c6f")]
    before = 1_747_152_659_999  # 2025-05-13T16:10:59.999Z
    await service.pool.execute("SELECT ensure_event_days('2025-05-13', '2025-05-13')")
    for number, edge in enumerate(edges):
        await register(service.pool, service.company, edge, f"EG-10{number}")
    await service.store(
        [
            service.event(1, ms=before, category=5, sensor=edges[0]),
            service.event(2, ms=before + 60_000, category=5, sensor=edges[1]),
            service.event(3, ms=before + 60_001, category=4, sensor=service.edge),
        ]
    )

    async def numbers(target: bytes) -> list[int]:
        status, body = await raw_get(service, target)
        assert status == 200, body
        return sorted(alert["data"]["number"] for alert in body["data"])

    start = prefix.encode()
    published = {
        "/alerts?filter=timestamp·isBefore·2025-05-13%2016%3A11": [1],
        "/alerts?filter=timestamp·isAfter·2025-05-13%2016%3A11&filter=categoryId·is·5": [2],
        '/alerts?filter=edgeId·isAnyOf·["9a90af71-251e-11f0-a7be-3ec870f66d56"%2C'
        '"9a90ac8f-251e-11f0-a7be-3ec870f66d56"%2C"9a90ac6f-251e-11f0-a7be-3ec870f66d56"]': [1, 2],
    }
    for call, expected in published.items():
        for target in (
            call.encode(),
            call.encode("latin-1"),
            call.replace("·", "%C2%B7").encode(),
            call.replace("·", "%c2%b7").encode(),
            call.replace("·", "%B7").encode(),
            call.replace("·", "%b7").replace('"', "%22").replace("[", "%5B").replace("]", "%5D").encode(),
        ):
            assert await numbers(start + target) == expected, target


async def raw_get(service: Service, target: bytes) -> tuple[int, dict]:
    """GET with exactly these bytes in the request line."""
    async with service.connected() as (reader, writer):
        key = service.made.auth_key.encode()
        writer.write(b"GET %b HTTP/1.1\r\nHost: x\r\nX-API-Key: %b\r\nConnection: close\r\n\r\n" % (target, key))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


async def test_events_of_every_kind_and_of_one(service):
    alert, heartbeat = service.event(1), service.event(2, kind=Kind.HEARTBEAT, code=None, category=None, severity=None)
    await service.store([alert, heartbeat])
    _, body = await service.get("/v2/events")
    assert [event["kind"] for event in body["data"]] == ["alert", "heartbeat"]
    _, body = await service.get("/v2/events?kind=heartbeat")
    assert [event["id"] for event in body["data"]] == [str(heartbeat.id)]
    assert (await service.get(f"/v2/events/{heartbeat.id}"))[1] == body["data"][0]
    assert await problem(service, f"/v2/alerts/{heartbeat.id}") == (404, "not-found")


async def test_another_companys_things_do_not_exist(service):
    event = service.event(1)
    await service.store([event])
    company, key = await other_company(service)
    theirs = service.event(2, company=company)
    await service.store([theirs])
    for path in (f"/v2/alerts/{event.id}", f"/v2/events/{event.id}", f"/alerts/{event.id}"):
        assert await problem(service, path, key=key) == (404, "not-found")
    for path in ("/v2/alerts", "/v2/events"):
        _, body = await service.get(path, key=key)
        assert [found["id"] for found in body["data"]] == [str(theirs.id)]
        assert body["data"][0]["edgeName"] == "Theirs"
    _, body = await service.get("/v2/edges", key=key)
    assert [edge["companyId"] for edge in body["data"]] == [str(company)]
    status, text = await export(service, "/v2/alerts/export", key)
    assert (status, [json.loads(line)["id"] for line in text.splitlines()]) == (200, [str(theirs.id)])


async def test_customerid_is_empty_or_ones_own(service):
    for path in ("/v2/alerts", "/v2/edges", "/edges", "/v2/alerts/export?format=csv"):
        sign = "&" if "?" in path else "?"
        for good in ("customerid", "customerid=", f"customerid={service.made.company_id}"):
            status, _ = await export(service, f"{path}{sign}{good}")
            assert status == 200
        assert await problem(service, f"{path}{sign}customerid={uuid4()}") == (400, "customerid-mismatch")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/alerts?filters=x", "parameter-unknown"),
        ("/v2/alerts/?limit=1", "not-found"),
        ("/v2/alerts?limit=0", "parameter-malformed"),
        ("/v2/alerts?limit=101", "parameter-malformed"),
        ("/v2/alerts?limit=1&limit=2", "parameter-repeated"),
        ("/v2/alerts?offset=10001", "parameter-malformed"),
        ("/v2/alerts?offset=-1", "parameter-malformed"),
        ("/v2/alerts?startingAfter=abc", "parameter-malformed"),
        ("/v2/alerts?total=maybe", "parameter-malformed"),
        ("/v2/alerts?filter=%ff", "parameter-malformed"),
        ("/v2/alerts?filter=severity", "filter-malformed"),
        (f"/v2/alerts?startingAfter={UUID(int=1)}&endingBefore={UUID(int=2)}", "parameter-invalid"),
        (f"/v2/alerts?startingAfter={UUID(int=1)}&offset=5", "parameter-invalid"),
        ("/v2/events?kind=rumour", "parameter-malformed"),
        ("/v2/alerts/export?format=xml", "parameter-malformed"),
        ("/v2/alerts/stream?limit=5", "parameter-unknown"),
        ("/v2/alerts/not-a-uuid", "not-found"),
        (f"/v2/alerts/{UUID(int=5)}?x=1", "parameter-unknown"),
        ("/v2/assets", "not-found"),
        ("/v2/zones/network/validate", "not-found"),
        ("/nowhere", "not-found"),
    ],
)
async def test_mistakes_are_told_as_problems(service, path, code):
    assert (await problem(service, path))[1] == code


async def test_every_mistake_of_a_query_string_at_once(service):
    _, body = await service.get("/v2/alerts?limit=x&offset=y&colour=blue")
    assert [error["pointer"] for error in body["errors"]] == ["limit", "offset", "colour"]


async def test_credentials_and_scopes(service):
    assert await problem(service, "/v2/alerts", key=AuthKey.mint().whole) == (401, "key-unknown")
    status, body = await service.post("/v2/sinks/any/pause", key=service.made.auth_key)
    assert (status, body["code"], body["requiredScope"]) == (403, "scope-missing", "sinks:manage")
    async with service.session.get(service.url + "/v2/alerts") as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert (await answer.json(content_type=None))["code"] == "credentials-missing"
    assert await problem(service, f"/v2/alerts?key={service.made.auth_key}") == (400, "key-in-query")


async def test_a_method_that_is_not_there(service):
    async with service.session.delete(service.url + "/v2/alerts") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
        assert answer.content_type == "application/problem+json"
        assert (await answer.json(content_type=None))["code"] == "method-not-allowed"


async def test_head_answers_as_get_without_the_body(service):
    headers = {"X-API-Key": service.made.auth_key}
    for path in ("/v2/alerts", "/healthz", "/nowhere", "/v2/alerts?limit=0"):
        async with service.session.get(service.url + path, headers=headers) as got:
            body = await got.read()
        async with service.session.head(service.url + path, headers=headers) as head:
            assert (head.status, head.headers["Content-Type"]) == (got.status, got.headers["Content-Type"])
            assert int(head.headers["Content-Length"]) == len(body)
            assert await head.read() == b""
    async with service.session.head(service.url + "/v2/alerts/export", headers=headers) as head:
        assert head.status == 405


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ],
)
async def test_what_the_parser_refuses_is_a_problem_too(service, sent, status):
    async with service.connected() as (reader, writer):
        writer.write(sent)
        head, _, body = (await asyncio.wait_for(reader.read(), PATIENCE)).partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert b"application/problem+json" in head
    assert b"X-Request-Id: " + json.loads(body)["requestId"].encode() in head


async def test_every_answer_says_which_request_it_was(service):
    async with service.session.get(service.url + "/healthz") as one, service.session.get(service.url + "/no") as two:
        assert one.headers["X-Request-Id"] != two.headers["X-Request-Id"]
        assert (await two.json(content_type=None))["requestId"] == two.headers["X-Request-Id"]


async def export(service: Service, path: str, key: str | None = None) -> tuple[int, str]:
    headers = {"X-API-Key": key or service.made.auth_key}
    async with service.session.get(service.url + path, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_export_as_lines_and_as_a_defused_table(service):
    events = [service.event(number, message=text) for number, text in enumerate([HOSTILE, "@cmd", "plain", " +1"])]
    await service.store(events)
    _, text = await export(service, "/v2/alerts/export")
    lines = [json.loads(line) for line in text.splitlines()]
    _, listed = await service.get("/v2/alerts")
    assert lines == listed["data"]
    _, text = await export(service, "/v2/alerts/export?format=csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    shown = HOSTILE.replace("\0", "\ufffd")
    assert [row["message"] for row in rows] == [f"'{shown}", "'@cmd", "plain", "' +1"]
    assert [json.loads(row["data"])["number"] for row in rows] == [0, 1, 2, 3]


async def test_an_export_ends_when_its_caller_may_no_longer(service: Service) -> None:
    large = json.dumps({"x": "y" * 60_000}).encode()
    await service.store([service.event(number, data=large) for number in range(800)])  # more than sockets hold
    async with service.session.get(
        service.url + "/v2/alerts/export", headers={"X-API-Key": service.made.auth_key}
    ) as answer:
        await answer.content.readuntil(b"\n")
        await service.pool.execute("UPDATE api_keys SET deleted_at = now()")
        service.authenticator.forget()
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()


async def test_export_of_what_nothing_can_match_is_empty(service):
    assert await export(service, '/v2/alerts/export?filter=serial·is·"nobody"') == (200, "")


async def test_hostile_text_comes_back_as_it_is_shown(service):
    await service.store([service.event(1, message=HOSTILE, data=json.dumps({"ssid": HOSTILE}).encode())])
    _, body = await service.get("/v2/alerts")
    shown = HOSTILE.replace("\0", "\ufffd")
    assert body["data"][0]["message"] == shown
    assert body["data"][0]["data"] == {"ssid": shown}
    for text in (HOSTILE, shown):
        needle = quote(f"message·is·{json.dumps(text)}")
        status, body = await service.get(f"/v2/alerts?filter={needle}")
        assert status == 200


async def test_edges_are_listed_and_found(service):
    for number in range(2, 9):
        await register(service.pool, service.company, uuid7(1_763_726_400_000 + number), f"EG-{number:04}", "Büro")
    await asyncio.sleep(1.1)
    url, serials = "/v2/edges?limit=3", []
    while url:
        _, body = await service.get(url)
        assert body["total"] == 8
        serials += [edge["serial"] for edge in body["data"]]
        url = body["nextUrl"]
    assert sorted(serials) == [f"EG-{number:04}" for number in range(1, 9)]
    _, third = await service.get("/v2/edges?limit=3&offset=3")
    _, back = await service.get(third["previousUrl"])
    assert [edge["serial"] for edge in back["data"]] == serials[:3]
    _, edge = await service.get(f"/v2/edges/{service.made.edge_id}")
    assert (edge["serial"], edge["state"]) == ("EG-0001", "active")
    assert await problem(service, f"/v2/edges/{uuid4()}") == (404, "not-found")


async def test_health_needs_no_credential_and_readiness_says_why_not(service):
    assert await service.get("/healthz", key="none") == (200, {"status": "ok"})
    assert await service.get("/readyz", key="none") == (200, {"status": "ready", "checks": {"database": "ok"}})


async def test_metrics_need_their_token(service):
    assert await problem(service, "/metrics") == (401, "metrics-token-wrong")
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    async with service.session.get(service.url + "/metrics", headers=headers) as answer:
        text = await answer.text()
    assert answer.status == 200
    assert 'eventgate_http_requests_total{route="/metrics",status="401"}' in text


async def test_the_page_of_the_interface_loads_nothing(service):
    async with service.session.get(service.url + "/docs") as answer:
        policy, page = answer.headers["Content-Security-Policy"], await answer.text()
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "/v2/alerts/stream" in page
    assert "<script" not in page
    assert "src=" not in page
    status, _ = await service.get("/")
    assert status == 303


async def test_sinks_are_shown_and_a_silent_loop_is_said_to_be(service):
    await service.pool.execute(
        """INSERT INTO sinks (name, company, filter, format, transport, guarantee)
           VALUES ('siem', NULL, '{severity·>·5}', 'json', 'file', 'written')"""
    )
    await service.store([service.event(number) for number in range(3)])
    _, body = await service.get("/v2/sinks")
    (sink,) = body["data"]
    assert (sink["name"], sink["guarantee"], sink["cursor"]) == ("siem", "written", {"position": 0, "index": 0})
    assert (sink["stored"], sink["pending"], sink["lagEvents"]) == (3, 3, 3)
    assert await service.get("/v2/sinks/siem") == (
        200,
        {**sink, "lagSeconds": pytest.approx(sink["lagSeconds"], abs=5)},
    )
    _, key = await other_company(service)
    assert await problem(service, "/v2/sinks/siem", key=key) == (404, "not-found")
    assert await service.post("/v2/sinks/siem/rewind", {"to": 0, "dryRun": True}) == (
        200,
        {"events": 0, "seconds": 0.0},
    )
    for body, pointer in (({"to": 99}, "/to"), ({"to": "soon"}, "/to"), ({"to": 0, "dryRun": 1}, "/dryRun")):
        status, told = await service.post("/v2/sinks/siem/rewind", body)
        assert (status, told["errors"][0]["pointer"]) == (422, pointer)
    for far in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert (await service.post("/v2/sinks/siem/rewind", {"to": far, "dryRun": True}))[0] == 200
    for name in ("%00", "siem%00", "%ff", "x" * 64):
        assert await problem(service, f"/v2/sinks/{name}") == (404, "not-found")
        assert (await service.post(f"/v2/sinks/{name}/pause"))[0] == 404
    await service.pool.execute(
        """INSERT INTO sink_generations (sink, generation, before, replay_until, from_position, until_position, events)
           VALUES ('siem', 0, 1, 0, 1, 0, 2)"""
    )
    _, told = await service.get("/v2/sinks/siem/generations")
    (generation,) = told["generations"]
    shown = [generation[name] for name in ("generation", "kind", "from", "until", "stored", "delivered", "endedAt")]
    assert shown == [0, "moved", 1, 0, 2, None, None]
    assert (sink["replay"], sink["nextAttemptAt"], sink["replayEventsPerSecond"]) == (None, None, 5000)
    status, told = await service.post("/v2/sinks/siem/rewind", {"to": 0, "replace": "yes"})
    assert (status, told["errors"][0]["pointer"]) == (422, "/replace")
    status, told = await service.post("/v2/sinks/siem/rewind", {"to": 0, "from": 1})
    assert (status, told["errors"][0]["pointer"]) == (422, "/from")
    status, told = await service.post("/v2/sinks/siem/pause")
    assert (status, told["code"]) == (504, "sink-silent")
