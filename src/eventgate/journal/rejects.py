"""Rejects: events of a verified write that were not accepted, kept for a while with what was wrong with them.

Touches the table ``rejects``. They are no part of the journal: nobody is promised to find them again.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg
import orjson

from eventgate.clock import Clock
from eventgate.db.pages import fetch_page
from eventgate.db.pool import Row, translated
from eventgate.errors import FieldError
from eventgate.ids import first_id, uuid7, uuid7_ms
from eventgate.query.paging import Page, PageRequest
from eventgate.query.shown import shown_data

KEPT_BYTES = 4_096
"""How much is kept of an event as it was sent."""

_COLUMNS = ("id", "company", "key", "request_id", "index", "code", "problems", "body")


class Rejected(NamedTuple):
    """One event that was not accepted: its place in the write, its text as sent, and everything wrong with it."""

    index: int  # type: ignore[assignment]  # a tuple has a method of that name, which nobody wants of a reject
    body: bytes
    problems: Sequence[FieldError]


class KeptReject(NamedTuple):
    """A reject as it is listed; ``rejected_at`` is in milliseconds since the epoch."""

    id: UUID
    rejected_at: int
    key: UUID
    request_id: str
    index: int  # type: ignore[assignment]  # see above
    problems: Sequence[FieldError]
    body: bytes


class Rejects:
    """Keep rejects and list them, newest first. Every call raises Unavailable where the database is away."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def keep(self, company: UUID, key: UUID, request_id: str, rejected: Sequence[Rejected]) -> None:
        """Keep the rejects of one write."""
        now = self._clock.now_ms()
        rows = [
            (uuid7(now), company, key, request_id, index, problems[0].code, _text(problems), body[:KEPT_BYTES])
            for index, body, problems in rejected
        ]
        with translated():
            async with self._pool.acquire() as connection:
                await connection.executemany(
                    # Only names of columns, ours, stand in the text (S608); values are parameters.
                    f"INSERT INTO rejects ({', '.join(_COLUMNS)}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",  # noqa: S608
                    rows,
                )

    async def page(self, company: UUID, asked: PageRequest) -> Page[KeptReject]:
        """A company's rejects, newest first."""
        return (await fetch_page(self._pool, "*", "rejects WHERE company = $1", (company,), asked)).of(_kept)

    async def forget(self, *, older_than_ms: int, at_most: int) -> None:
        """Delete the rejects from before a moment, and the oldest beyond so many."""
        with translated():
            await self._pool.execute(
                """DELETE FROM rejects WHERE id < greatest(
                       $1::uuid, (SELECT id FROM rejects ORDER BY id DESC OFFSET $2 - 1 LIMIT 1))""",
                first_id(older_than_ms), at_most,
            )  # fmt: skip


def _text(problems: Sequence[FieldError]) -> str:
    """As JSON text, without U+0000, which PostgreSQL cannot hold and a pointer or detail may quote."""
    return shown_data(orjson.dumps(list(problems))).decode()


def _kept(row: Row) -> KeptReject:
    problems = [FieldError(**one) for one in orjson.loads(row["problems"])]
    return KeptReject(
        row["id"], uuid7_ms(row["id"]), row["key"], row["request_id"], row["index"], problems, row["body"]
    )
