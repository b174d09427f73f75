"""Something is wrong with a sink: the log, the metrics and the journal say so once, and once when it is over."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import structlog
from prometheus_client import REGISTRY

from eventgate.alerts import catalogue
from eventgate.clock import ManualClock
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.event import GATE, Event, Origin
from eventgate.forward.files import SinkFiles
from eventgate.forward.plan import Plan
from eventgate.forward.system_alerts import SystemAlerts
from eventgate.forward.watch import Watch
from eventgate.journal.chain import verify
from eventgate.sinks import alarms as codes
from eventgate.sinks.alarms import Alarms
from eventgate.sinks.minutes import LedgerMinutes
from tests.e2e.whole import delivered, eventgate, get
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.certificates import Certificates
from tests.services.ports import free_port
from tests.serving import Serving

OPERATOR = UUID("0192f000-0000-7000-8000-00000000000a")
CUSTOMER = UUID("0192f000-0000-7000-8000-00000000000b")


class Watching:
    """A watch over ``gate`` that looks when told to; ``clock`` is moved by hand."""

    def __init__(self, gate: Forwarding, *plans: Plan) -> None:
        self.gate = gate
        self.clock = ManualClock()
        self.plans = plans
        self.alarms = Alarms(gate.pool)
        self.watch = self.afresh()

    def afresh(self) -> Watch:
        """As a process that has just started."""
        files = SinkFiles()

        async def operator() -> UUID:
            return OPERATOR

        self.watch = Watch(
            self.gate.stores.sinks,
            self.gate.stores.journal,
            self.alarms,
            LedgerMinutes(self.gate.pool),
            SystemAlerts(self.alarms, self.gate.appender.append, catalogue.defaults),
            clock=self.clock,
            faults=lambda: files.faults([plan.definition for plan in self.plans]),
            operator=operator,
            failing_minutes=5,
        )
        return self.watch

    async def alerts(self) -> list[Event]:
        return [event for event in await self.gate.stored() if event.origin is Origin.SYSTEM]

    async def told(self) -> list[str | None]:
        return [alert.code for alert in await self.alerts()]


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


def metric(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"eventgate_{name}", labels)


async def test_a_total_that_somebody_changed_is_seen_in_log_metrics_and_journal(
    gate: Forwarding, tmp_path: Path
) -> None:
    plan = sink("out", "file", path=tmp_path / "out")
    await gate.store(50)
    async with gate.running(plan):
        await gate.until_done("out")
    watching = Watching(gate, plan)
    await watching.watch.look()
    assert (metric("sink_ledger_imbalance", sink="out"), await watching.told()) == (0, [])

    await gate.pool.execute("UPDATE cursors SET delivered = delivered - 3 WHERE reader = 'sink:out'")
    with structlog.testing.capture_logs() as log:
        for _ in range(3):  # one alarm, however often it is looked at
            await watching.watch.look()
        await watching.afresh().look()
    assert [(line["code"], line["log_level"]) for line in log] == [(codes.UNBALANCED, "error")]
    assert metric("sink_ledger_imbalance", sink="out") == 3
    assert metric("sink_alarm", sink="out", code=codes.UNBALANCED) == 1
    assert metric("sink_ledger_events", sink="out", part="delivered") == 47
    (alert,) = await watching.alerts()
    assert (alert.code, alert.company, alert.sensor, alert.category) == (codes.UNBALANCED, OPERATOR, GATE, 5)
    assert "50 stored" in str(alert.message)
    assert json.loads(alert.data) == {"sink": "out"}
    assert [each.code for each in (await gate.status("out")).alarms] == [codes.UNBALANCED]
    (minute,) = await LedgerMinutes(gate.pool).between("out", 0, watching.clock.now_ms() + 1)
    assert not minute.ledger.balances

    await gate.pool.execute("UPDATE cursors SET delivered = delivered + 3 WHERE reader = 'sink:out'")
    await watching.watch.look()
    await watching.watch.look()
    assert await watching.told() == [codes.UNBALANCED, codes.RECOVERED]
    assert metric("sink_alarm", sink="out", code=codes.UNBALANCED) == 0
    assert not (await gate.status("out")).alarms
    async with gate.pool.acquire() as connection:
        assert (await verify(connection)).holds


async def test_a_sink_is_never_sent_what_is_about_itself_and_counts_it(gate: Forwarding, tmp_path: Path) -> None:
    plans = [sink(name, "file", path=tmp_path / name) for name in ("one", "two")]
    theirs = sink("theirs", "file", path=tmp_path / "theirs", company=CUSTOMER)
    async with gate.running(*plans, theirs):
        watching = Watching(gate, *plans, theirs)
        await watching.alarms.begin("one", codes.FAILING, "nobody answers", company=OPERATOR, at=1_790_000_000_000)
        await watching.alarms.begin("theirs", codes.FAILING, "nobody answers", company=CUSTOMER, at=1_790_000_000_000)
        await SystemAlerts(watching.alarms, gate.appender.append, catalogue.defaults).append_waiting()
        done = {name: await gate.until_done(name) for name in ("one", "two", "theirs")}
    assert {name: status.ledger.delivered for name, status in done.items()} == {"one": 1, "two": 2, "theirs": 0}
    assert done["one"].ledger.filtered == 1
    assert {event.company for event in await gate.stored()} == {OPERATOR, CUSTOMER}


async def test_an_alert_that_was_appended_and_not_noted_is_stored_once(gate: Forwarding, tmp_path: Path) -> None:
    """Killed between the two."""
    async with gate.running(sink("out", "file", path=tmp_path / "out")):
        await gate.until_done("out")
    alarms = Alarms(gate.pool)
    await alarms.begin("out", codes.EXPIRED, "too late", company=OPERATOR, at=1_790_000_000_000)
    alerts = SystemAlerts(alarms, gate.appender.append, catalogue.defaults)
    waiting = await alarms.waiting()
    await alerts.append_waiting()
    rows = [(each.id, each.company, each.code, each.message, '{"sink": "out"}', each.at / 1000) for each in waiting]
    await gate.pool.executemany("INSERT INTO system_alerts_waiting VALUES ($1, $2, $3, $4, $5, to_timestamp($6))", rows)
    await alerts.append_waiting()
    assert len(await gate.stored()) == 1
    assert await alarms.waiting() == []


async def test_failing_for_minutes_and_then_well_again_is_two_alerts(gate: Forwarding, tmp_path: Path) -> None:
    port = free_port()
    plan = sink("out", "tcp", address=f"127.0.0.1:{port}")
    await gate.store(5)
    watching = Watching(gate, plan)
    async with gate.running(plan):
        await gate.until("out", lambda status: status.state.value == "retrying")
        await watching.watch.look()
        watching.clock.advance(299)
        await watching.watch.look()
        assert await watching.told() == []
        watching.clock.advance(2)
        await watching.watch.look()
        assert await watching.told() == [codes.FAILING]
        await watching.afresh().look()  # a restart neither forgets nor repeats it
        assert await watching.told() == [codes.FAILING]

        async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(1 << 16):
                pass
            writer.close()

        async with await asyncio.start_server(swallow, "127.0.0.1", port):
            await gate.until("out", lambda status: status.cursor.position > 0)
            await watching.watch.look()
    assert await watching.told() == [codes.FAILING, codes.RECOVERED]


async def test_events_that_expired_are_told_once_while_they_do(gate: Forwarding, tmp_path: Path) -> None:
    plan = sink("out", "file", path=tmp_path / "out")
    await gate.store(10)
    async with gate.running(plan):
        await gate.until_done("out")
    watching = Watching(gate, plan)
    await watching.watch.look()
    for _ in range(3):
        await gate.pool.execute(
            "UPDATE cursors SET delivered = delivered - 1, expired = expired + 1 WHERE reader = 'sink:out'"
        )
        watching.clock.advance(60)
        await watching.watch.look()
    assert await watching.told() == [codes.EXPIRED]
    watching.clock.advance(601)
    await watching.watch.look()
    assert await watching.told() == [codes.EXPIRED, codes.RECOVERED]


async def test_states_that_need_an_operator_are_alarms(gate: Forwarding, tmp_path: Path) -> None:
    plan = sink("out", "file", path=tmp_path / "out")
    async with gate.running(plan):
        await gate.until_done("out")
    watching = Watching(gate, plan)
    for state, disabled, code in (("cursor-lost", False, codes.CURSOR_LOST), ("paused", True, codes.REFUSED)):
        await gate.pool.execute(
            """UPDATE sinks SET state = $1, state_since = now(), paused = $2, disabled = $2,
                      last_error = '410 Gone', failed_at = now()""",
            state, disabled,
        )  # fmt: skip
        await watching.watch.look()
        assert (await watching.told())[-1] == code
        # As it is when the process starts anew: what is wrong did not end in between.
        await gate.pool.execute("UPDATE sinks SET state = 'stopped' WHERE disabled")
        await watching.watch.look()
        assert (await watching.told())[-1] == code
        await gate.pool.execute("UPDATE sinks SET state = 'running', paused = false, disabled = false")
        await watching.watch.look()
        assert (await watching.told())[-1] == codes.RECOVERED
    # A pause that an operator wanted is none, whatever once went wrong.
    await gate.pool.execute("UPDATE sinks SET state = 'paused', paused = true")
    await watching.watch.look()
    assert len(await watching.told()) == 4


async def test_a_certificate_that_is_broken_after_a_change_is_an_alarm(gate: Forwarding, tmp_path: Path) -> None:
    ca = tmp_path / "authority.pem"
    good = Certificates.make(tmp_path).ca.read_bytes()
    ca.write_bytes(good)
    plan = sink("out", "tls", address="127.0.0.1:1", ca_file=str(ca))
    async with gate.running(plan):
        await gate.until("out", lambda status: status.state.value == "retrying")
    watching = Watching(gate, plan)
    await watching.watch.look()
    ca.write_bytes(b"no certificate")
    await watching.watch.look()
    await watching.watch.look()
    assert await watching.told() == [codes.CERTIFICATE]
    ca.write_bytes(good + b"\n")
    await watching.watch.look()
    assert await watching.told() == [codes.CERTIFICATE, codes.RECOVERED]


def test_a_running_gate_tells_of_it_in_its_log_its_metrics_and_its_alerts(public_path: Path) -> None:
    config = f'[[sinks]]\nname = "out"\ntransport = "file"\npath = "{public_path}/out.ndjson"\n'
    with Serving(public_path, config=config) as serving:
        eventgate("send", "--sample", "20", serving=serving)
        serving.wait_until(lambda: delivered(serving))
        eventgate("sinks", "pause", "out", serving=serving)  # its next step would write down what it knows to be right
        url = EmbeddedPostgres(serving.data / "postgres").url_of_running()

        async def change(by: int) -> None:
            connection = await asyncpg.connect(url)
            await connection.execute("UPDATE cursors SET delivered = delivered + $1 WHERE reader = 'sink:out'", by)
            await connection.close()

        asyncio.run(change(-2))

        def alerts(code: str) -> list[dict[str, Any]]:
            return get(serving, f"/v2/alerts?filter=alertCode%C2%B7is%C2%B7%22{code}%22")["data"]

        serving.wait_until(lambda: len(alerts(codes.UNBALANCED)) == 1)
        (alert,) = alerts(codes.UNBALANCED)
        assert (alert["data"], alert["serial"], alert["categoryId"]) == ({"sink": "out"}, "eventgate", 5)
        assert f'"code":"{codes.UNBALANCED}"' in serving.said()
        with urllib.request.urlopen(f"{serving.url}/metrics", timeout=5) as answer:
            metrics = answer.read().decode()
        assert 'eventgate_sink_ledger_imbalance{sink="out"} 2.0' in metrics
        assert f'eventgate_sink_alarm{{code="{codes.UNBALANCED}",sink="out"}} 1.0' in metrics
        shown = get(serving, "/v2/sinks/out")
        assert (shown["balances"], [each["code"] for each in shown["alarms"]]) == (False, [codes.UNBALANCED])
        assert get(serving, "/v2/sinks/out/ledger")["minutes"][-1]["balances"] is False

        asyncio.run(change(+2))
        serving.wait_until(lambda: len(alerts(codes.RECOVERED)) == 1)
        assert get(serving, "/v2/sinks/out")["balances"]
        assert "The chain holds" in eventgate("verify", serving=serving)
