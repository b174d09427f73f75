"""Every transport under every fault: what was stored is what arrived, and what the guarantee says of the rest holds.

A proxy that misbehaves stands between the forward process and a real receiver. After the fault is over everything is
delivered without anybody's help, and more after it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from eventgate.forward.transports import connection
from eventgate.forward.transports.kafka import transport as kafka_transport
from eventgate.forward.transports.udp import SyslogDatagrams
from eventgate.sinks.definition import State
from tests.integration import fault_kinds
from tests.integration.fault_kinds import Kind, ends_a_transaction, produces
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.patience import PATIENCE
from tests.services.certificates import Certificates
from tests.services.fault_proxy import Close, Corrupt, Devour, Fault, FaultProxy, HalfClose, Reset, Slow, Stall, Swallow
from tests.services.ports import free_port
from tests.services.rsyslog import Rsyslog

pytestmark = pytest.mark.xdist_group("services")  # what it needs of them it asks for by name
EVENTS = 600
IN_A_WINDOW = 60_000

FAULTS: dict[str, Callable[[], Fault]] = {
    "reset at once": lambda: Reset(sent=0),
    "reset in the first words": lambda: Reset(sent=40),
    "reset in a window": lambda: Reset(sent=IN_A_WINDOW),
    "closed at once": lambda: Close(sent=0),
    "closed in a window": lambda: Close(sent=IN_A_WINDOW),
    "half-closed in a window": lambda: HalfClose(sent=IN_A_WINDOW),
    "stalled at once": lambda: Stall(sent=0),
    "stalled in a window": lambda: Stall(sent=IN_A_WINDOW),
    "slow": lambda: Slow(sent=20_000, rate=100_000, seconds=0.5),
}
ANSWERS: dict[str, Callable[[], Fault]] = {
    "closed in the first answer": lambda: Close(answered=10),
    "closed in the answers": lambda: Close(answered=300),
    "no answer at all": lambda: Swallow(answered=0),
    "last answers swallowed": lambda: Swallow(sent=IN_A_WINDOW),
    "corrupt first answer": lambda: Corrupt(answered=0),
    "corrupt answer": lambda: Corrupt(sent=IN_A_WINDOW),
}
"""Faults in what the receiver says: over plain TCP it says nothing."""
TRANSACTION: dict[str, Callable[[], Fault]] = {
    "reset before it is written": lambda: Reset(sending=produces),
    "written, and no answer": lambda: Swallow(sending=produces),
    "reset before the commit": lambda: Reset(sending=ends_a_transaction),
    "committed, and no answer": lambda: Swallow(sending=ends_a_transaction),
    "stalled before the commit": lambda: Stall(sending=ends_a_transaction),
}
CONFIRMED = ("relp", "relp-tls", "kafka", "hec", "webhook", "bulk")
ANSWERING = ("tls", *CONFIRMED)
ALL = ("tcp", *ANSWERING)
CASES = [
    *((fault, make, ALL) for fault, make in FAULTS.items()),
    *((fault, make, ANSWERING) for fault, make in ANSWERS.items()),
    *((fault, make, ("kafka",)) for fault, make in TRANSACTION.items()),
    ("devoured in a window", lambda: Devour(sent=IN_A_WINDOW), CONFIRMED),
]


@pytest.fixture(scope="module")
def module_rsyslog(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Rsyslog]:
    with Rsyslog(tmp_path_factory.mktemp("rsyslog"), certificates) as daemon:
        yield daemon


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


@pytest.fixture
def kinds(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, module_rsyslog: Rsyslog, certificates: Certificates
) -> list[Kind]:
    """By the names that are the test's parameter. Patience is shorter than in earnest, whatever waits."""
    monkeypatch.setattr(connection, "_CONNECT_SECONDS", fault_kinds.TIMEOUT)
    monkeypatch.setattr(kafka_transport, "OPEN_SECONDS", 3.0)
    monkeypatch.setattr(kafka_transport, "WINDOW_SECONDS", 1.5)
    asked = request.getfixturevalue

    def made(name: str) -> Kind:
        match name:
            case "kafka":
                return fault_kinds.kafka(asked("kafka"))
            case "hec":
                return fault_kinds.hec(asked("collector"))
            case "webhook":
                return fault_kinds.webhook(asked("hooked"), asked("webhook_secret"))
            case "bulk":
                return fault_kinds.bulk(asked("opensearch"))
        return fault_kinds.syslog(name, module_rsyslog, certificates)

    return [made(name) for name in request.param]


async def holds(gate: Forwarding, kind: Kind, faults: int, *, destroys: bool) -> None:
    """What the guarantee says, after so many faults."""
    ledger = (await gate.status(kind.name)).ledger
    wanted = {str(event.id) for event in await gate.stored()}
    seen = await kind.settled(wanted)
    lost, twice = wanted - set(seen), seen.total() - len(seen)
    print(f"{kind.name}: {len(lost)} lost, {twice} twice")
    assert not set(seen) - wanted, "nothing arrives that was never stored"
    assert len(lost) <= (kind.most_lost * faults if destroys else 0), kind.name
    assert twice <= kind.most_twice * faults, kind.name
    assert ledger.balances
    assert (ledger.delivered, ledger.dead) == (len(wanted), 0), kind.name


@pytest.mark.parametrize(("fault", "make", "kinds"), CASES, indirect=["kinds"], ids=[case[0] for case in CASES])
async def test_what_was_stored_arrives(
    gate: Forwarding, kinds: list[Kind], fault: str, make: Callable[[], Fault]
) -> None:
    await gate.append(EVENTS)
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(FaultProxy(kind.port, kind.proxy)) for kind in kinds]
        for proxy in proxies:
            proxy.afflict(make)
        plans = [kind.plan(proxy.port) for kind, proxy in zip(kinds, proxies, strict=True)]
        await stack.enter_async_context(gate.running(*plans))
        for kind, proxy in zip(kinds, proxies, strict=True):
            await gate.until_done(kind.name)
            assert proxy.struck == 1, (kind.name, fault)
        await gate.append(30)
        for kind in kinds:
            assert (await gate.until_done(kind.name)).state is State.RUNNING
    for kind in kinds:
        await holds(gate, kind, 1, destroys=make().destroys)


@pytest.mark.parametrize("kinds", [ALL], indirect=True)
async def test_receivers_that_refuse_and_break_again_and_again(gate: Forwarding, kinds: list[Kind]) -> None:
    await gate.append(EVENTS)
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(FaultProxy(kind.port, kind.proxy)) for kind in kinds]
        plans = [kind.plan(proxy.port) for kind, proxy in zip(kinds, proxies, strict=True)]
        await stack.enter_async_context(gate.running(*plans))
        for kind, proxy in zip(kinds, proxies, strict=True):
            await gate.until_done(kind.name)
            await proxy.refuse()
        await gate.append(EVENTS)
        for kind, proxy in zip(kinds, proxies, strict=True):
            await gate.until(kind.name, lambda status: status.state is State.RETRYING)
            proxy.afflict(lambda: Reset(sent=IN_A_WINDOW), times=3)
            await proxy.listen()
        for kind, proxy in zip(kinds, proxies, strict=True):
            await gate.until_done(kind.name)
            assert proxy.struck == 3, kind.name
    for kind in kinds:
        await holds(gate, kind, 4, destroys=True)


async def test_datagrams_wait_for_somebody_to_listen(gate: Forwarding) -> None:
    """Best effort: the host says that nobody listens, and is believed; what was sent before may be gone."""
    port, received = free_port(), asyncio.Queue[bytes]()
    await gate.append(60)  # as many as a socket holds that nobody has read from yet
    async with gate.running(sink("out", "udp", format="rfc5424", address=f"127.0.0.1:{port}")):
        await gate.until("out", lambda status: status.state is State.RETRYING)

        class Receiver(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: object) -> None:
                received.put_nowait(data)

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            Receiver, local_addr=("127.0.0.1", port)
        )
        status = await gate.until_done("out")
        async with asyncio.timeout(PATIENCE):
            for _ in range(60):
                await received.get()
        transport.close()
    assert SyslogDatagrams.guarantee == status.guarantee == "best effort"
    assert status.ledger.delivered == 60
