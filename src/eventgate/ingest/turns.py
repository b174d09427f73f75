"""Long work on the loop in short pieces: every other request gets its turn in between.

A thread would not do: parsing holds the interpreter's lock, and the loop would wait for it a switch interval at a time.
"""

import asyncio
from collections.abc import Generator
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

TURN_SECONDS = 0.002


async def in_turns(work: Generator[None, None, T]) -> T:
    """Run ``work`` to its end; wherever it yields and its turn is over, the loop goes round once."""
    over = perf_counter() + TURN_SECONDS
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        if perf_counter() > over:
            await asyncio.sleep(0)
            over = perf_counter() + TURN_SECONDS
