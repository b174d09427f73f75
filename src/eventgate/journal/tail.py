"""One reading of the journal for a whole process: decoded once, kept for a while, handed to any number of readers.

Touches the journal; owns a bounded amount of memory.
"""

from eventgate.journal.batch import Batch
from eventgate.journal.cursors import Cursor
from eventgate.journal.reading import Journal


class Tail:
    """Reads as ``Journal.read`` and ``Journal.wait`` do, from memory where a neighbour has just read the same."""

    def __init__(self, journal: Journal, *, max_bytes: int = 32 << 20) -> None:
        raise NotImplementedError

    async def read(self, after: Cursor, *, max_events: int = 5_000, max_bytes: int = 8 << 20) -> list[Batch]:
        raise NotImplementedError

    async def wait(self, position: int, timeout: float) -> bool:
        raise NotImplementedError
