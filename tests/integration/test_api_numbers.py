"""Counts, catalogue and rejects over HTTP."""

import pytest

from eventgate.errors import FieldError
from eventgate.journal.rejects import Rejected, Rejects
from tests.integration.http_service import http_service


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path) as running:
        yield running


@pytest.mark.parametrize("path", ["/v2/alerts/meta", "/alerts/meta"])
async def test_what_a_query_selects_in_numbers(service, path):
    events = [
        service.event(number, code="APSPOOF" if number % 3 else "MINE", severity=number % 2) for number in range(9)
    ]
    await service.store(events)
    status, meta = await service.get(f"{path}?filter=severity%C2%B7is%C2%B70")
    _, listed = await service.get("/v2/alerts?filter=severity%C2%B7is%C2%B70")
    assert (status, meta["total"], meta["complete"], meta["totalRelation"]) == (200, 5, True, "exact")
    assert meta["lastTimestamp"] == listed["data"][0]["timestamp"]
    assert meta["firstTimestamp"] == listed["data"][-1]["timestamp"]
    assert meta["byCode"] == [{"alertCode": "APSPOOF", "count": 3}, {"alertCode": "MINE", "count": 2}]
    assert meta["bySeverity"] == [{"severity": 0, "count": 5}]
    assert meta["byEdge"] == [{"edgeId": service.made.edge_id, "serial": "EG-0001", "edgeName": None, "count": 5}]
    assert sum(bucket["count"] for bucket in meta["histogram"]["buckets"]) == 5
    _, empty = await service.get(f"{path}?filter=message%C2%B7is%C2%B7%22nobody%22")
    assert (empty["total"], empty["firstTimestamp"], empty["histogram"]["buckets"]) == (0, None, [])


async def test_categories(service):
    status, body = await service.get("/v2/alert-categories?customerid")
    assert (status, body["total"], body["count"], body["nextUrl"]) == (200, 6, 6, None)
    assert [(category["id"], category["name"]) for category in body["data"][:2]] == [
        (1, "Denial of service"),
        (2, "Spoofing"),
    ]
    _, rest = await service.get("/alert-categories?startingAfter=4&limit=1")
    assert [category["id"] for category in rest["data"]] == [5]
    _, before = await service.get(rest["previousUrl"])
    assert [category["id"] for category in before["data"]] == [4]


async def test_codes_of_the_catalogue_and_codes_that_were_seen(service):
    await service.store([service.event(1, code="Müll & mehr?", severity=3, category=6), service.event(2)])
    url, codes = "/v2/alert-codes?limit=10", []
    while url:
        _, body = await service.get(url)
        codes += body["data"]
        url = body["nextUrl"]
    assert body["total"] == len(codes) > 30
    assert [code["alertCode"] for code in codes] == sorted(code["alertCode"] for code in codes)
    by_code = {code["alertCode"]: code for code in codes}
    assert by_code["Müll & mehr?"]["source"] == "observed"
    assert (by_code["Müll & mehr?"]["categoryId"], by_code["Müll & mehr?"]["severity"]) == (6, 3)
    assert by_code["DEAUTHFLOOD"]["source"] == "catalogue"
    assert by_code["DEAUTHFLOOD"]["lastSeenAt"] is not None
    assert by_code["KARMAOUI"]["lastSeenAt"] is None
    _, after = await service.get("/alert-codes?limit=1&startingAfter=M%C3%BCll%20%26%20mehr%3E")
    assert [code["alertCode"] for code in after["data"]] == ["Müll & mehr?"]


async def test_rejects_are_paged_by_their_links(service):
    rejects = Rejects(service.pool, service.clock)
    problems = [FieldError("/timestamp", "field-missing", "timestamp is missing.")]
    for number in range(7):
        await rejects.keep(
            service.company, service.company, "r1", [Rejected(number, b'{"a\xff":%d}' % number, problems)]
        )
    url, found = "/v2/rejects?limit=3", []
    while url:
        status, body = await service.get(url)
        assert (status, body["total"]) == (200, 7)
        found.append(body)
        url = body["nextUrl"]
    rows = [reject for page in found for reject in page["data"]]
    assert [page["count"] for page in found] == [3, 3, 1]
    assert len({reject["id"] for reject in rows}) == 7
    assert rows[0]["errors"] == [{"pointer": "/timestamp", "code": "field-missing", "detail": "timestamp is missing."}]
    assert rows[0]["body"].startswith('{"a\\xff":')
    _, middle = await service.get(found[2]["previousUrl"])
    assert middle["data"] == found[1]["data"]
    _, first = await service.get(middle["previousUrl"])
    assert (first["data"], first["previousUrl"]) == (found[0]["data"], None)
    _, offset = await service.get("/v2/rejects?limit=2&offset=3")
    assert offset["data"] == rows[3:5]
