"""The one table of operators: what each is called, which types it fits, what it takes, and what it means.

Pure. Parser, matcher, SQL, the OpenAPI document and the console's drop-downs all read this table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from eventgate.query.fieldtypes import EVERY_ID, Bind, FieldType, Identifier, IdRange, Number, Predicate, Text
from eventgate.query.leaf import Leaf
from eventgate.query.literals import Malformed
from eventgate.query.times import Instant


class Takes(Enum):
    """What stands after the second middle dot."""

    ONE = "one value"
    MANY = "a JSON array of 1 to 100 values"
    NOTHING = "no value"


Values = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator. ``values`` holds what the filter gave: one, many or none.

    ``ids`` are the bounds it puts on the thing's own id, where it puts any. ``pins`` says that it names
    the only values that match, so that a search may go to each of them directly. ``reads`` is the type
    its values have where that is not the field's own: a part of an identifier is text.
    """

    name: str
    fits: tuple[type[FieldType], ...]
    takes: Takes
    meaning: str
    match: Callable[[FieldType, Values], Predicate]
    sql: Callable[[FieldType, str, Values, Bind], str]
    ids: Callable[[FieldType, Values], IdRange] = lambda _type, _values: EVERY_ID
    pins: bool = False
    reads: FieldType | None = None

    def fits_type(self, field_type: FieldType) -> bool:
        return isinstance(field_type, self.fits)

    def read(self, field_type: FieldType, text: str) -> Values:
        """Read what stands after the second middle dot; raises Malformed."""
        reader = self.reads or field_type
        match self.takes:
            case Takes.ONE:
                return (reader.read(text),)
            case Takes.MANY:
                return reader.read_many(text)
            case Takes.NOTHING:
                if text.strip():
                    raise Malformed(0, f"{self.name} takes no value")
                return ()


_ANY = (Text, Number, Identifier, Instant, Leaf)
_ORDERED = (Number, Instant, Text, Identifier, Leaf)
_TEXTUAL = (Text, Identifier, Leaf)


def _equality(name: str, takes: Takes, meaning: str) -> Operator:
    return Operator(
        name, _ANY, takes, meaning,
        match=lambda t, values: t.equal(values),
        sql=lambda t, column, values, bind: t.equal_sql(column, values, bind),
        ids=lambda t, values: t.ids_equal(values),
        pins=True,
    )  # fmt: skip


def _substring(name: str, takes: Takes, meaning: str) -> Operator:
    return Operator(
        name, _TEXTUAL, takes, meaning,
        match=lambda t, values: t.contains(values),
        sql=lambda t, column, values, bind: t.contains_sql(column, values, bind),
        reads=Text(),
    )  # fmt: skip


def _order(name: str, order: str, fits: tuple[type[FieldType], ...], meaning: str) -> Operator:
    return Operator(
        name, fits, Takes.ONE, meaning,
        match=lambda t, values: t.compare(order, values[0]),
        sql=lambda t, column, values, bind: t.compare_sql(column, order, values[0], bind),
        ids=lambda t, values: t.ids_compare(order, values[0]),
    )  # fmt: skip


def _not_equal(field_type: FieldType, values: Values) -> Predicate:
    equal = field_type.equal(values)
    return lambda found: not equal(found)


OPERATORS = {
    operator.name: operator
    for operator in (
        _equality("is", Takes.ONE, "is exactly this value; a date without seconds means its whole minute"),
        _equality("isAnyOf", Takes.MANY, "is one of these values"),
        Operator(
            "not", _ANY, Takes.ONE, "is not this value, or is missing",
            match=_not_equal,
            sql=lambda t, column, values, bind: f"({t.equal_sql(column, values, bind)}) IS NOT TRUE",
        ),
        _substring("contains", Takes.ONE, "has this text in it, ignoring ASCII case, every character as it is"),
        Operator(
            "isNotEmpty", _ANY, Takes.NOTHING, 'is neither missing nor null, "", [] or {}',
            match=lambda t, _values: t.present(),
            sql=lambda t, column, _values, _bind: t.present_sql(column),
        ),
        _order(">", ">", _ORDERED, "is greater than this value; text by code point"),
        _order("<", "<", _ORDERED, "is less than this value; text by code point"),
        _order("isBefore", "<", (Instant,), "is before this moment; a date without seconds means its second 0"),
        _order("isAfter", ">", (Instant,), "is after this moment; a date without seconds means its second 0"),
        _order("isOnOrBefore", "<=", (Instant,), "is this moment or before it"),
        _order("isOnOrAfter", ">=", (Instant,), "is this moment or after it"),
        _substring("containsAny", Takes.MANY, "has one of these texts in it, ignoring ASCII case"),
    )
}  # fmt: skip
