"""Overload a gate for a while: the largest legal bodies, bombs, floods of small writes, all at once and unsigned too.

``python -m benchmarks.load.flood PORT FILE SECONDS`` with a file as replay.lua reads it; prints the answers by status.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

import uvloop

from benchmarks.load.pace import read

_CONNECTIONS = 64


async def _caller(port: int, requests: list[bytes], number: int, until: float, seen: Counter[str]) -> None:
    """Send one request after the other, on a new connection where the gate has closed the last one."""
    while time.monotonic() < until:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while time.monotonic() < until:
                writer.write(requests[number % len(requests)])
                number += _CONNECTIONS + 1
                head = await reader.readuntil(b"\r\n\r\n")
                seen[head[9:12].decode()] += 1
                length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length or 0))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            seen["closed"] += 1
        finally:
            writer.close()


async def _main(port: int, path: Path, seconds: float) -> Counter[str]:
    seen: Counter[str] = Counter()
    requests, until = read(path), time.monotonic() + seconds
    await asyncio.gather(*(_caller(port, requests, number, until, seen) for number in range(_CONNECTIONS)))
    return seen


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))))
