"""Splunk's event collector, played by a program of its own: acknowledged or not, killed, slow, busy, and poisoned.

Splunk itself cannot be had for tests; tests/services/hec_program.py says what it is played from.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventgate.errors import Deferred, DeliveryError, Disconnected
from eventgate.forward.transports import Transport, Window
from eventgate.journal.cursors import START
from eventgate.sinks.definition import State
from tests.contract.test_transports import document, made, window
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.integration.test_outbound import connect_proxy
from tests.services.certificates import Certificates
from tests.services.http_receivers import EventCollector


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


def towards(collector: EventCollector, **options: Any) -> dict[str, Any]:
    return {"url": collector.url, "token": "first-token", "private_addresses": True, **options}


def ids(collector: EventCollector) -> Counter[str]:
    return Counter(envelope["fields"]["eventgate_id"] for envelope in collector.received())


def events(first: int, count: int) -> Window:
    return window(first, count, document)


@pytest.fixture
async def transport(collector: EventCollector) -> AsyncIterator[Transport]:
    transport = made("hec", "json", **towards(collector, acknowledge_seconds=1.0))()
    await transport.open(START)
    yield transport
    await transport.close()


async def test_acknowledged_means_indexed(transport: Transport, collector: EventCollector) -> None:
    delivery = await transport.deliver(events(0, 2500))
    assert (delivery.finished, delivery.refused, delivery.failure) == (2500, [], None)
    assert len(collector.received()) == 2500  # confirmed means indexed: there is nothing to wait for


@pytest.mark.parametrize("compress", [False, True])
async def test_the_envelope(collector: EventCollector, compress: bool) -> None:
    options = towards(collector, index="wifi", source="gate", sourcetype="_json", gzip=compress)
    transport = made("hec", "rfc5424", **options)()
    await transport.open(START)
    outgoing = window(0, 1)
    await transport.deliver(outgoing)
    await transport.close()
    (envelope,) = collector.received()
    assert envelope["event"] == outgoing.events[0].body.decode()
    assert [envelope[name] for name in ("host", "index", "source", "sourcetype")] == [
        "EG-0001",
        "wifi",
        "gate",
        "_json",
    ]
    assert envelope["time"] == outgoing.events[0].event.timestamp / 1000
    assert collector.requests()[0]["coding"] == ("gzip" if compress else None)


async def test_received_but_never_indexed_is_not_delivered(transport: Transport, collector: EventCollector) -> None:
    collector.set(never_indexes=True)
    delivery = await transport.deliver(events(0, 10))
    assert delivery.finished == 0
    assert isinstance(delivery.failure, Disconnected)
    assert "acknowledged" in str(delivery.failure)


@pytest.mark.parametrize("acknowledge", [True, False])
async def test_a_bad_event_is_named_and_those_around_it_are_in(collector: EventCollector, acknowledge: bool) -> None:
    collector.set(poison='"sequence":7,', acknowledges=acknowledge)
    transport = made("hec", "json", **towards(collector, acknowledge=acknowledge))()
    await transport.open(START)
    delivery = await transport.deliver(events(0, 20))
    await transport.close()
    assert (delivery.finished, delivery.failure) == (20, None)
    ((number, reason),) = delivery.refused
    assert number == 7
    assert "Invalid data format" in reason
    collector.wait_for(19)
    seen = {event["sequence"] for event in collector.events()}
    assert seen == set(range(20)) - {7}


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"tokens": []}, Deferred, "Invalid token"),
        ({"disabled": ["first-token"]}, Deferred, "Token disabled"),
        ({"indexes": ["other"]}, Deferred, "Incorrect index"),
        ({"busy": True}, Deferred, "Server is busy"),
    ],
)
async def test_what_an_operator_must_mend_gives_nothing_up(
    transport: Transport, collector: EventCollector, settings: dict[str, Any], kind: type, said: str
) -> None:
    collector.set(**settings)
    delivery = await transport.deliver(events(0, 5))
    assert (delivery.finished, list(delivery.refused)) == (0, [])
    assert isinstance(delivery.failure, kind)
    assert said in str(delivery.failure)
    assert "first-token" not in str(delivery.failure)


async def test_a_token_without_acknowledgement_is_told_before_any_event(collector: EventCollector) -> None:
    collector.set(acknowledges=False)
    transport = made("hec", "json", **towards(collector))()
    with pytest.raises(Deferred, match="acknowledge = false"):
        await transport.open(START)
    await transport.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": "<html>welcome</html>"},
        {"status": 200, "body": '{"text":"Success","code":0}'},
        {"status": 302, "headers": {"Location": "https://elsewhere.test/"}},
        {"status": 502, "body": "bad gateway"},
        {"status": 503, "headers": {"Retry-After": "7"}},
        {"status": 200, "drop": True},
    ],
    ids=["a web server", "no ackId", "redirect", "502", "retry-after", "cut"],
)
async def test_answers_that_promise_nothing(
    transport: Transport, collector: EventCollector, answer: dict[str, Any]
) -> None:
    collector.script(answer)
    delivery = await transport.deliver(events(0, 5))
    assert delivery.finished == 0
    assert isinstance(delivery.failure, Deferred | Disconnected)
    if "Retry-After" in answer.get("headers", {}):
        assert isinstance(delivery.failure, Deferred)
        assert delivery.failure.retry_after == 7.0


async def test_in_flight_one_by_one_nothing_goes_out_behind_a_request_that_failed(collector: EventCollector) -> None:
    transport = made("hec", "json", **towards(collector, in_flight=1))()
    await transport.open(START)
    collector.script({"status": 503})
    first, second = await asyncio.gather(transport.deliver(events(0, 1200)), transport.deliver(events(1200, 1200)))
    assert (first.finished, second.finished) == (0, 0)
    assert collector.requests() == []
    first, second = await asyncio.gather(transport.deliver(events(0, 1200)), transport.deliver(events(1200, 1200)))
    await transport.close()
    assert (first.finished, second.finished) == (1200, 1200)
    numbers = [event["sequence"] for event in collector.events()]
    assert numbers == sorted(numbers)


async def test_a_receiver_that_takes_less_gets_less_and_then_less_from_the_start(
    transport: Transport, collector: EventCollector
) -> None:
    collector.set(most_bytes=150_000)
    for first in (0, 500):
        assert (await transport.deliver(events(first, 500))).finished == 500
    sizes = [request["bytes"] for request in collector.requests()]
    assert sum(size > 150_000 for size in sizes) == 2  # 300 kB, then 150, then no more
    assert len(collector.received()) == 1000


async def test_a_killed_collector_loses_nothing_that_was_acknowledged_and_the_rest_comes_again(
    gate: Forwarding, collector: EventCollector
) -> None:
    collector.set(index_seconds=0.3)
    stored = await gate.store(20_000)
    async with gate.running(sink("siem", "hec", **towards(collector, acknowledge_seconds=5.0))):
        await asyncio.to_thread(collector.wait_for, 1_000)
        collector.kill()
        await gate.until("siem", lambda status: status.state is State.RETRYING)
        collector.start()
        status = await gate.until_done("siem")
    assert status.guarantee == "confirmed"
    assert status.ledger.delivered == 20_000
    assert set(ids(collector)) == {str(event.id) for event in stored}


async def test_without_acknowledgement_it_is_written_and_says_so(gate: Forwarding, collector: EventCollector) -> None:
    collector.set(acknowledges=False)
    await gate.store(3000)
    async with gate.running(sink("siem", "hec", **towards(collector, acknowledge=False))):
        status = await gate.until_done("siem")
    assert status.guarantee == "written"
    assert len(await asyncio.to_thread(collector.wait_for, 3000)) == 3000


async def test_a_new_token_in_its_file_is_used_and_nothing_is_given_up_meanwhile(
    gate: Forwarding, collector: EventCollector, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("first-token\n")
    options = towards(collector, token_file=str(file))
    del options["token"]
    await gate.store(100)
    async with gate.running(sink("siem", "hec", **options)):
        await gate.until_done("siem")
        collector.set(tokens=["second-token"])
        await gate.append(100)
        refused = await gate.until("siem", lambda status: status.state is State.RETRYING)
        assert "Invalid token" in str(refused.last_error)
        file.write_text("second-token\n")
        status = await gate.until_done("siem")
    assert (status.ledger.delivered, status.ledger.dead) == (200, 0)
    assert len(ids(collector)) == 200


async def test_a_private_address_needs_permission(collector: EventCollector) -> None:
    transport = made("hec", "json", **towards(collector, private_addresses=False))()
    with pytest.raises(Disconnected, match="private_addresses = true"):
        await transport.open(START)
    await transport.close()


async def test_over_tls_with_our_certificate_and_no_other(tmp_path: Path, certificates: Certificates) -> None:
    keys = {"ca_file": certificates.ca, "certificate_file": certificates.client, "key_file": certificates.client_key}
    with EventCollector(tmp_path, certificates) as collector:
        transport = made("hec", "json", **towards(collector, **keys))()
        await transport.probe()
        await transport.open(START)
        assert (await transport.deliver(events(0, 30))).finished == 30
        await transport.close()
        for wrong in ({**keys, "ca_file": certificates.stranger_ca}, {"ca_file": certificates.ca}):
            stranger = made("hec", "json", **towards(collector, **wrong))()
            with pytest.raises(Disconnected):
                await stranger.open(START)
            await stranger.close()


async def test_through_a_proxy_that_alone_is_dialled(tmp_path: Path, certificates: Certificates) -> None:
    keys = {"ca_file": certificates.ca, "certificate_file": certificates.client, "key_file": certificates.client_key}
    with EventCollector(tmp_path, certificates) as collector:
        async with connect_proxy(collector.port) as (proxy, asked):
            options = towards(collector, **keys, proxy=proxy, private_addresses=False)
            transport = made("hec", "json", **options)()
            await transport.open(START)
            assert (await transport.deliver(events(0, 5))).finished == 5
            await transport.close()
    assert set(asked) == {f"localhost:{collector.port}"}


async def test_a_certificate_in_its_file_is_used_from_the_next_window_on(
    tmp_path: Path, certificates: Certificates
) -> None:
    (tmp_path / "other").mkdir()
    other = Certificates.make(tmp_path / "other")
    ours = {"certificate_file": tmp_path / "ours.pem", "key_file": tmp_path / "ours-key.pem"}

    def show(shown: Certificates) -> None:
        shutil.copy(shown.client_key, ours["key_file"])
        shutil.copy(shown.client, ours["certificate_file"])

    show(certificates)
    with EventCollector(tmp_path, certificates) as collector:
        transport = made("hec", "json", **towards(collector, ca_file=certificates.ca, **ours))()
        await transport.open(START)
        assert (await transport.deliver(events(0, 5))).finished == 5
        show(other)
        assert isinstance((await transport.deliver(events(5, 5))).failure, Disconnected)
        show(certificates)
        assert (await transport.deliver(events(5, 5))).finished == 5
        await transport.close()


async def test_answers_that_get_lost_cost_duplicates_and_no_event(gate: Forwarding, collector: EventCollector) -> None:
    """The collector took the request and its answer was lost, twice; a third time a proxy was in the way."""
    cut = {"status": 200, "take": True, "drop": True}
    collector.script(cut, cut, {"status": 502, "take": True})
    stored = await gate.store(300)
    async with gate.running(sink("siem", "hec", **towards(collector))):
        status = await gate.until_done("siem")
    assert (status.ledger.delivered, status.ledger.dead) == (300, 0)
    seen = ids(collector)
    assert set(seen) == {str(event.id) for event in stored}
    assert seen.total() <= 4 * 300


@pytest.mark.parametrize("acknowledge", [True, False])
async def test_check_tells_a_token_that_is_not_accepted(collector: EventCollector, acknowledge: bool) -> None:
    await made("hec", "json", **towards(collector, acknowledge=acknowledge))().probe()
    transport = made("hec", "json", **towards(collector, acknowledge=acknowledge, token="another"))()
    with pytest.raises(DeliveryError, match="Invalid token"):
        await transport.probe()
    await transport.close()
    assert collector.received() == []


async def test_check_tells_an_unhealthy_collector(collector: EventCollector) -> None:
    transport = made("hec", "json", **towards(collector))()
    await transport.probe()
    collector.set(busy=True)
    with pytest.raises(DeliveryError, match="queues are full"):
        await transport.probe()
    assert collector.requests() == []
