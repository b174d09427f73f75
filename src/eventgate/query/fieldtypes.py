"""What a field can hold, and how each type is read, asked in memory and asked in SQL.

Pure. Every question is put twice, to a value in memory and to a column, and both select the same rows.
A missing value (None, NULL) and a value of another type answer no.
"""

import operator
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from eventgate.query.literals import BareWord, Malformed, Scalar, quote, read_array, read_scalar

Predicate = Callable[[Any], bool]
Bind = Callable[[object, str], str]
"""Takes a parameter's value and SQL type, answers its placeholder."""

ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

_SMALLINT = range(-(2**15), 2**15)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_LIKE_ESCAPES = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})
_INDEXABLE = re.compile(r"[^\W_]{3}|[^\W_]{2}[\W_]|[\W_][^\W_]")
"""What a trigram can be taken of: three letters or digits in a row, the end of a word, the beginning of one.

PostgreSQL takes words apart as "  word "; of a needle without any trigram it would read the whole index.
"""


class IdRange(NamedTuple):
    """Which ids can match: from ``low`` up to, not including, ``high``; None is no bound."""

    low: UUID | None
    high: UUID | None


EVERY_ID = IdRange(None, None)


def fold(text: str) -> str:
    """Lower the ASCII letters and no others, as ``lower(… COLLATE "C")`` does."""
    return text.encode().lower().decode()


class FieldType:
    """The questions every type answers. ``order`` is a key of ORDERS; a column is an SQL expression."""

    name: str
    expects: str

    def convert(self, value: Scalar) -> Any:
        """Make a value of this type of what the filter says; raises Malformed."""
        raise NotImplementedError

    def read(self, text: str) -> Any:
        return self.convert(read_scalar(text))

    def read_many(self, text: str) -> Sequence[Any]:
        return [self.convert(value) for value in read_array(text)]

    def text(self, value: Any) -> str | None:
        """What ``contains`` looks into; None where the value is no text."""
        return None if value is None else str(value)

    def text_sql(self, column: str) -> str:
        return f"{column}::text"

    def equal(self, values: Sequence[Any]) -> Predicate:
        return frozenset(values).__contains__

    def equal_sql(self, column: str, values: Sequence[Any], bind: Bind) -> str:
        raise NotImplementedError

    def compare(self, order: str, value: Any) -> Predicate:
        holds = ORDERS[order]
        return lambda found: found is not None and holds(found, value)

    def compare_sql(self, column: str, order: str, value: Any, bind: Bind) -> str:
        raise NotImplementedError

    def present(self) -> Predicate:
        return lambda found: found is not None

    def present_sql(self, column: str) -> str:
        return f"{column} IS NOT NULL"

    def contains(self, needles: Sequence[str]) -> Predicate:
        folded = [fold(needle) for needle in needles]

        def found(value: Any) -> bool:
            text = self.text(value)
            if text is None:
                return False
            haystack = fold(text)
            return any(needle in haystack for needle in folded)

        return found

    def contains_sql(self, column: str, needles: Sequence[str], bind: Bind) -> str:
        """By strpos, which the planner takes to match often, and so reads in order until there is enough."""
        haystack = f'lower({self.text_sql(column)} COLLATE "C")'
        return any_of([f"strpos({haystack}, {bind(fold(needle), 'text')}) > 0" for needle in needles])

    def ids_equal(self, values: Sequence[Any]) -> IdRange:  # noqa: ARG002 - most types say nothing about ids
        """Bounds that ``equal`` puts on the thing's own id."""
        return EVERY_ID

    def ids_compare(self, order: str, value: Any) -> IdRange:  # noqa: ARG002 - as above
        """Bounds that ``compare`` puts on the thing's own id."""
        return EVERY_ID


class Text(FieldType):
    """Strings, compared by code point (COLLATE "C")."""

    name = "text"
    expects = "a string in double quotes"

    def convert(self, value: Scalar) -> str:
        if not isinstance(value, str):
            raise Malformed(0, f"expected {self.expects}: {quote(written(value))}")
        return value

    def text_sql(self, column: str) -> str:
        return column

    def equal_sql(self, column: str, values: Sequence[Any], bind: Bind) -> str:
        return equal_sql(column, values, "text", bind)

    def compare_sql(self, column: str, order: str, value: Any, bind: Bind) -> str:
        return f"{column} {order} {bind(value, 'text')}"

    def present(self) -> Predicate:
        return bool

    def present_sql(self, column: str) -> str:
        return f"{column} <> ''"


class Words(Text):
    """Strings with a text index on them, and so with statistics that tell rare words from common ones."""

    def contains_sql(self, column: str, needles: Sequence[str], bind: Bind) -> str:
        """By LIKE where the index can help, else by an expression that keeps the planner away from it."""
        folded = [fold(needle) for needle in needles]
        if not all(map(_INDEXABLE.search, folded)):
            return super().contains_sql(column, needles, bind)
        patterns = [f"%{needle.translate(_LIKE_ESCAPES)}%" for needle in folded]
        return any_of([f'lower({column} COLLATE "C") LIKE {bind(pattern, "text")}' for pattern in patterns])


class CanonicalJson(Text):
    """A whole JSON object, as the text that jsonb prints."""

    def present(self) -> Predicate:
        return lambda found: found is not None and found != "{}"

    def present_sql(self, column: str) -> str:
        return f"{column} <> '{{}}'"


class Number(FieldType):
    """Small integers; a value between two of them is legal and matches as arithmetic says."""

    name = "number"
    expects = "a number"

    def read(self, text: str) -> Decimal:
        try:
            return self.convert(read_scalar(text))
        except BareWord as word:
            raise Malformed(word.at, f"expected {self.expects}, like 5") from None

    def convert(self, value: Scalar) -> Decimal:
        if not isinstance(value, Decimal):
            raise Malformed(0, f"expected {self.expects}" + (f": {value}" if _is_number(value) else ", like 5"))
        return value

    def equal_sql(self, column: str, values: Sequence[Any], bind: Bind) -> str:
        return equal_sql(column, *_narrowed(values), bind)

    def compare_sql(self, column: str, order: str, value: Any, bind: Bind) -> str:
        (narrowed,), sql_type = _narrowed([value])
        return f"{column} {order} {bind(narrowed, sql_type)}"


class Identifier(FieldType):
    """UUIDs; in order as their text is."""

    name = "identifier"
    expects = 'a UUID in double quotes, like "9a90af71-251e-11f0-a7be-3ec870f66d56"'

    def convert(self, value: Scalar) -> UUID:
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise Malformed(0, f"expected {self.expects}")
        return UUID(value)

    def equal_sql(self, column: str, values: Sequence[Any], bind: Bind) -> str:
        return equal_sql(column, values, "uuid", bind)

    def compare_sql(self, column: str, order: str, value: Any, bind: Bind) -> str:
        return f"{column} {order} {bind(value, 'uuid')}"


class OwnId(Identifier):
    """The id of the thing itself, along which it is stored: it says where to look."""

    def ids_equal(self, values: Sequence[Any]) -> IdRange:
        return IdRange(min(values), _after(max(values)))

    def ids_compare(self, order: str, value: Any) -> IdRange:
        return {
            "<": IdRange(None, value),
            "<=": IdRange(None, _after(value)),
            ">": IdRange(_after(value), None),
            ">=": IdRange(value, None),
        }[order]


def written(value: Scalar) -> str:
    """A scalar without its quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _after(value: UUID) -> UUID | None:
    return UUID(int=value.int + 1) if value.int + 1 < 1 << 128 else None


def any_of(alternatives: Sequence[str]) -> str:
    """SQL that holds where one of the alternatives does."""
    return alternatives[0] if len(alternatives) == 1 else "(" + " OR ".join(alternatives) + ")"


def equal_sql(column: str, values: Sequence[Any], sql_type: str, bind: Bind) -> str:
    """One value by ``=``, several by ``= ANY``."""
    if len(values) == 1:
        return f"{column} = {bind(values[0], sql_type)}"
    return f"{column} = ANY({bind(list(values), sql_type + '[]')})"


def _is_number(text: object) -> bool:
    return isinstance(text, str) and bool(re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII))


def _narrowed(values: Sequence[Decimal]) -> tuple[Sequence[Any], str]:
    """Compare as smallint where the values allow it, which spares a cast on every row."""
    if all(value == int(value) and int(value) in _SMALLINT for value in values):
        return [int(value) for value in values], "smallint"
    return values, "numeric"
