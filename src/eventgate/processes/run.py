"""The child's side: reads its order, runs its part of the service, ends when asked or when the parent is gone.

Touches standard input and output and its own signals; everything else is app's.
"""

import asyncio
import os
import signal
import sys

import uvloop

from eventgate.app import Order, run_part
from eventgate.errors import EventGateError

PARENT = 0  # standard input: a pipe from the parent


async def _run(name: str, order: Order) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(PARENT, _orphaned)
    async with run_part(name, order):
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await stop.wait()


def _orphaned() -> None:
    """The pipe says something: the parent is gone, and nothing may keep the port. What is under way is crash-safe."""
    os._exit(1)


def main() -> None:
    """Run the part of the service that the first argument names."""
    order = Order.model_validate_json(_first_line())
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
