"""What people want of a delivery loop: a row to ask, a row to answer, and a notification to look.

Touches PostgreSQL (the table sink_requests, and the desired state in sinks).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from eventgate.db.pool import transaction, translated
from eventgate.sinks.generations import Selection

CHANNEL = "eventgate_sinks"
_LOOK_SECONDS = 0.05
_KEPT_DAYS = 7


Note = Callable[[Any], Awaitable[None]]
"""Notes a change inside the transaction that makes it; it is given the connection."""


class Verb(StrEnum):
    """What may be asked."""

    PAUSE = "pause"
    RESUME = "resume"
    REWIND = "rewind"
    """Deliver again everything after a position; 0 is the beginning."""
    REDRIVE = "redrive"
    """Deliver again what became dead letters."""
    TEST = "test"
    """Send one event that is marked as a test."""
    PREVIEW = "preview"
    """Say what would be written of an event; nothing is sent."""


class Request(NamedTuple):
    """One wish. ``position`` goes with a rewind, ``selection`` with a redrive, and names a preview's one event.

    ``replace``: even if something is being delivered again already, which then ends where it is.
    """

    id: int
    sink: str
    verb: Verb
    position: int | None
    asked_by: UUID | None
    replace: bool = False
    selection: Selection | None = None


class Answer(NamedTuple):
    """What the loop did about it, in a sentence; ``facts`` are for programs."""

    done: bool
    detail: str
    facts: Mapping[str, Any] | None = None


class Requests:
    """Both ends of the table: ``ask`` for API and console, ``waiting`` and ``answer`` for the loop."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def ask(
        self,
        sink: str,
        verb: Verb,
        *,
        position: int | None = None,
        replace: bool = False,
        selection: Selection | None = None,
        asked_by: UUID | None = None,
        note: Note | None = None,
        timeout: float = 5.0,
    ) -> Answer | None:
        """Ask the loop and wait for its answer; None when it gave none in ``timeout`` seconds.

        ``note`` writes down who asks, in the transaction that asks: the loop does nothing that is not noted.

        To pause and to resume are states to be reached: they hold even if the loop answers too late. Anything else that
        nobody answered is withdrawn.
        """
        async with transaction(self._pool) as connection:
            if verb in (Verb.PAUSE, Verb.RESUME):
                await connection.execute(
                    "UPDATE sinks SET paused = $2, disabled = disabled AND $2 WHERE name = $1",
                    sink, verb is Verb.PAUSE,
                )  # fmt: skip
            number = await connection.fetchval(
                """INSERT INTO sink_requests (sink, verb, position, asked_by, replace_running, selection)
                   VALUES ($1, $2, $3, $4, $5, $6) RETURNING id""",
                sink, verb, position, asked_by, replace, _written(selection),
            )  # fmt: skip
            await connection.execute(
                "DELETE FROM sink_requests WHERE answered_at < now() - make_interval(days => $1)", _KEPT_DAYS
            )
            if note is not None:
                await note(connection)
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, sink)
        deadline = asyncio.get_running_loop().time() + timeout
        while asyncio.get_running_loop().time() < deadline:
            with translated():
                row = await self._pool.fetchrow(
                    "SELECT done, answer, facts FROM sink_requests WHERE id = $1 AND answered_at IS NOT NULL", number
                )
            if row:
                return Answer(row["done"], row["answer"], row["facts"] and json.loads(row["facts"]))
            await asyncio.sleep(_LOOK_SECONDS)
        with translated():
            await self._pool.execute("DELETE FROM sink_requests WHERE id = $1 AND answered_at IS NULL", number)
        return None

    async def waiting(self, sinks: Sequence[str]) -> list[Request]:
        """What nobody has answered yet, oldest first."""
        with translated():
            rows = await self._pool.fetch(
                """SELECT id, sink, verb, position, asked_by, replace_running, selection FROM sink_requests
                   WHERE answered_at IS NULL AND sink = ANY($1::text[]) ORDER BY id""",
                sinks,
            )
        return [
            Request(number, sink, Verb(verb), position, asked_by, replace, _read(selection))
            for number, sink, verb, position, asked_by, replace, selection in (row.values() for row in rows)
        ]

    async def answer(self, request: Request, answer: Answer, *, within: Any = None) -> None:
        """Answer a request, once; on the connection ``within``, in the transaction that does what was asked."""
        facts = None if answer.facts is None else json.dumps(answer.facts)
        with translated():
            await (within or self._pool).execute(
                """UPDATE sink_requests SET answered_at = now(), done = $2, answer = $3, facts = $4
                   WHERE id = $1 AND answered_at IS NULL""",
                request.id, answer.done, answer.detail, facts,
            )  # fmt: skip


def _written(selection: Selection | None) -> str | None:
    if selection is None:
        return None
    events = None if selection.events is None else [str(event) for event in selection.events]
    return json.dumps({"events": events, "company": selection.company and str(selection.company)})


def _read(text: str | None) -> Selection | None:
    if text is None:
        return None
    found = json.loads(text)
    events = None if found["events"] is None else [UUID(event) for event in found["events"]]
    return Selection(events, found["company"] and UUID(found["company"]))
