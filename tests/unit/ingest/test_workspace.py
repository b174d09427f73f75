"""Room to work in: first come first served, given back, and never lost to somebody who left the queue."""

import asyncio

import pytest

from eventgate.ingest.workspace import GROWTH, Workspace


async def _entered(task: asyncio.Task[int]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return task.done()


async def test_there_is_room_until_there_is_none() -> None:
    workspace = Workspace(10 * GROWTH)
    first = await workspace.enter(6)
    await workspace.enter(4)
    third = asyncio.create_task(workspace.enter(1))
    assert not await _entered(third)
    workspace.leave(first)
    assert await _entered(third)


async def test_a_small_one_does_not_overtake_a_large_one() -> None:
    workspace = Workspace(10 * GROWTH)
    held = await workspace.enter(5)
    large = asyncio.create_task(workspace.enter(8))
    small = asyncio.create_task(workspace.enter(1))
    assert not await _entered(large)
    assert not await _entered(small)
    workspace.leave(held)
    assert await _entered(large)
    assert await _entered(small)


async def test_what_is_too_large_gets_everything() -> None:
    workspace = Workspace(10 * GROWTH)
    assert await workspace.enter(1_000) == 10 * GROWTH


@pytest.mark.parametrize("came", [False, True])
async def test_who_leaves_the_queue_takes_no_room_along(came: bool) -> None:
    workspace = Workspace(10 * GROWTH)
    held = await workspace.enter(10)
    gone = asyncio.create_task(workspace.enter(10))
    assert not await _entered(gone)
    if came:
        workspace.leave(held)  # its turn has come, and it has not heard of it yet
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    if not came:
        workspace.leave(held)
    async with asyncio.timeout(1):
        assert await workspace.enter(10) == 10 * GROWTH
