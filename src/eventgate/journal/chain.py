"""The hash chain over the journal, recomputed: whether what is stored is what was committed, and where it is not.

Three witnesses are held against each other: the journal's rows with their digests, the payloads, and the events table.
What retention has dropped cannot be held against anything, and is counted. Touches PostgreSQL, reading only.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import asyncpg
import orjson

from eventgate.db.pool import Row
from eventgate.event import Event, Origin
from eventgate.ids import first_id
from eventgate.journal import payload
from eventgate.journal.content import canonical, content_digest
from eventgate.journal.partitions import partitions_of
from eventgate.journal.reading import payloads_of
from eventgate.journal.stored_rows import COLUMNS, event_of
from eventgate.journal.times import ms_of
from eventgate.query.shown import shown_data, shown_text

_EVENTS_AT_ONCE = 10_000
_BREAKS_TOLD = 20


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that is not as it was committed; ``index`` is None where it is the whole batch."""

    position: int
    index: int | None
    detail: str


@dataclass(slots=True)
class Verdict:
    """What a verification found. It holds when there is no break; the first ones are told, all are counted.

    ``without_payload`` batches were checked by their events alone. ``expired`` events are gone by retention; the digest
    of a batch with such events and without payload is taken as given.
    """

    first: int = 0
    last: int = 0
    events: int = 0
    without_payload: int = 0
    expired: int = 0
    broken: int = 0
    breaks: list[Break] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.broken == 0

    def broke(self, position: int, index: int | None, detail: str) -> None:
        """Count a break."""
        self.broken += 1
        if len(self.breaks) < _BREAKS_TOLD:
            self.breaks.append(Break(position, index, detail))


def link(previous: bytes, position: int, digests: Sequence[bytes]) -> bytes:
    """The digest of a batch: SHA-256(previous, position, events, SHA-256(content digests)), numbers big-endian."""
    contents = hashlib.sha256(b"".join(digests)).digest()
    return hashlib.sha256(previous + position.to_bytes(8, "big") + len(digests).to_bytes(4, "big") + contents).digest()


async def verify(connection: asyncpg.Connection, progress: Callable[[int], None] = lambda _position: None) -> Verdict:
    """Recompute the chain from its beginning to the head, as one snapshot shows them, and compare all three witnesses.

    ``progress`` hears the position reached every now and then.
    """
    verdict = Verdict()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        origin = await connection.fetchrow("SELECT position, total, digest FROM journal_origin")
        days = await partitions_of(connection, "events")
        oldest = first_id(ms_of(days[0].begins)) if days else None
        position, total, digest = origin
        verdict.first = position + 1
        async for rows in _chunks(connection, position):
            payloads = await payloads_of(connection, rows)
            stored = await _stored(connection, rows)
            for row in rows:
                if row["position"] != position + 1:
                    verdict.broke(position + 1, None, f"the journal goes on with {row['position']}")
                position, total = row["position"], total + row["events"]
                if row["total"] != total:
                    verdict.broke(position, None, f"counts {row['total']} events so far where {total} were stored")
                    total = row["total"]
                may_be_gone = oldest is None or row["first_id"] < oldest
                digests = _digests(verdict, row, payloads.get(position), stored.get(row["batch"], []), may_be_gone)
                if digests is not None and link(digest, position, digests) != row["digest"]:
                    verdict.broke(position, None, "the digest does not follow from the one before and the events")
                digest = row["digest"]
            verdict.last = position
            progress(position)
        strangers = await connection.fetchval(
            "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT FROM journal j WHERE j.batch = e.batch)"
        )
        if strangers:
            verdict.broke(position, None, f"{strangers} events belong to no batch of the journal")
    return verdict


def _digests(
    verdict: Verdict, row: Row, body: bytes | None, stored: Sequence[Row], may_be_gone: bool
) -> list[bytes] | None:
    """Check one batch; the content digests that its chain digest must follow from, None where they are gone."""
    position, count = row["position"], row["events"]
    verdict.events += count
    rows = {record["index"]: record for record in stored}
    gone = [index for index in range(count) if index not in rows]
    if not may_be_gone:
        for index in gone:
            verdict.broke(position, index, "the event is not in the events table")
    if len(stored) > count - len(gone):
        verdict.broke(position, None, f"the events table holds {len(stored)} events of {count}")
    if body is None:
        verdict.without_payload += 1
        verdict.expired += len(gone)
        return None if gone else [rows[index]["content_digest"] for index in range(count)]
    try:
        events = payload.decode(body)
    except ValueError as error:
        verdict.broke(position, None, str(error))
        return None
    if len(events) != count:
        verdict.broke(position, None, f"the payload holds {len(events)} events of {count}")
    for index, event in enumerate(events):
        if event.origin is Origin.SENSOR and _content(event) != event.content_digest:
            verdict.broke(position, index, "the accepted bytes do not have the digest they were stored under")
        differing = _differing(event, event_of(rows[index])) if index in rows else []
        if differing:
            verdict.broke(position, index, f"payload and events table differ in {', '.join(differing)}")
    return [event.content_digest for event in events]


def _content(event: Event) -> bytes | None:
    try:
        return content_digest(event.sensor, canonical(orjson.loads(event.raw)))
    except orjson.JSONDecodeError:
        return None


def _differing(accepted: Event, row: Event) -> list[str]:
    """The names of the fields in which an event and its row do not say the same."""
    shown = accepted._replace(
        message=accepted.message and shown_text(accepted.message),
        code=accepted.code and shown_text(accepted.code),
        event_id=accepted.event_id and shown_text(accepted.event_id),
    )
    names = [
        name for name in Event._fields if name not in {"data", "raw"} and getattr(shown, name) != getattr(row, name)
    ]
    if orjson.loads(shown_data(accepted.data)) != orjson.loads(row.data):
        names.append("data")
    return names


async def _chunks(connection: asyncpg.Connection, after: int) -> AsyncIterator[list[Row]]:
    """The journal's rows after a position, so many at a time that their events fit into memory."""
    while True:
        rows = await connection.fetch(
            """WITH ahead AS (SELECT * FROM journal WHERE position > $1 ORDER BY position LIMIT 1000)
               SELECT * FROM (SELECT *, sum(events) OVER (ORDER BY position) AS upto FROM ahead) counted
               WHERE upto <= $2 OR upto = events ORDER BY position""",
            after, _EVENTS_AT_ONCE,
        )  # fmt: skip
        if not rows:
            return
        yield rows
        after = rows[-1]["position"]


async def _stored(connection: asyncpg.Connection, rows: Sequence[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = {row["batch"]: [] for row in rows}
    records = await connection.fetch(
        # Only names of columns, ours, stand in the text (S608); values are parameters.
        f"SELECT {COLUMNS} FROM events WHERE batch = ANY ($1::bigint[]) AND id BETWEEN $2 AND $3",  # noqa: S608
        list(found), min(row["first_id"] for row in rows), max(row["last_id"] for row in rows),
    )  # fmt: skip
    for record in records:
        found[record["batch"]].append(record)
    return found
