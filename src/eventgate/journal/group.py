"""A group of writes on its way to be committed: what is new in it, and in the end what became of each event.

Pure. Of an id that comes more than once the first is taken; the others turn out duplicates or conflicts of it.
"""

from collections.abc import Mapping, Sequence

from eventgate.journal.outcome import Appended, Outcome, Receipt, Status
from eventgate.journal.recent import Recent, Stored
from eventgate.journal.rows import Row


class Group:
    """The rows of some writes. ``fresh`` is what still has to be copied, sorted by (id, company).

    Every group in that one order, in every attempt: two groups with ids in common then wait for each other in one
    direction only, whichever partitions their rows lie in.
    """

    def __init__(self, writes: Sequence[Sequence[Row]], recent: Recent) -> None:
        self._writes = writes
        self._first: dict[bytes, Row] = {}
        for rows in writes:
            for row in rows:
                self._first.setdefault(row.key, row)
        self._known = recent.known(self._first.keys())
        self.new: dict[bytes, Stored] = {}
        self._receipt: Receipt | None = None
        wanted = self._first.keys() - self._known.keys() if self._known else self._first
        self.fresh = [self._first[key] for key in sorted(wanted)]

    def found(self, stored: Mapping[bytes, Stored]) -> None:
        """Take out what turned out to be stored already, by somebody else."""
        if stored:
            self._known.update(stored)
            self.fresh = [row for row in self.fresh if row.key not in stored]

    def committed(self, receipt: Receipt) -> None:
        """All that was fresh is stored now, as one batch in the order of ``fresh``."""
        position = receipt.position
        self.new = {row.key: (row.event.content_digest, position, index) for index, row in enumerate(self.fresh)}
        self._receipt = receipt
        self.fresh = []

    def outcomes(self) -> list[Appended]:
        """What became of each write, once nothing is fresh any more."""
        assert not self.fresh, "the group has not been committed"
        return [self._appended(rows) for rows in self._writes]

    def _appended(self, rows: Sequence[Row]) -> Appended:
        outcomes = []
        receipt = None
        for row in rows:
            stored = self.new.get(row.key)
            if stored is not None and self._first[row.key] is row:
                status = Status.ACCEPTED
                receipt = self._receipt
            else:
                stored = stored or self._known[row.key]
                status = Status.DUPLICATE if stored[0] == row.event.content_digest else Status.CONFLICT
            outcomes.append(Outcome(status, stored[1], stored[2]))
        return Appended(outcomes, receipt)
