"""Send requests at a steady pace whatever the answers take, and time each from the moment it was due.

``python -m benchmarks.load.pace PORT FILE RATE`` with a file as replay.lua reads it; prints one line of JSON.
"""

import asyncio
import json
import sys
import time
from collections import deque
from pathlib import Path
from statistics import quantiles
from typing import cast

import uvloop

_CONNECTIONS = 64


class _Connection(asyncio.Protocol):
    """One connection with one request under way at a time."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._due = 0.0
        self._answer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own are no subclass
        self._load.idle(self)

    def send(self, due: float, request: bytes) -> None:
        self._due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, _, body = self._answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not length or len(body) < int(length):
            return
        self._load.answered(self._answer.startswith(b"HTTP/1.1 201"), time.perf_counter() - self._due)
        self._answer = b""
        self._load.idle(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._load.broken(error)


class _Load:
    def __init__(self, requests: list[bytes], rate: float) -> None:
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._idle: deque[_Connection] = deque()
        self._requests = requests
        self._rate = rate
        self._refused = 0
        self._times: list[float] = []
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def idle(self, connection: _Connection) -> None:
        if self._waiting:
            connection.send(*self._waiting.popleft())
        else:
            self._idle.append(connection)

    def answered(self, stored: bool, seconds: float) -> None:
        self._times.append(seconds)
        self._refused += not stored
        if len(self._times) == len(self._requests):
            self._done.set_result(None)

    def broken(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("the gate closed a connection"))

    async def run(self, port: int) -> dict[str, float]:
        loop = asyncio.get_running_loop()
        for _ in range(_CONNECTIONS):
            await loop.create_connection(lambda: _Connection(self), "127.0.0.1", port)
        start = time.perf_counter()
        for number, request in enumerate(self._requests):
            due = start + number / self._rate
            while (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(min(left, 0.001))
            if self._idle:
                self._idle.popleft().send(due, request)
            else:
                self._waiting.append((due, request))
        await self._done
        cuts = quantiles(self._times, n=100)
        return {
            "p50": cuts[49] * 1000,
            "p99": cuts[98] * 1000,
            "under_25_ms": sum(seconds < 0.025 for seconds in self._times) / len(self._times),
            "refused": self._refused,
        }


def read(path: Path) -> list[bytes]:
    whole, requests, at = path.read_bytes(), [], 0
    while at < len(whole):
        size = int.from_bytes(whole[at : at + 4], "big")
        requests.append(whole[at + 4 : at + 4 + size])
        at += 4 + size
    return requests


if __name__ == "__main__":
    port, path, rate = int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])

    async def _main() -> dict[str, float]:
        return await _Load(read(path), rate).run(port)

    print(json.dumps(uvloop.run(_main())))
