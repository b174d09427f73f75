"""One child process, seen from the parent: started, ready, stopped, and started again when it falls over.

Touches a process, its standard input (the order, then a pipe whose end tells the child that we are gone) and its
standard output (a line when it is ready, and one for each new order).
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress

import structlog
from prometheus_client.multiprocess import mark_process_dead

from eventgate.db.lifeline import dies_with_parent
from eventgate.errors import EventGateError

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""A child that lived this long is forgiven its falls: the next pause is the first one again."""

TAKE_SECONDS = 30.0
"""What a child gets to take a new order: the loops that stop for it end within ten."""
TAKEN = "taken"
"""What a child says of a new order that it has taken; anything else is what is wrong with it."""

METRICS_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The variable under which the metrics of several processes find together."""

_log = structlog.get_logger()


class NotStarted(EventGateError):
    """A child ended before it was ready; what it said is on standard error."""


class Child:
    """A child with a role, run by ``python -m eventgate.processes.run``; ``order`` is the line it reads at first."""

    def __init__(self, name: str, order: bytes, variables: Mapping[str, str]) -> None:
        self.name = name
        self._order = order
        self._variables = {**os.environ, **variables}
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._talking = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises NotStarted."""
        async with self._talking:
            await self._start()

    async def _start(self) -> None:
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "eventgate.processes.run",
            self.name,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._variables,
            process_group=0,  # Ctrl-C reaches the parent alone, which decides who stops when
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(ConnectionError):  # it died at once; the missing line below says so
            process.stdin.write(self._order + b"\n")
            await process.stdin.drain()
        if await process.stdout.readline() != b"ready\n":
            status = await process.wait()
            raise NotStarted(f"the process {self.name!r} ended with status {status} before it was ready")

    async def tell(self, order: bytes) -> str | None:
        """Give it a new order, which every later start reads too. Returns None once it has taken it, or else why not.

        A child that does not run, or is silent for too long, takes it later.
        """
        self._order = order
        async with self._talking:
            process = self._process
            if process is None or process.returncode is not None:
                return f"the process {self.name!r} is being started again, and takes it then"
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                async with asyncio.timeout(TAKE_SECONDS):
                    process.stdin.write(order + b"\n")
                    await process.stdin.drain()
                    answer = (await process.stdout.readline()).decode(errors="replace").strip()
            except TimeoutError:
                # Its answer may come yet and would be taken for the next one's: start afresh, with the newest order.
                process.kill()
                return f"the process {self.name!r} was silent for {TAKE_SECONDS:.0f} s and is started again"
            except ConnectionError:
                answer = ""
        if answer == TAKEN:
            return None
        return answer or f"the process {self.name!r} ended meanwhile, and takes it when it is started again"

    async def keep(self) -> None:
        """Start it again whenever it ends, after a pause that doubles, until ``stop``."""
        loop = asyncio.get_running_loop()
        pause, born = FIRST_PAUSE_SECONDS, loop.time()
        while True:
            assert self._process is not None, "start comes first"
            status = await self._process.wait()
            self._forget_gauges(self._process.pid)
            if self._stopping:
                return
            if loop.time() - born > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            _log.error("process ended", process=self.name, status=status, restart_in_seconds=pause)
            await asyncio.sleep(pause)
            pause, born = min(2 * pause, LONGEST_PAUSE_SECONDS), loop.time()
            with suppress(NotStarted):
                await self.start()

    def _forget_gauges(self, pid: int) -> None:
        """What a process that is gone said of its present state holds no more; its counters stay counted."""
        mark_process_dead(pid, self._variables[METRICS_DIRECTORY])  # type: ignore[no-untyped-call]  # it has no types

    async def stop(self, patience: float) -> None:
        """Ask it to finish what is under way, wait ``patience`` seconds at most, then kill it."""
        self._stopping = True
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            _log.error("process killed", process=self.name, after_seconds=patience)
            self._process.kill()
            await self._process.wait()
