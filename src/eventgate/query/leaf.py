"""A value inside an event's data, named by its path: a JSON string, number, or true and false.

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

_SQL_TYPES = {"string": "text", "number": "numeric", "boolean": "boolean"}
_EMPTY = """'null', '""', '[]', '{}'"""


class Leaf(FieldType):
    """The value at ``path``; the type of the filter's value says which type of value can match."""

    name = "JSON value"
    expects = "a string in double quotes, a number, true or false"

    def __init__(self, path: tuple[str, ...]) -> None:
        self.path = path
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

    def convert(self, value: Scalar) -> Scalar:
        return value

    def text(self, value: Any) -> str | None:
        return value if isinstance(value, str) else None

    def text_sql(self, column: str) -> str:
        return _as_sql(column, "string")

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
            return f"data @> {bind(documents[0], 'jsonb')} AND {exact}"
        return f"data @> ANY({bind(documents, 'jsonb[]')}) AND {exact}"

    def compare(self, order: str, value: Any) -> Predicate:
        holds, kind = ORDERS[order], _json_type(value)
        return lambda found: _json_type(found) == kind and holds(found, value)

    def compare_sql(self, column: str, order: str, value: Any, bind: Bind) -> str:
        kind = _json_type(value)
        assert kind is not None, "a filter's value is a scalar"
        collation = ' COLLATE "C"' if kind == "string" else ""
        return f"{_as_sql(column, kind)}{collation} {order} {bind(value, _SQL_TYPES[kind])}"

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


def _as_sql(column: str, kind: str) -> str:
    """The column as a value of SQL's own, NULL where it holds another type."""
    return f"(CASE jsonb_typeof({column}) WHEN '{kind}' THEN ({column} #>> '{{}}')::{_SQL_TYPES[kind]} END)"
