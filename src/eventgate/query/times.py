"""Fields that hold a moment: a written minute is its second 0 in order, and the whole minute in equality.

Pure. The event's own time is the time of its id, so that what is asked of the one is asked of the other's index.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from eventgate.ids import first_id
from eventgate.query.fieldtypes import Bind, FieldType, IdRange, Predicate, any_of
from eventgate.query.instants import EXPECTED, Span, parse_instant
from eventgate.query.literals import Malformed, Scalar

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The first and the last millisecond of the years 1 to 9999, which are all that a datetime holds.
_OLDEST, _NEWEST = -62_135_596_800_000, 253_402_300_799_999


class Instant(FieldType):
    """Moments in milliseconds; a value is a Span. Order looks at its start, equality at the whole of it."""

    name = "time"
    expects = EXPECTED

    def convert(self, value: Scalar) -> Span:
        if isinstance(value, str) and (span := parse_instant(value)):
            return span
        raise Malformed(0, f"expected {self.expects}")

    def read(self, text: str) -> Span:
        bare = text.strip()
        if span := parse_instant(bare):
            return span
        if parse_instant(bare.strip('"')):
            raise Malformed(0, f"a date or time stands without quotes: {bare.strip(chr(34))}")
        raise Malformed(0, f"expected {self.expects}")

    def equal(self, values: Sequence[Any]) -> Predicate:
        return lambda found: any(span.start <= found < span.end for span in values)

    def equal_sql(self, column: str, values: Sequence[Any], bind: Bind) -> str:
        return any_of([self._within_sql(column, span.start, span.end, bind) for span in values])

    def compare(self, order: str, value: Any) -> Predicate:
        return super().compare(order, value.start)

    def compare_sql(self, column: str, order: str, value: Any, bind: Bind) -> str:
        return self._within_sql(column, *_span(order, value), bind)

    def _within_sql(self, column: str, start: int | None, end: int | None, bind: Bind) -> str:
        sides = ((">=", start), ("<", end))
        return " AND ".join(f"{column} {order} {self.bound(at, bind)}" for order, at in sides if at is not None)

    def bound(self, ms: int, bind: Bind) -> str:
        """A moment as a parameter that the column compares with."""
        return bind(_EPOCH + timedelta(milliseconds=max(_OLDEST, min(ms, _NEWEST))), "timestamptz")


class OwnTime(Instant):
    """The time of the thing itself, which is that of its id: what is asked of one is asked of the other's index."""

    def bound(self, ms: int, bind: Bind) -> str:
        return bind(first_id(ms), "uuid")

    def ids_equal(self, values: Sequence[Any]) -> IdRange:
        return IdRange(first_id(min(span.start for span in values)), first_id(max(span.end for span in values)))

    def ids_compare(self, order: str, value: Any) -> IdRange:
        start, end = _span(order, value)
        return IdRange(None if start is None else first_id(start), None if end is None else first_id(end))


def _span(order: str, value: Span) -> tuple[int | None, int | None]:
    """The half-open range of milliseconds that an order selects."""
    at = value.start
    return {"<": (None, at), "<=": (None, at + 1), ">": (at + 1, None), ">=": (at, None)}[order]
