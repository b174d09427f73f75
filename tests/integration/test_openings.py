"""A generation is noted, entered and answered as one: whatever is lost in between, each ledger balances."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventgate.db.pool import transaction
from eventgate.errors import Unavailable
from eventgate.journal.cursors import Cursor
from eventgate.sinks import generations
from eventgate.sinks.dead_letters import Letter
from eventgate.sinks.requests import Verb
from eventgate.sinks.store import SinkStatus
from tests.integration.forwarding import Forwarding, forwarding
from tests.integration.test_generations import ids, into, until_replayed

LETTERS = 40


@pytest.fixture
async def gate(pool: asyncpg.Pool, database_url: str) -> AsyncIterator[Forwarding]:
    async with forwarding(pool, database_url) as opened:
        yield opened


def fails_once(monkeypatch: pytest.MonkeyPatch, *, committed: bool, withdrawn: bool = False) -> None:
    """The next opening's transaction is lost, or only the word that it is committed.

    ``withdrawn``: whoever asked for it is gone as well.
    """

    @asynccontextmanager
    async def failing(pool: asyncpg.Pool) -> AsyncIterator[Any]:
        monkeypatch.setattr(generations, "transaction", transaction)
        try:
            async with transaction(pool) as connection:
                yield connection
                if not committed:
                    raise Unavailable("storage-unavailable", "away")
            raise Unavailable("storage-unavailable", "the answer was lost")
        finally:
            if withdrawn:
                await pool.execute("DELETE FROM sink_requests WHERE answered_at IS NULL")

    monkeypatch.setattr(generations, "transaction", failing)


async def dead_letters(gate: Forwarding) -> None:
    await gate.store(LETTERS, in_writes_of=10)
    await gate.until_done("out")  # a letter beyond the cursor is not delivered
    letters = [
        Letter(place, event.company, event.id, "no")
        for batch in await gate.stores.journal.read(Cursor(0, 0))
        for place, event in batch.placed()
    ]
    await gate.stores.letters.write("out", 0, letters)


def under_way(status: SinkStatus) -> bool:
    assert status.replay is None or status.replay.ledger.balances, status.replay
    return status.replay is not None and status.replay.ledger.delivered > 0 < status.replay.ledger.pending


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("verb", [Verb.REDRIVE, Verb.REWIND])
async def test_replacing_a_running_redrive_loses_no_letter_and_no_balance(
    gate: Forwarding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: Verb, committed: bool
) -> None:
    path, ask = tmp_path / "out", gate.stores.requests.ask
    position = 2 if verb is Verb.REWIND else None
    async with gate.running(into(path, replay_events_per_second=8)):
        await gate.until_done("out")
        await dead_letters(gate)
        await gate.until_done("out")
        assert (await ask("out", Verb.REDRIVE)).done
        await gate.until("out", under_way)
        fails_once(monkeypatch, committed=committed)
        # The loop begins anew from what the database says, and finds the request answered, or asks itself once more.
        answer = await ask("out", verb, position=position, replace=True, timeout=15)
        assert answer is not None
        assert answer.done
        status = await gate.until("out", lambda status: status.generation == 2)
        assert status.replay is not None
        assert status.replay.ledger.balances, status.replay
        assert await gate.pool.fetchval("SELECT count(*) FROM sink_requests WHERE answered_at IS NULL") == 0
    async with gate.running(into(path)):
        status = await until_replayed(gate, 2)
        assert status.replay is not None
        assert status.replay.ledger.balances
        if verb is Verb.REWIND:
            left = await gate.stores.letters.count("out", None, None)
            assert 0 < left < LETTERS
            assert (await ask("out", Verb.REDRIVE)).facts["events"] == left
            await until_replayed(gate, 3)
    assert await gate.stores.letters.count("out", None, None) == 0, "every letter went again"
    stored = [event.id for event in await gate.stored()]
    again = stored[20:] if verb is Verb.REWIND else []
    assert Counter(ids(path)) == Counter([*stored, *stored, *again]), "and each of them once"


async def test_an_opening_that_was_lost_leaves_the_redrive_as_it_was(
    gate: Forwarding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the process is killed in it, and nobody asks once more."""
    path, ask = tmp_path / "out", gate.stores.requests.ask
    async with gate.running(into(path, replay_events_per_second=8)):
        await dead_letters(gate)
        await gate.until_done("out")
        assert (await ask("out", Verb.REDRIVE)).done
        await gate.until("out", under_way)
        fails_once(monkeypatch, committed=False, withdrawn=True)
        assert await ask("out", Verb.REDRIVE, replace=True, timeout=1) is None
        assert generations.transaction is transaction, "it came to it"
    async with gate.running(into(path)):
        status = await until_replayed(gate)
    assert status.replay is not None
    assert (status.replay.ledger.delivered, status.replay.ledger.balances) == (LETTERS, True)
    stored = [event.id for event in await gate.stored()]
    assert Counter(ids(path)) == Counter([*stored, *stored])
