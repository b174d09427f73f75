"""Owning a reader: one at a time, by lease and epoch; cursor and totals move together or not at all."""

import asyncio

import asyncpg
import pytest

from eventgate.journal.cursors import START, Cursor, Cursors, NotOwner, Standing, Totals, drop_reader

FURTHER = Standing(Cursor(7, 3), Totals(10, 2, 1, 4), 5)


async def test_a_new_reader_starts_at_the_beginning(pool: asyncpg.Pool) -> None:
    cursors = Cursors(pool)
    assert await cursors.look("kafka") == START
    claimed = await cursors.claim("kafka", "here", 10)
    assert claimed is not None
    assert claimed[1] == START


async def test_what_was_saved_is_found_again(pool: asyncpg.Pool) -> None:
    cursors = Cursors(pool)
    claimed = await cursors.claim("kafka", "here", 10)
    assert claimed
    await cursors.save(claimed[0], FURTHER)
    assert await cursors.look("kafka") == FURTHER
    await cursors.release(claimed[0])
    again = await cursors.claim("kafka", "there", 10)
    assert again is not None
    assert again[1] == FURTHER


async def test_one_of_many_claims_wins(pool: asyncpg.Pool) -> None:
    cursors = Cursors(pool)
    claims = await asyncio.gather(*(cursors.claim("kafka", f"owner {number}", 10) for number in range(5)))
    assert sum(claim is not None for claim in claims) == 1


async def test_a_lapsed_lease_is_taken_over_and_its_former_owner_shut_out(pool: asyncpg.Pool) -> None:
    cursors = Cursors(pool)
    former = await cursors.claim("kafka", "here", 0.01)
    assert former
    await asyncio.sleep(0.05)
    latter = await cursors.claim("kafka", "there", 10)
    assert latter
    with pytest.raises(NotOwner):
        await cursors.save(former[0], FURTHER)
    with pytest.raises(NotOwner):
        await cursors.renew(former[0], 10)
    await cursors.release(former[0])
    assert await cursors.look("kafka") == START
    await cursors.save(latter[0], FURTHER)
    assert await cursors.look("kafka") == FURTHER


async def test_a_restart_of_the_same_installation_takes_over_at_once(pool: asyncpg.Pool) -> None:
    cursors = Cursors(pool)
    killed = await cursors.claim("kafka", "here", 60)
    restarted = await cursors.claim("kafka", "here", 60)
    assert killed
    assert restarted
    assert await cursors.claim("kafka", "there", 60) is None
    with pytest.raises(NotOwner):
        await cursors.save(killed[0], FURTHER)


async def test_a_renewed_lease_keeps_others_out(pool: asyncpg.Pool) -> None:
    cursors = Cursors(pool)
    mine = await cursors.claim("kafka", "here", 0.01)
    assert mine
    await cursors.renew(mine[0], 60)
    await asyncio.sleep(0.05)
    assert await cursors.claim("kafka", "there", 60) is None


async def test_forgetting_a_reader_that_is_no_more(pool: asyncpg.Pool) -> None:
    cursors = Cursors(pool)
    mine = await cursors.claim("old", "here", 60)
    assert mine
    await cursors.save(mine[0], FURTHER)
    async with pool.acquire() as connection:
        assert not await drop_reader(connection, "old"), "somebody owns it"
        assert await cursors.look("old") == FURTHER
        await cursors.release(mine[0])
        assert await drop_reader(connection, "old")
        assert await drop_reader(connection, "old"), "there is nothing to drop, which is as well"
    assert await cursors.look("old") == START
