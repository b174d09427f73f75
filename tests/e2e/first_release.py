"""A data directory as the first release left it: its five migrations, and rows as its processes wrote them.

Touches the directory it is given and the PostgreSQL that it runs there. What later releases put into these tables
(lanes, receipts, who changed what) is in none of the statements here.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
from argon2 import PasswordHasher

from benchmarks.rows import Site
from eventgate.access.first_start import bootstrap
from eventgate.clock import SystemClock
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.migrate import migrate, migrations
from eventgate.db.pool import open_pool
from eventgate.event import Event
from eventgate.ids import uuid7
from eventgate.journal import payload
from eventgate.journal.rows import COLUMNS, copy_body, pack
from eventgate.sensors import register

BATCHES, EVENTS = 30, 20
"""So many batches of so many events each."""
_MIGRATIONS = 5
_PASSED_OVER = 4  # payloads of so many batches were gone already
_APPEND = "CALL journal_append($1, $2, $3, $4, $5, $6, $7)"
_SINK = """
INSERT INTO sinks
    (name, company, filter, format, transport, guarantee, configured, paused, state, last_error, failed_at)
VALUES ($1, $2, $3, 'json', $4, $5, $6, $7, $8, $9::text, CASE WHEN $9::text IS NULL THEN NULL ELSE now() END)
"""
_CURSOR = """
INSERT INTO cursors (reader, epoch, generation, position, index, delivered, filtered, dead, expired)
VALUES ('sink:' || $1, 7, $2, $3, $4, $5, $6, $7, 0)
"""


@dataclass
class Left:
    """What was in it. ``events`` are in the journal's order, batch by batch; every third batch is another company's.

    ``note`` is what the broker kept for the Kafka sink, in its consumer group ``group``.
    """

    events: list[list[Event]]
    company: UUID
    reject: UUID
    dead: Event
    group: str
    note: str

    def of(self, company: UUID | None, after: int = 0) -> list[str]:
        """The ids of one company's events, or of all, that came after a position."""
        return [
            str(event.id) for batch in self.events[after:] for event in batch if company in (None, event.company)
        ]  # fmt: skip


async def leave(data: Path, url: str, tmp_path: Path) -> Left:
    """Make it at ``data``; ``url`` is where its gate was reached.

    Of the sinks, ``file`` has come to position 12 and gave up one event, ``moved`` was once rewound to 5 and has come
    to 18, ``own`` is the first company's and has come to 6, ``quiet`` is paused at 3, ``gone`` is no longer configured,
    ``new`` never ran. Kafka's is at 9 by the broker, and by the copy here at 8.
    """
    for migration in migrations()[:_MIGRATIONS]:
        (tmp_path / f"{migration.number:04}_{migration.name}.sql").write_text(migration.sql)
    data.mkdir(mode=0o755)
    async with EmbeddedPostgres(data / "postgres") as postgres:
        await migrate(postgres.url, tmp_path)
        pool = await open_pool(postgres.url, size=1)
        try:
            made = await bootstrap(pool, data, url, register, SystemClock())
            assert made is not None
            await pool.execute("UPDATE api_keys SET api_version = '2026-11-22'")
            await pool.execute("UPDATE users SET password_hash = $1", PasswordHasher().hash(made.admin_password))
            return await _fill(
                pool, UUID(made.company_id), UUID(made.edge_id), (UUID(made.key_id), UUID(made.verify_key_id))
            )
        finally:
            await pool.close()


async def _fill(pool: asyncpg.Pool, company: UUID, edge: UUID, keys: tuple[UUID, UUID]) -> Left:
    other, clock = uuid4(), SystemClock()
    await pool.execute("INSERT INTO companies (id, name, id_secret) VALUES ($1, 'Second', $2)", other, bytes(32))
    elsewhere = uuid4()
    await register(pool, other, elsewhere, "EG-9001")
    sites = [_site(company, edge, keys), _site(other, elsewhere, (uuid4(), uuid4()))]
    batches, start = [], clock.now_ms() - 2 * 86_400_000
    for number in range(BATCHES):
        written = sites[number % 3 // 2].write(start + number * 3_600_000, EVENTS, step_ms=7_000)
        batches.append(await _append(pool, 1 + number, written))
    await pool.execute("SELECT setval('journal_batch', 33)")
    await pool.execute("DELETE FROM journal_payloads WHERE position <= $1", _PASSED_OVER)

    index, dead = next((n, event) for n, event in enumerate(batches[9]) if (event.severity or 0) > 3)  # "file" wants it
    everyone: list[str] = []
    for name, owner, filters, transport, guarantee, configured, paused, state, error in (
        ("file", None, ["severity·>·3"], "file", "confirmed", True, False, "running", None),
        ("moved", None, everyone, "file", "confirmed", True, False, "retrying", "the disk was full"),
        ("own", company, everyone, "file", "confirmed", True, False, "running", None),
        ("quiet", None, everyone, "file", "confirmed", True, True, "paused", None),
        ("gone", None, everyone, "relp", "confirmed", False, False, "stopped", None),
        ("kafka", None, everyone, "kafka", "exactly once", True, False, "running", None),
    ):
        await pool.execute(_SINK, name, owner, filters, transport, guarantee, configured, paused, state, error)
    passed = [event for batch in batches[:12] for event in batch]
    taken = sum(1 for event in passed if (event.severity or 0) > 3 and event is not dead)
    last = EVENTS - 1
    for name, generation, position, delivered, filtered, died in (
        ("file", 0, 12, taken, len(passed) - taken - 1, 1),
        ("moved", 1, 18, 13 * EVENTS, 0, 0),
        ("own", 0, 6, 4 * EVENTS, 2 * EVENTS, 0),
        ("quiet", 0, 3, 3 * EVENTS, 0, 0),
        ("gone", 0, 2, 2 * EVENTS, 0, 0),
        ("kafka", 0, 8, 8 * EVENTS, 0, 0),
    ):
        await pool.execute(_CURSOR, name, generation, position, last, delivered, filtered, died)
    await pool.execute(
        "INSERT INTO sink_generations (sink, generation, before, replay_until) VALUES ('moved', 1, $1, 11)", 5 * EVENTS
    )
    await pool.execute(
        """INSERT INTO dead_letters (sink, generation, position, index, company, event, reason)
           VALUES ('file', 0, 10, $1, $2, $3, 'it is too long')""",
        index, dead.company, dead.id,
    )  # fmt: skip
    await pool.execute(
        """INSERT INTO sink_requests (sink, verb, position, answered_at, done, answer)
           VALUES ('moved', 'rewind', 5, now(), true, 'rewound'), ('quiet', 'pause', NULL, now(), true, 'paused')"""
    )
    reject = uuid7(clock.now_ms())
    await pool.execute(
        "INSERT INTO rejects VALUES ($1, $2, $3, 'req-1', 4, 'invalid-event', $4, $5)",
        reject, company, keys[0],
        json.dumps([{"pointer": "/alertCode", "code": "required", "detail": "missing"}]), b'{"message":"?"}',
    )  # fmt: skip
    journal = await pool.fetchval("SELECT id FROM journal_origin")
    digest = await pool.fetchval("SELECT digest FROM journal WHERE position = 9")
    return Left(batches, company, reject, dead, f"eventgate-{journal}-kafka", _note(journal, digest))


def _note(journal: UUID, digest: bytes) -> str:
    """What stood beside the consumer group's offset: its version 1."""
    place, totals = (9, EVENTS - 1), (9 * EVENTS, 0, 0, 0)
    told = {"version": 1, "journal": str(journal), "generation": 0, "cursor": place, "totals": totals}
    told |= {"digest": digest.hex(), "partitions": 1, "delivered_upto": None, "lost": False}
    return json.dumps(told, separators=(",", ":"))


def _site(company: UUID, edge: UUID, keys: tuple[UUID, UUID]) -> Site:
    site = Site(1, 1, seed=company.int)
    site.companies, site.sensors, site.keys = [company], {company: [edge]}, {company: keys}
    return site


async def _append(pool: asyncpg.Pool, batch: int, events: list[Event]) -> list[Event]:
    """One group commit; its events in the order that they were stored in."""
    rows = sorted(pack(events), key=lambda row: row.key)
    stored = [row.event for row in rows]
    body = bytes(copy_body(batch, rows))
    contents = hashlib.sha256(b"".join(event.content_digest for event in stored)).digest()
    async with pool.acquire() as connection, connection.transaction():
        await connection.copy_to_table(
            "events", source=io.BytesIO(body), columns=COLUMNS.split(", "), format="binary"
        )  # fmt: skip
        await connection.execute(
            _APPEND, batch, len(stored), len(body), contents, stored[0].id, stored[-1].id, payload.encode(stored)
        )
    return stored
