"""Certificates that change while events flow, towards a real rsyslog: used at a window's boundary, and nothing is lost.

The authority is replaced as it is done in earnest: both are trusted for a while, then each side gets a new certificate,
then the old authority goes.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from structlog.testing import capture_logs

from eventgate.forward.plan import Plan
from tests.integration.forwarding import Forwarding, forwarding, sink
from tests.services.certificates import Certificates
from tests.services.rsyslog import Rsyslog
from tests.unit.formats.strict_rfc5424 import params_of


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


def put(path: Path, *sources: Path) -> None:
    """Put files, one behind the other, in the place of one."""
    new = path.with_suffix(".new")
    new.write_bytes(b"".join(source.read_bytes() for source in sources))
    new.replace(path)


class Rotation:
    """An old authority and a new one, and the files that each side uses: copies of the old one's at first."""

    def __init__(self, directory: Path) -> None:
        for name in ("old", "new", "ours", "theirs"):
            (directory / name).mkdir()
        self.old, self.new = Certificates.make(directory / "old"), Certificates.make(directory / "new")
        self.ours, self.theirs = (self._copy(directory / name) for name in ("ours", "theirs"))

    def _copy(self, directory: Path) -> Certificates:
        copies = {name: directory / path.name for name, path in vars(self.old).items()}
        for name, path in copies.items():
            shutil.copy(getattr(self.old, name), path)
        return Certificates(**copies)

    def sink(self, transport: str, port: int) -> Plan:
        keys: dict[str, object] = {"tls": True} if transport == "relp" else {}
        keys |= {"ca_file": self.ours.ca, "certificate_file": self.ours.client, "key_file": self.ours.client_key}
        return sink("out", transport, format="rfc5424", address=f"localhost:{port}", **keys)


def local_ports(port: int) -> set[int]:
    """Where our side's connections to a port on this machine come from."""
    return {
        each.laddr.port
        for each in psutil.Process().net_connections("tcp")
        if each.raddr and each.raddr.port == port and each.status == psutil.CONN_ESTABLISHED
    }


@pytest.mark.parametrize(("transport", "port"), [("tls", "mutual_tls"), ("relp", "relp_tls")])
async def test_every_certificate_is_replaced_while_events_flow(
    gate: Forwarding, tmp_path: Path, transport: str, port: str
) -> None:
    rotation = Rotation(tmp_path)
    old, new, ours, theirs = rotation.old, rotation.new, rotation.ours, rotation.theirs
    with Rsyslog(tmp_path, theirs) as rsyslog, capture_logs() as logs:

        async def flows() -> None:
            """Some more events, all the way."""
            stored = await gate.store(200, in_writes_of=20)
            await gate.until_done("out")
            await rsyslog.wait_for(len(stored))

        def restart() -> None:
            rsyslog.stop()
            rsyslog.start()

        async with gate.running(rotation.sink(transport, rsyslog.ports[port])):
            await flows()
            put(theirs.ca, old.ca, new.ca)
            await asyncio.gather(asyncio.to_thread(restart), gate.append(200))
            await flows()

            first, before = local_ports(rsyslog.ports[port]), len(logs)
            put(ours.ca, old.ca, new.ca)
            await flows()
            assert local_ports(rsyslog.ports[port]).isdisjoint(first), "a new connection for the new files"
            put(ours.client, new.client)
            await flows()  # our certificate does not fit its key: the old pair is still good
            put(ours.client_key, new.client_key)
            await flows()
            assert not [line for line in logs[before:] if line.get("state") == "retrying"], "not seen as a failure"

            put(theirs.server, new.server)
            put(theirs.server_key, new.server_key)
            await asyncio.gather(asyncio.to_thread(restart), gate.append(200))
            await flows()
            put(ours.ca, new.ca)
            put(theirs.ca, new.ca)
            await asyncio.gather(asyncio.to_thread(restart), gate.append(200))
            await flows()
            ours.ca.write_text("-----BEGIN NOTHING-----")
            await flows()
            await flows()
        status = await gate.until_done("out")
        received = rsyslog.received()
    said = [line["event"] for line in logs if "changed files" in line["event"]]
    unusable = "changed files cannot be used, going on with the old"
    assert said == ["changed files read", unusable, *["changed files read"] * 2, unusable]
    seen = Counter(params_of(line["structured_data"])["id"] for line in received)
    assert set(seen) == {str(event.id) for event in await gate.stored()}
    assert status.ledger.delivered == len(seen)
    # A receiver that was stopped three times may have taken what it never acknowledged.
    assert seen.total() - len(seen) <= 3 * (128 if transport == "relp" else 1000)
