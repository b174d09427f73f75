"""What rsyslog and syslog-ng have in common: where they were unpacked, and reading back what they wrote.

Reads .tools/syslog, which scripts/install-syslog-daemons fills.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE
from tests.services.daemon import TOOLS, Daemon, MissingDaemon, listens
from tests.services.ports import free_port

ROOT = TOOLS / "syslog"


def program(name: str) -> Path:
    """The path of a daemon's program; MissingDaemon when it was never fetched."""
    path = ROOT / "usr" / "sbin" / name
    if not path.exists():
        raise MissingDaemon(f"{path} is missing: run scripts/install-syslog-daemons (make test does)")
    return path


def modules(pattern: str) -> Path:
    """The one directory of loadable modules that matches a pattern below usr/lib."""
    (directory,) = {path.parent for path in (ROOT / "usr" / "lib").glob(pattern)}
    return directory


def _environment() -> dict[str, str]:
    """Libraries that came with the daemons are found beside them."""
    directories = {path.parent for top in ("usr/lib", "lib") for path in (ROOT / top).rglob("lib*.so.*")}
    return {"LD_LIBRARY_PATH": ":".join(sorted(map(str, directories)))}


class SyslogReceiver(Daemon):
    """A syslog daemon with one port for each way in, writing what it receives as JSON lines.

    Every line has the members pri, timestamp, hostname, app_name, procid, msgid, structured_data, message and
    ``input``, the name of the port it came by.
    """

    def __init__(self, name: str, directory: Path, ports: Sequence[str]) -> None:
        self.ports = {port: free_port() for port in ports}
        self.output = directory / "received.jsonl"
        super().__init__(name, directory, self._serves, _environment())

    def _serves(self) -> bool:
        return all(listens(port) for name, port in self.ports.items() if name != "udp")

    def received(self) -> list[dict[str, Any]]:
        """What arrived so far, in order; a line still being written is left for the next look."""
        if not self.output.exists():
            return []
        whole, _, _ = self.output.read_bytes().rpartition(b"\n")
        return [json.loads(line) for line in whole.split(b"\n") if line]

    async def wait_for(self, count: int, timeout: float = PATIENCE) -> list[dict[str, Any]]:
        """What arrived, once there are at least so many; fails when the time is over."""
        deadline = time.monotonic() + timeout
        while len(messages := self.received()) < count:
            assert time.monotonic() < deadline, f"{self.name} received {len(messages)} of {count} messages"
            await asyncio.sleep(0.05)
        return messages
