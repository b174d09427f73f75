"""Run wrk over requests that were made beforehand, and read what it measured."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_SCRIPT = Path(__file__).with_name("replay.lua")


class Measured(NamedTuple):
    """``answers`` in ``seconds``; ``refused`` were no success; ``used`` is the part of the requests that were sent."""

    answers: int
    seconds: float
    refused: int
    broken: int
    used: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return (self.answers - self.refused) / self.seconds


def demand_wrk() -> None:
    if shutil.which("wrk") is None:
        sys.exit("These benchmarks need the load generator wrk: apt-get install wrk")


def replay(url: str, prefix: Path, *, seconds: int, threads: int = 1, connections: int = 64) -> Measured:
    """Send the requests of ``prefix`` for so many seconds over so many connections that each wait for their answer."""
    command = [
        "wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
        "-s", str(_SCRIPT), f"{url}/v2/events", "--", str(prefix),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured = Measured(**json.loads(done.stdout.splitlines()[-1]))
    if measured.used > 1:
        print(f"the requests ran out ({measured.used:.2f}): some were sent twice", file=sys.stderr)
    if measured.refused or measured.broken:
        print(f"{measured.refused} writes refused, {measured.broken} connections broken", file=sys.stderr)
    return measured
