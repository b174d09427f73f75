"""A whole EventGate for a test: ``eventgate serve`` as people start it, on a free loopback port.

Touches the processes it started and the directory it was given.
"""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from tests.patience import PATIENCE
from tests.services.orphans import leave_no_orphan
from tests.services.ports import free_port

COMMAND = ["-m", "eventgate", "serve"]


class Serving:
    """One installation on ``directory``; ``start`` and ``stop`` as often as wanted, with the same data and port.

    ``user`` is the user id to run as; ``ca`` the authority of its certificate where the configuration names one.
    Everything it prints is in ``log``.
    """

    def __init__(
        self, directory: Path, *, config: str = "", workers: int = 1, user: int | None = None,
        variables: Mapping[str, str] | None = None, ca: Path | None = None,
    ) -> None:  # fmt: skip
        self.data = directory / "data"
        self.log = directory / "serve.log"
        self.port = free_port()
        self.url = f"{'https' if ca else 'http'}://127.0.0.1:{self.port}"
        self._tls = ssl.create_default_context(cafile=ca) if ca else None
        self._config = directory / "eventgate.toml"
        self._config.write_text(config)
        self._workers = workers
        self._user = user
        self._variables = {**os.environ, **(variables or {})}
        self._interpreter = sys.executable
        if user is not None and not _can_run(user, sys.executable):  # it lives in somebody's home directory
            self._interpreter = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
            self._variables["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def command(self) -> list[str]:
        told = {"data": self.data, "port": self.port, "config": self._config, "workers": self._workers}
        return [self._interpreter, *COMMAND, *(f"--{name}={value}" for name, value in told.items())]

    def start(self) -> None:
        """Start it in a process group of its own and wait until it can accept writes."""
        self.launch()
        self.wait_until(lambda: "Ctrl-C stops it." in self.said()[self._said_before :])
        self.wait_until(self.ready)

    def launch(self) -> None:
        self._said_before = len(self.said())
        options: dict[str, Any] = (
            {} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": []}
        )
        with self.log.open("ab") as log:
            self.process = leave_no_orphan(
                subprocess.Popen(self.command, stdout=log, stderr=log, process_group=0, env=self._variables, **options)
            )

    def stop(self, how: signal.Signals = signal.SIGTERM, patience: float = PATIENCE) -> int:
        """Send ``how`` to the parent alone and wait; the exit status."""
        assert self.process is not None, "it was never started"
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def ready(self) -> bool:
        return self.get("/readyz") == 200

    def get(self, path: str) -> int:
        """The status of one GET; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5, context=self._tls) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    def wait_until(self, holds: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Ask again and again; fails with what EventGate said."""
        deadline = time.monotonic() + patience
        while not holds():
            assert self.process is not None
            ended = self.process.poll()
            if ended is not None or time.monotonic() > deadline:
                why = f"it ended with {ended}" if ended is not None else f"not within {patience} s"
                raise AssertionError(f"{why}:\n{self.said()}")
            time.sleep(0.05)

    def said(self) -> str:
        """Everything printed so far, of all its runs."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def bootstrap(self) -> dict[str, str]:
        return json.loads((self.data / "bootstrap.json").read_text())

    @property
    def pid(self) -> int:
        assert self.process is not None, "it was never started"
        return self.process.pid

    def children(self) -> dict[str, int]:
        """The pids of the children by name: worker-1, forward, postgres."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                if stat.read_text().rpartition(")")[2].split()[1] == str(self.pid):
                    words = (stat.parent / "cmdline").read_bytes().rstrip(b"\0").split(b"\0")
                    name = "postgres" if words[0].endswith(b"/postgres") else words[-1].decode()
                    found[name] = int(stat.parent.name)
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found


def _can_run(user: int, program: str) -> bool:
    asked = subprocess.run(["/usr/bin/test", "-x", program], user=user, group=user, extra_groups=[], check=False)
    return asked.returncode == 0


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
