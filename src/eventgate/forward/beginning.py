"""Where a sink begins that never ran: at the journal's beginning, now, or at a moment.

Touches the tables of sinks and cursors.
"""

from eventgate.clock import Clock
from eventgate.journal.cursors import START, Cursors, after_all_of
from eventgate.journal.reading import Journal
from eventgate.query.instants import EXPECTED, parse_instant
from eventgate.sinks.definition import SinkDefinition, reader
from eventgate.sinks.generations import Generations, Opening, Why

BEGINNING, NOW = "beginning", "now"


def fault_of(begin: str) -> str | None:
    """What is wrong with a configured beginning."""
    if begin in (BEGINNING, NOW) or parse_instant(begin):
        return None
    return f"expected {BEGINNING!r}, {NOW!r}, or {EXPECTED}, found {begin!r}"


async def begin(
    definition: SinkDefinition, cursors: Cursors, generations: Generations, journal: Journal, clock: Clock
) -> None:
    """Make the cursor of a sink that has none, and note what it skips as stored before it began.

    Raises Unavailable.
    """
    name = reader(definition.name)
    if definition.begin == BEGINNING or await cursors.known(name):
        return
    cursor = after_all_of(await _position(definition.begin, journal, clock))
    before = await journal.stored_upto(cursor)
    head = await journal.head()
    opening = Opening(0, Why.MOVED, cursor, 0, before, head.total - before, None)
    await generations.open(
        definition.name, opening, START, lambda connection, _: cursors.begin(name, cursor, within=connection)
    )


async def _position(begin: str, journal: Journal, clock: Clock) -> int:
    moment = parse_instant(begin)
    if moment is None:
        return (await journal.head()).position
    # With an offset, a moment may lie outside of the years that a timestamp holds; nothing was committed there.
    return await journal.position_before(min(max(moment.start, 0), clock.now_ms() + 1))
