"""What one search may see, as SQL: a company, the kinds asked for, and a query.

Touches nothing. Built once for a search and asked window by window, so that PostgreSQL sees one statement.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from eventgate.alerts.windows import Window
from eventgate.event import Kind, SensorNames
from eventgate.query import Query

_MAX_VISITS = 100
"""Up to so many sensors or codes are visited one by one, each along its own index."""

_TYPES = {"sensor": "uuid", "code": "text"}


class Scope:
    """The rows a search may see. The first three parameters are the company and the window's ends."""

    def __init__(
        self, company: UUID, query: Query, names: Mapping[UUID, SensorNames], kinds: Sequence[Kind] = tuple(Kind)
    ) -> None:
        self.company = company
        self.where = query.where(names, first_parameter=4)
        self._parameters: list[object] = list(self.where.values)
        self._tests = ["company = $1", "id >= $2", "id < $3"]
        if self.where.text:
            self._tests.append(self.where.text)
        if len(kinds) < len(Kind):
            self._tests.append(f"kind IN ({', '.join(str(int(kind)) for kind in kinds)})")
        pins: dict[str, Sequence[object]] = {}
        if self.where.sensors is not None:
            pins["sensor"] = self.where.sensors
        if self.where.codes is not None:
            pins["code"] = self.where.codes
        # Of two pins the shorter one leads to the fewest visits; the longer one is a test on the way.
        self._visits: tuple[str, str] | None = None
        for column in sorted(pins, key=lambda column: len(pins[column]), reverse=True):
            self._pin(column, pins[column])

    @property
    def conditions(self) -> str:
        """All of it as one WHERE, for counting and for reading on without end."""
        visited = [] if self._visits is None else [f"{self._visits[0]} = ANY({self._visits[1]})"]
        return " AND ".join([*self._tests, *visited])

    def parameters(self, window: Window) -> list[object]:
        """What ``conditions`` needs; a further parameter comes after them."""
        return [self.company, window.low, window.high, *self._parameters]

    @property
    def next_parameter(self) -> int:
        """The number of the first parameter after ``parameters``."""
        return len(self._parameters) + 4

    def ordered(self, columns: str, *, newest_first: bool) -> str:
        """SELECT in the order of ids; its limit is the one parameter after ``parameters``."""
        tail = f"ORDER BY id {'DESC' if newest_first else 'ASC'} LIMIT ${self.next_parameter}"
        tests = " AND ".join(self._tests)
        if self._visits is None:
            return f"SELECT {columns} FROM events WHERE {tests} {tail}"  # noqa: S608 - values are parameters
        # One short index scan for each value; = ANY would read and sort all that match.
        column, values = self._visits
        each = f"SELECT {columns} FROM events WHERE {tests} AND {column} = visited.value {tail}"  # noqa: S608 - as above
        # Put together of our own SQL (S608); every value in it is a numbered parameter.
        return f"SELECT found.* FROM unnest({values}) AS visited (value) CROSS JOIN LATERAL ({each}) AS found {tail}"  # noqa: S608

    def _pin(self, column: str, allowed: Sequence[object]) -> None:
        """Allow a column these values only; of two pins, the last is the one to visit."""
        if self._visits is not None:
            self._tests.append(f"{self._visits[0]} = ANY({self._visits[1]})")
            self._visits = None
        several = len(allowed) != 1
        self._parameters.append(list(allowed) if several else allowed[0])
        placeholder = f"${len(self._parameters) + 3}::{_TYPES[column]}"
        if not several:
            self._tests.append(f"{column} = {placeholder}")
        elif len(allowed) > _MAX_VISITS:
            self._tests.append(f"{column} = ANY({placeholder}[])")
        else:
            self._visits = (column, f"{placeholder}[]")
