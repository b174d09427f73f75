"""A real program run for a test: started on free loopback ports, stopped or killed by its own process id.

Touches the processes it started, their directory below the test's own, and nothing else on the machine.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.patience import PATIENCE
from tests.services.orphans import leave_no_orphan

TOOLS = Path(__file__).resolve().parents[2] / ".tools"


class MissingDaemon(RuntimeError):
    """The program is not on this machine; the message says which script brings it."""


def listens(port: int) -> bool:
    """True when somebody accepts TCP connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Daemon:
    """One program that can be started, stopped, killed and started again on the same files.

    A subclass sets ``command``. ``ready`` says whether it serves; ``start`` returns when it does. What the program
    prints goes to ``log``.
    """

    command: Sequence[str | Path]

    def __init__(
        self,
        name: str,
        directory: Path,
        ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.name = name
        self.directory = directory
        self.log = directory / f"{name}.log"
        self._ready = ready
        self._environment = {**os.environ, **(environment or {})}
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} does not run"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = leave_no_orphan(
                subprocess.Popen(
                    [str(word) for word in self.command],
                    cwd=self.directory,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        deadline = time.monotonic() + self._patience
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                tail = self.log.read_text(errors="replace")[-4000:]
                raise RuntimeError(f"{self.name} did not start:\n{tail}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it politely; kill it when it does not listen."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """``kill -9``, at once."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
