"""What five sinks cost that one does not: the processor time of draining one journal into files.

The journal is read and decoded once whatever the number of sinks; each filters, formats and writes for itself. One, two
and five equal sinks drain the same events in turn, and the processor time of this process, which is what the forward
process would use, is compared. ``python -m benchmarks.five_sinks [EVENTS]``
"""

import statistics
import sys
import time

import uvloop

from benchmarks.draining import ROUNDS, Full, drained, full_journal
from benchmarks.report import row
from tests.integration.forwarding import sink

EVENTS = 40_000
SINKS = (1, 2, 5)


async def main(events: int) -> None:
    async with full_journal(events) as full:
        used: dict[int, list[float]] = {sinks: [] for sinks in SINKS}
        for turn in range(ROUNDS):
            for sinks, found in used.items():
                found.append(await _cost(full, events, sinks, f"turn-{turn}-of-{sinks}"))
                print(f"round {turn + 1}, {sinks} sinks: {found[-1]:.1f} µs of CPU an event", flush=True)
    one, two, five = (statistics.median(found) for found in used.values())
    row(
        f"processor time of five file sinks at once, {events:,} events each",
        f"{five:.1f} µs an event",
        f"one sink: {one:.1f} µs; two: {two:.1f} µs",
        five / one,
        "under 2.00",
    )


async def _cost(full: Full, events: int, sinks: int, name: str) -> float:
    """Microseconds of processor time for each event of the journal."""
    plans = [sink(f"{name}-{n}", "file", path=full.directory / f"{name}-{n}") for n in range(sinks)]
    used = time.process_time()
    await drained(full.gate, events, *plans)
    return (time.process_time() - used) / events * 1e6


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
