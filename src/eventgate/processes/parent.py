"""The parent of a running EventGate: owns the data directory, supervises the database and the children.

    serve ── lock ── embedded PostgreSQL (its own session; dies with us)
               ├──── worker 1 … N       ingest and API, sharing the port (SO_REUSEPORT)
               └──── forward            the delivery loops and the housekeeping

Touches signals, the terminal and the processes; the rooms only through app.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import structlog

from eventgate.app.order import FORWARD, WORKER, Order
from eventgate.app.prepare import prepare
from eventgate.config import Configuration
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.errors import EventGateError
from eventgate.processes.child import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, METRICS_DIRECTORY, Child
from eventgate.processes.lock import DataDirectory
from eventgate.processes.port import demand_free
from eventgate.processes.reload import Reloading, Reread
from eventgate.processes.welcome import welcome

_FORWARD_PATIENCE_SECONDS = 15.0
_WORKER_GRACE_SECONDS = 10.0
"""What a worker gets after its drain to commit what waits and to let go of everything."""
_RETURN_LARGE_BUFFERS = {"MALLOC_MMAP_THRESHOLD_": str(256 << 10)}
"""For glibc: what a large body needed goes back to the system at once, and leaves no holes in the heap."""
_log = structlog.get_logger()


async def serve(configuration: Configuration, reread: Reread) -> None:
    """Run EventGate until SIGTERM or SIGINT, then drain: requests first, deliveries next, the database last.

    On SIGHUP take what ``reread`` returns, the configuration read again and checked, as far as a running one can.
    Raises AlreadyRunning, ConfigurationError, Unavailable and NotStarted, each with a sentence for the terminal.
    """
    http = configuration.http
    _cancel_on_signal()
    asked = _asked_by_hangup()
    with suppress(asyncio.CancelledError), DataDirectory(configuration.data, http.base_url) as held:
        demand_free(http.host, http.port)
        async with AsyncExitStack() as stack:
            url = configuration.database.url or await _start_database(stack, held.directory, configuration)
            await prepare(configuration, url)
            order = Order(configuration=configuration, database_url=url)
            forward = await _start_children(stack, order, held.directory)
            reloading = Reloading(order, reread, forward, held.directory)
            print(welcome(configuration), flush=True)  # noqa: T201 - said to the person at the terminal
            await reloading.run(asked)


def _cancel_on_signal() -> None:
    """Let the first SIGINT or SIGTERM cancel the running task, at whatever step it is; later ones find us draining."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "serve runs in a task"

    def stop() -> None:
        if not task.cancelling():
            _log.info("draining")
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def _asked_by_hangup() -> asyncio.Event:
    """Set by SIGHUP, at whatever step we are. One that comes because our terminal was closed stops us, as ever."""
    asked, at_terminal = asyncio.Event(), os.isatty(sys.stderr.fileno())

    def hear() -> None:
        if at_terminal and not os.isatty(sys.stderr.fileno()):
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            asked.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hear)
    return asked


async def _start_database(stack: AsyncExitStack, directory: Path, configuration: Configuration) -> str:
    postgres = EmbeddedPostgres(directory / "postgres", settings=configuration.database.settings)
    await stack.enter_async_context(postgres)
    _supervise(stack, _keep_database(postgres))
    return postgres.url


async def _keep_database(postgres: EmbeddedPostgres) -> None:
    """Start the database again whenever it ends; its address stays, so that the children find it again."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        status = await postgres.exited()
        _log.error("database ended", status=status, restart_in_seconds=pause)
        await asyncio.sleep(pause)
        try:
            await postgres.start()
        except (EventGateError, OSError) as error:
            _log.error("database did not start", error=str(error))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        else:
            pause = FIRST_PAUSE_SECONDS


async def _start_children(stack: AsyncExitStack, order: Order, directory: Path) -> Child:
    """Start the forward process, which is returned, and the workers, all at once; the workers drain before it stops."""
    metrics = directory / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)  # files of processes that are gone would be counted on
    metrics.mkdir()
    variables = {METRICS_DIRECTORY: str(metrics), **_RETURN_LARGE_BUFFERS}
    line = order.model_dump_json().encode()
    forward = Child(FORWARD, line, variables)
    workers = [Child(f"{WORKER}-{number + 1}", line, variables) for number in range(order.configuration.http.workers)]
    stack.push_async_callback(forward.stop, _FORWARD_PATIENCE_SECONDS)
    stack.push_async_callback(_stop_all, workers, order.configuration.http.drain_seconds + _WORKER_GRACE_SECONDS)
    children = [forward, *workers]
    await asyncio.gather(*(child.start() for child in children))
    for child in children:
        _supervise(stack, child.keep())
    return forward


async def _stop_all(children: list[Child], patience: float) -> None:
    await asyncio.gather(*(child.stop(patience) for child in children))


def _supervise(stack: AsyncExitStack, keeping: Coroutine[None, None, None]) -> None:
    """Run a keeper until the stack unwinds to here: from then on nothing is started again."""
    task = asyncio.create_task(keeping)

    async def leave() -> None:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(leave)
