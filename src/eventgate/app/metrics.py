"""``/metrics``, of all processes, on a port of its own on the machine itself.

Touches that port.
"""

from contextlib import AsyncExitStack

from aiohttp import web

from eventgate.api.application import build_metrics_application
from eventgate.api.connection import Runner
from eventgate.api.health import Metrics


async def expose_metrics(stack: AsyncExitStack, port: int) -> None:
    """Answer until ``stack`` is left."""
    runner = Runner(build_metrics_application(Metrics(None).routes()))
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()
