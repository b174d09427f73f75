"""Custody behind receivers that answer over HTTP: what is told of an event is what its receiver said of it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.whole import client, delivered, eventgate, get
from tests.services.http_receivers import EventCollector
from tests.services.opensearch import OpenSearch
from tests.serving import Serving

SINKS = """
[[sinks]]
name = "search"
transport = "bulk"
url = "{opensearch}"
index = "{index}"
private_addresses = true

[[sinks]]
name = "splunk"
transport = "hec"
url = "{collector}"
token = "first-token"
private_addresses = true
"""


@pytest.fixture
def index(public_path: Path, opensearch: OpenSearch) -> str:
    """Takes no alert whose reading is anything but a number."""
    name = f"eventgate-{public_path.name}"
    opensearch.ask("PUT", f"/{name}", {"mappings": {"properties": {"data": {"properties": {"reading": _NUMBER}}}}})
    return name


_NUMBER = {"type": "long"}


@pytest.fixture
def serving(public_path: Path, opensearch: OpenSearch, index: str, collector: EventCollector) -> Iterator[Serving]:
    sinks = SINKS.format(opensearch=opensearch.url, index=index, collector=collector.url)
    with Serving(public_path, config=sinks) as running:
        yield running


def send(serving: Serving, reading: object) -> str:
    """Send one event and wait until every sink is done with it; its id."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    event = {"timestamp": now, "alertCode": "DEAUTHFLOOD", "message": "m", "data": {"reading": reading}}
    with client(serving) as sensor:
        (outcome,) = sensor.send([event]).events
    serving.wait_until(lambda: delivered(serving))
    return str(outcome.id)


def where(serving: Serving, event: str) -> dict[str, Any]:
    return {sink["name"]: sink for sink in json.loads(eventgate("where", event, "--json", serving=serving))["sinks"]}


def test_what_opensearch_and_an_event_collector_said_is_told_of_each_event(
    serving: Serving, opensearch: OpenSearch, index: str, collector: EventCollector
) -> None:
    good, bad, better = (send(serving, reading) for reading in (7, "seven", 8))
    serving.wait_until(lambda: where(serving, better)["splunk"]["deliveries"] != [])

    documents = {document["id"] for document in opensearch.documents(index)}
    assert documents == {good, better}
    for event in (good, better):
        told = where(serving, event)["search"]
        assert told["fate"] == "delivered"
        assert told["deliveries"][0]["receipt"]["status"] == 200
    told = where(serving, bad)["search"]
    assert (told["fate"], told["deliveries"]) == ("dead", [])
    assert "mapper_parsing_exception" in told["deaths"][0]["reason"], (
        "the answer about this item, not about its request"
    )
    assert "data.reading" in told["deaths"][0]["reason"]

    said = collector.requests()
    assert [request["events"] for request in said] == [1, 1, 1]
    for event, request in zip((good, bad, better), said, strict=True):
        (delivery,) = where(serving, event)["splunk"]["deliveries"]
        told = delivery["receipt"]
        assert (told["channel"], told["ackId"]) == (request["channel"], request["ackId"])
    assert [request["ackId"] for request in said] == [0, 1, 2]
    assert {envelope["fields"]["eventgate_id"] for envelope in collector.received()} == {good, bad, better}

    story = eventgate("where", bad, serving=serving)
    assert "mapper_parsing_exception" in " ".join(story.split())
    assert "ackId 1" in story
    assert get(serving, "/v2/sinks/search")["dead"] == 1
