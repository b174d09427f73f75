"""The child's side: reads its order and later ones, runs its part of the service, ends when asked or when the parent is
gone.

Touches standard input and output and its own signals; everything else is app's.
"""

import asyncio
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager, suppress

import structlog
import uvloop

from eventgate.app.order import FORWARD, Order, Takes
from eventgate.errors import EventGateError, Unavailable
from eventgate.processes.child import TAKEN
from eventgate.telemetry import configure_logging

_RETRY_SECONDS = 1.0
PARENT = 0  # standard input: a pipe from the parent


async def _run(name: str, order: Order) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    orders = _Orders()
    loop.add_reader(PARENT, orders.look)
    async with _part(name, order) as take:
        _say("ready")
        taking = asyncio.create_task(_take(orders, take))
        await stop.wait()
        taking.cancel()
        with suppress(asyncio.CancelledError):
            await taking


class _Orders:
    """What the parent says after the first order, a line each."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._begun = b""

    def look(self) -> None:
        """The pipe says something. Its end says that the parent is gone, and nothing may keep the port: what is under
        way is crash-safe.
        """
        read = os.read(PARENT, 1 << 16)
        if not read:
            os._exit(1)
        *whole, self._begun = (self._begun + read).split(b"\n")
        for line in whole:
            self.waiting.put_nowait(line)


async def _take(orders: _Orders, take: Takes | None) -> None:
    """Take order after order, and say of each what became of it."""
    while True:
        line = await orders.waiting.get()
        try:
            if take is None:
                raise EventGateError("this process takes no new orders")  # noqa: TRY301 - answered like the others
            await take(Order.model_validate_json(line))
        except Unavailable as away:
            _say(f"{away.detail} The process tries again by itself.")
            await _take_at_last(line, orders, take)
        except EventGateError as error:
            _say(" ".join(str(error).split()))
        except Exception as error:  # noqa: BLE001 - a surprise must neither end the process nor leave the parent waiting
            structlog.get_logger().exception("new order not taken")
            _say(f"{type(error).__name__}, see the log")
        else:
            _say(TAKEN)


async def _take_at_last(line: bytes, orders: _Orders, take: Takes | None) -> None:
    """Take an order that came while the database was away, unless a newer one waits by then."""
    while take is not None and orders.waiting.empty():
        await asyncio.sleep(_RETRY_SECONDS)
        with suppress(Unavailable):
            await take(Order.model_validate_json(line))
            return


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _part(name: str, order: Order) -> AbstractAsyncContextManager[Takes | None]:
    """The part of that name; only its own rooms are loaded, since a worker needs no Kafka and forward no HTTP."""
    if name == FORWARD:
        from eventgate.app.forward import forward  # noqa: PLC0415 - see above

        return forward(order)
    from eventgate.app.worker import worker  # noqa: PLC0415 - see above

    return worker(order)


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
