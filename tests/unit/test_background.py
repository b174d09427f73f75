"""Work in the background: it begins and ends with its owner, comes round again, and a failure does not end it."""

import asyncio

import pytest
import structlog

from eventgate.background import Background, end, periodically
from eventgate.errors import Unavailable


class Endless(Background):
    def __init__(self) -> None:
        self.events: list[str] = []
        self.begun = asyncio.Event()

    async def _run(self) -> None:
        self.events.append("begun")
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.events.append("over")


async def test_it_goes_on_while_its_owner_is_entered() -> None:
    async with Endless() as work:
        await work.begun.wait()
        assert work.events == ["begun"]
    assert work.events == ["begun", "over"]


async def test_work_that_ends_by_a_surprise_is_logged_at_once() -> None:
    class Broken(Background):
        async def _run(self) -> None:
            raise KeyError("nobody foresaw this")

    with structlog.testing.capture_logs() as logged:
        async with Broken():
            while not logged:
                await asyncio.sleep(0)
    assert [(line["log_level"], line["work"]) for line in logged] == [("error", "Broken")]


@pytest.mark.parametrize(
    ("failure", "level"), [(Unavailable("storage-unavailable", "away"), "warning"), (KeyError("odd"), "error")]
)
async def test_what_fails_is_logged_and_tried_again(failure: Exception, level: str) -> None:
    outcomes: list[Exception | None] = [failure, None]
    again = asyncio.Event()

    async def work() -> None:
        if not outcomes:
            again.set()
        elif (outcome := outcomes.pop(0)) is not None:
            raise outcome

    with structlog.testing.capture_logs() as logged:
        running = asyncio.create_task(periodically(work, every=0, what="sweeping"))
        await asyncio.wait_for(again.wait(), 5)
        await end(running)
    assert [(line["event"], line["log_level"]) for line in logged] == [("sweeping failed", level)]


async def test_what_a_task_failed_with_does_not_disturb_its_end() -> None:
    async def fail() -> None:
        raise KeyError("told already")

    async def wait() -> None:
        await asyncio.Event().wait()

    tasks = asyncio.create_task(fail()), asyncio.create_task(wait())
    await asyncio.sleep(0)
    await end(*tasks)
    assert tasks[1].cancelled()
