"""Webhooks: signatures that an independent library believes, retries, batches, 410, and secrets that change."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventgate.errors import Deferred, Disconnected, Gone
from eventgate.forward.transports import Transport, Window
from eventgate.journal.cursors import START
from eventgate.sinks.definition import State
from eventgate.sinks.requests import Answer, Verb
from eventgate.telemetry import SINK_STATE
from tests.contract.test_transports import document, made, window
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.http_receivers import WEBHOOK_SECRET, WebhookReceiver

OTHER_SECRET = "whsec_bm90IHRoZSBzYW1lIHNlY3JldCBhdCBhbGw="


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


@pytest.fixture
def keys(hooked: WebhookReceiver, webhook_secret: Path) -> dict[str, Any]:
    return {"url": f"{hooked.url}/hooks/secret-path", "secret_file": webhook_secret, "private_addresses": True}


def events(first: int, count: int) -> Window:
    return window(first, count, document)


async def opened(keys: dict[str, Any], **options: Any) -> Transport:
    transport = made("webhook", "json", **keys, **options)()
    await transport.open(START)
    return transport


def sequences(hooked: WebhookReceiver) -> list[int]:
    return [event["sequence"] for event in hooked.events()]


async def test_one_message_an_event_in_order(hooked: WebhookReceiver, keys: dict[str, Any]) -> None:
    transport = await opened(keys)
    assert (await transport.deliver(events(0, 64))).finished == 64
    await transport.close()
    assert sequences(hooked) == list(range(64))
    assert len({message["id"] for message in hooked.received()}) == 64


async def test_batches_are_arrays_and_text_is_lines(hooked: WebhookReceiver, keys: dict[str, Any]) -> None:
    transport = await opened(keys, batch=10, in_flight=3)
    assert (await transport.deliver(events(0, 35))).finished == 35
    await transport.close()
    assert sorted(len(message["body"]) for message in hooked.received()) == [5, 10, 10, 10]
    assert sorted(sequences(hooked)) == list(range(35))
    text = made("webhook", "rfc5424", **keys, batch=10)()
    await text.open(START)
    assert (await text.deliver(window(0, 3))).finished == 3
    await text.close()
    assert hooked.received()[-1]["body"].count("\n") == 2


async def test_a_retry_has_the_same_id_and_a_time_of_its_own(hooked: WebhookReceiver, keys: dict[str, Any]) -> None:
    transport = await opened(keys, batch=3)
    hooked.script({"status": 503, "headers": {"Retry-After": "2"}, "seconds": 1.1, "take": True})
    failed = await transport.deliver(events(0, 3))
    assert isinstance(failed.failure, Deferred)
    assert failed.failure.retry_after == 2.0
    assert (await transport.deliver(events(0, 7))).finished == 7  # more has come meanwhile
    await transport.close()
    first, second, *_ = hooked.requests()[-4:]
    assert first["webhook-id"] == second["webhook-id"]
    assert int(first["webhook-timestamp"]) < int(second["webhook-timestamp"])
    assert first["webhook-signature"] != second["webhook-signature"]


async def test_replayed_events_say_so(hooked: WebhookReceiver, keys: dict[str, Any]) -> None:
    transport = await opened(keys, batch=10)
    both = events(0, 4)
    both.events[:2] = [outgoing._replace(replay=True) for outgoing in both.events[:2]]
    await transport.deliver(both)
    await transport.close()
    assert [(message["replay"], len(message["body"])) for message in hooked.received()] == [("true", 2), (None, 2)]


@pytest.mark.parametrize("batch", [1, 50])
async def test_a_refused_event_is_named_with_visible_words(
    hooked: WebhookReceiver, keys: dict[str, Any], batch: int
) -> None:
    hooked.set(poison='"sequence":17,')
    transport = await opened(keys, batch=batch)
    delivery = await transport.deliver(events(0, 40))
    await transport.close()
    assert (delivery.finished, delivery.failure) == (40, None)
    ((number, reason),) = delivery.refused
    assert number == 17
    assert reason.endswith("answered 400: indigestible␛[31m")
    assert sequences(hooked) == [n for n in range(40) if n != 17]


async def test_an_oversize_event_is_refused_and_a_large_batch_made_smaller(
    hooked: WebhookReceiver, keys: dict[str, Any]
) -> None:
    transport = await opened(keys, batch=100)
    hooked.set(most_bytes=3000)
    long = events(0, 30)
    long.events[9] = long.events[9]._replace(body=long.events[9].body[:-1] + b',"x":"%b"}' % (b"x" * 4000))
    delivery = await transport.deliver(long)
    await transport.close()
    assert (delivery.finished, [refusal.number for refusal in delivery.refused]) == (30, [9])
    assert sequences(hooked) == [n for n in range(30) if n != 9]


async def test_a_redirect_is_not_followed(hooked: WebhookReceiver, keys: dict[str, Any]) -> None:
    transport = await opened(keys)
    hooked.script({"status": 307, "headers": {"Location": f"{hooked.url}/elsewhere"}})
    delivery = await transport.deliver(events(0, 1))
    await transport.close()
    assert isinstance(delivery.failure, Deferred)
    assert "redirects are not followed" in str(delivery.failure)
    assert hooked.received() == []


async def test_what_is_told_of_a_failure_holds_no_path(hooked: WebhookReceiver, keys: dict[str, Any]) -> None:
    transport = await opened(keys)
    hooked.kill()
    delivery = await transport.deliver(events(0, 1))
    await transport.close()
    assert isinstance(delivery.failure, Disconnected)
    assert "secret-path" not in str(delivery.failure)


async def test_a_private_address_needs_permission(hooked: WebhookReceiver, keys: dict[str, Any]) -> None:
    transport = made("webhook", "json", **{**keys, "private_addresses": False})()
    with pytest.raises(Disconnected, match="private_addresses = true"):
        await transport.probe()
    await transport.close()


async def test_check_sends_no_message(hooked: WebhookReceiver, keys: dict[str, Any]) -> None:
    transport = made("webhook", "json", **keys)()
    await transport.probe()
    await transport.close()
    assert hooked.requests() == []


async def test_a_slow_receiver_is_waited_for_no_longer_than_told(hooked: WebhookReceiver, keys: dict[str, Any]) -> None:
    transport = await opened(keys, timeout_seconds=0.3)
    hooked.script({"status": 200, "seconds": 5})
    delivery = await transport.deliver(events(0, 2))
    await transport.close()
    assert delivery.finished == 0
    assert isinstance(delivery.failure, Disconnected)


async def test_410_disables_the_sink_with_its_reason_until_it_is_resumed(
    gate: Forwarding, hooked: WebhookReceiver, keys: dict[str, Any]
) -> None:
    transport = await opened(keys)
    hooked.script({"status": 410, "body": "unsubscribed"})
    assert isinstance((await transport.deliver(events(0, 1))).failure, Gone)
    await transport.close()

    hooked.script({"status": 410, "body": "unsubscribed"})
    await gate.store(50)
    plan = sink("hook", "webhook", **keys)
    for _ in range(2):  # it rests after a restart as well
        async with gate.running(plan):
            await gate.until("hook", lambda s: s.state is State.DISABLED and "unsubscribed" in str(s.last_error))
            # Whoever pauses it as well does not take its reason away.
            assert await gate.stores.requests.ask("hook", Verb.PAUSE) == Answer(True, "paused")
            shown = {each: SINK_STATE.labels("hook", each.value)._value.get() for each in State}
            assert [each for each in State if shown[each]] == [State.DISABLED]
        assert (await gate.status("hook")).state is State.DISABLED, "stopped or not, that is what it is"
    assert hooked.received() == []
    async with gate.running(plan):
        answer = await gate.stores.requests.ask("hook", Verb.RESUME)
        assert answer is not None
        assert answer.done
        status = await gate.until_done("hook")
    assert (status.ledger.delivered, status.ledger.dead) == (50, 0)


async def test_secrets_change_while_events_flow_and_nothing_is_given_up(
    gate: Forwarding, hooked: WebhookReceiver, keys: dict[str, Any], webhook_secret: Path
) -> None:
    await gate.store(30)
    async with gate.running(sink("hook", "webhook", **keys)):
        await gate.until_done("hook")
        webhook_secret.write_text(f"{OTHER_SECRET}\n{WEBHOOK_SECRET}\n")  # both sign, so either side may go first
        await gate.append(30)
        await gate.until_done("hook")
        hooked.set(secret=OTHER_SECRET)
        await gate.append(30)
        await gate.until_done("hook")
        webhook_secret.write_text(f"{OTHER_SECRET}\n")
        await gate.append(30)
        status = await gate.until_done("hook")
    assert (status.ledger.delivered, status.ledger.dead) == (120, 0)
    assert len(hooked.received()) == 120


async def test_a_receiver_killed_in_the_middle_gets_everything_and_little_twice(
    gate: Forwarding, hooked: WebhookReceiver, keys: dict[str, Any]
) -> None:
    stored = await gate.store(3000)
    async with gate.running(sink("hook", "webhook", **keys, batch=20, in_flight=2)):
        await asyncio.to_thread(hooked.wait_for, 20)
        hooked.kill()
        await gate.until("hook", lambda status: status.state is State.RETRYING)
        hooked.start()
        status = await gate.until_done("hook")
    assert (status.guarantee, status.ledger.delivered) == ("confirmed", 3000)
    seen = Counter(event["id"] for event in hooked.events())
    assert set(seen) == {str(event.id) for event in stored}
    assert seen.total() - len(seen) <= 2 * 20
