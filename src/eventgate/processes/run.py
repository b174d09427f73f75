"""The child's side: reads its order, runs its part of the service, ends when asked or when the parent is gone.

Touches standard input and output and its own signals; everything else is app's.
"""

import asyncio
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager

import uvloop

from eventgate.app.order import FORWARD, Order
from eventgate.errors import EventGateError
from eventgate.telemetry import configure_logging

PARENT = 0  # standard input: a pipe from the parent


async def _run(name: str, order: Order) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(PARENT, _orphaned)
    async with _part(name, order):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await stop.wait()


def _part(name: str, order: Order) -> AbstractAsyncContextManager[None]:
    """The part of that name; only its own rooms are loaded, since a worker needs no Kafka and forward no HTTP."""
    if name == FORWARD:
        from eventgate.app.forward import forward  # noqa: PLC0415 - see above

        return forward(order)
    from eventgate.app.worker import worker  # noqa: PLC0415 - see above

    return worker(order)


def _orphaned() -> None:
    """The pipe says something: the parent is gone, and nothing may keep the port. What is under way is crash-safe."""
    os._exit(1)


def main() -> None:
    """Run the part of the service that the first argument names."""
    order = Order.model_validate_json(_first_line())
    configure_logging(order.configuration.log.level, order.configuration.log.style)
    try:
        uvloop.run(_run(sys.argv[1], order))
    except EventGateError as error:
        sys.exit(f"{sys.argv[1]}: {error}")


def _first_line() -> bytes:
    """Read up to the line's end and not a byte more: the rest of the pipe is for the loop to watch."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(PARENT, 1)
        if not byte:
            sys.exit("started without an order; `eventgate serve` starts this process")
        line += byte
    return bytes(line)


if __name__ == "__main__":
    main()
