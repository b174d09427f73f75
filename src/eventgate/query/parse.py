"""Filters as callers write them, ``field·operator·value``, read into a Query.

Pure. A mistake says which filter, at which character, what is wrong there, and what would have been right.
"""

from collections.abc import Sequence
from difflib import get_close_matches

from eventgate.errors import CallerError, FieldError
from eventgate.query.conditions import Condition, Query
from eventgate.query.events import EVENTS
from eventgate.query.fields import Field, FieldTable
from eventgate.query.literals import Malformed
from eventgate.query.operators import OPERATORS, Operator, Takes

SEPARATOR = "\u00b7"
"""The middle dot. Only the first two separate; a value may hold more of them."""

CODE = "filter-malformed"


def parse_filters(texts: Sequence[str], table: FieldTable = EVENTS) -> Query:
    """Read filters over the fields of a table, all of which must hold.

    Raises CallerError 400 ``filter-malformed`` with every mistake at once; a pointer is ``filter[0]`` and so on.
    """
    conditions: list[Condition] = []
    errors: list[FieldError] = []
    for number, text in enumerate(texts):
        try:
            conditions.append(_condition(text, table))
        except Malformed as mistake:
            pointer = f"filter[{number}]"
            errors.append(FieldError(pointer, CODE, f"{pointer}, character {mistake.at + 1}: {mistake.detail}"))
    if errors:
        raise CallerError(400, CODE, "; ".join(error.detail for error in errors), errors)
    return Query(tuple(conditions))


def _condition(text: str, table: FieldTable) -> Condition:
    name, first, rest = text.partition(SEPARATOR)
    if not first:
        example = f"timestamp{SEPARATOR}isAfter{SEPARATOR}2025-05-13 16:11"
        raise Malformed(len(text), f"expected field{SEPARATOR}operator{SEPARATOR}value, as in {example}")
    field = table.named(name)
    word, second, value = rest.partition(SEPARATOR)
    operator = _operator(field, word, at=len(name) + 1)
    value_at = len(name) + len(word) + 2
    if not second and operator.takes is not Takes.NOTHING:
        raise Malformed(len(text), f"{word} takes {operator.takes.value}: {name}{SEPARATOR}{word}{SEPARATOR}…")
    try:
        values = operator.read(field.type, value)
    except Malformed as mistake:
        raise Malformed(value_at + mistake.at, f"{name}{SEPARATOR}{word}: {mistake.detail}") from None
    return Condition(field, operator, values, text)


def _operator(field: Field, word: str, at: int) -> Operator:
    fitting = [name for name, operator in OPERATORS.items() if operator.fits_type(field.type)]
    operator = OPERATORS.get(word)
    if operator is None:
        close = get_close_matches(word, OPERATORS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"{field.name} takes {', '.join(fitting)}"
        raise Malformed(at, f"there is no operator {word[:40]!r}; {hint}")
    if not operator.fits_type(field.type):
        raise Malformed(at, f"{word} does not fit {field.name}, a {field.type.name}; it takes {', '.join(fitting)}")
    return operator
