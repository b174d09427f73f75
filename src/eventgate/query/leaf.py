"""A value inside a JSON document, an event's data say, named by its path: a JSON string, number, or true and false.

Pure. A path goes through objects by key and through arrays by place; what is not there, is missing.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from eventgate.query.fieldtypes import ORDERS, Bind, FieldType, Predicate, equal_sql
from eventgate.query.literals import Scalar
from eventgate.query.shown import canonical_text

# What PostgreSQL's #> takes for a place in an array: whatever strtol reads to the end as a 32-bit integer.
_PLACE = re.compile(r"[ \t-\r]*[+-]?[0-9]+")
_INT32 = range(-(2**31) + 1, 2**31)

_EMPTY = """'null', '""', '[]', '{}'"""


class Leaf(FieldType):
    """The value at ``path`` in a jsonb ``column``; the type of the filter's value says which type can match."""

    name = "JSON value"
    expects = "a string in double quotes, a number, true or false"

    def __init__(self, path: tuple[str, ...], column: str) -> None:
        self.path = path
        self.column = column
        self._through_objects = not any(map(_PLACE.fullmatch, path))

    def find(self, value: Any) -> Any:
        """The value at the path, None where there is none."""
        for segment in self.path:
            match value:
                case dict():
                    value = value.get(segment)
                case list() if (place := _place(segment, len(value))) is not None:
                    value = value[place]
                case _:
                    return None
        return value

    def column_sql(self, bind: Bind) -> str:
        """The value as an SQL expression; by keys alone it is quicker than by a path that may lead through arrays."""
        if not self._through_objects:
            return f"({self.column} #> {bind(list(self.path), 'text[]')})"
        return f"({self.column}" + "".join(f" -> {bind(segment, 'text')}" for segment in self.path) + ")"

    def convert(self, value: Scalar) -> Scalar:
        return value

    def text(self, value: Any) -> str | None:
        return value if isinstance(value, str) else None

    def text_sql(self, column: str) -> str:
        return _text_sql(column)

    def equal(self, values: Sequence[Any]) -> Predicate:
        wanted = {(_json_type(value), value) for value in values}
        return lambda found: (kind := _json_type(found)) is not None and (kind, found) in wanted

    def equal_sql(self, column: str, values: Sequence[Any], bind: Bind) -> str:
        """The exact test, and containment before it for the index, which knows no places in arrays."""
        texts = [canonical_text(value) for value in values]
        exact = equal_sql(column, texts, "jsonb", bind)
        if not self._through_objects:
            return exact
        documents = [self._document(text) for text in texts]
        if len(documents) == 1:
            return f"{self.column} @> {bind(documents[0], 'jsonb')} AND {exact}"
        return f"{self.column} @> ANY({bind(documents, 'jsonb[]')}) AND {exact}"

    def compare(self, order: str, value: Any) -> Predicate:
        holds, kind = ORDERS[order], _json_type(value)
        return lambda found: _json_type(found) == kind and holds(found, value)

    def compare_sql(self, column: str, order: str, value: Any, bind: Bind) -> str:
        """Numbers compare as jsonb does; text must be taken out of it, for jsonb has the database's own collation."""
        kind = _json_type(value)
        if kind == "string":
            test = f'{_text_sql(column)} COLLATE "C" {order} {bind(value, "text")}'
        else:
            test = f"{column} {order} {bind(canonical_text(value), 'jsonb')}"
        return f"{test} AND {_is_sql(column, kind)}"

    def contains_sql(self, column: str, needles: Sequence[str], bind: Bind) -> str:
        return f"{super().contains_sql(column, needles, bind)} AND {_is_sql(column, 'string')}"

    def present(self) -> Predicate:
        return lambda found: found is not None and found not in ("", [], {})

    def present_sql(self, column: str) -> str:
        return f"{column} NOT IN ({_EMPTY})"

    def _document(self, leaf: str) -> str:
        for segment in reversed(self.path):
            leaf = f"{{{canonical_text(segment)}: {leaf}}}"
        return leaf


def _place(segment: str, length: int) -> int | None:
    """The index a path's segment means in an array of ``length``; negative ones count from its end."""
    if not _PLACE.fullmatch(segment):
        return None
    place = int(segment) if len(segment) < 40 else _INT32.stop
    if place not in _INT32 or not -length <= place < length:
        return None
    return place


def _json_type(value: Any) -> str | None:
    match value:
        case bool():
            return "boolean"
        case str():
            return "string"
        case int() | Decimal():
            return "number"
        case _:
            return None


def _text_sql(column: str) -> str:
    return f"({column} #>> '{{}}')"


def _is_sql(column: str, kind: str | None) -> str:
    """Asked after the value itself, which most often answers no already."""
    return f"jsonb_typeof({column}) = '{kind}'"
