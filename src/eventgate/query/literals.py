"""The values of a filter as text: JSON strings, numbers, true and false, and arrays of them.

Pure. A mistake raises Malformed with its place and with what would have been right.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from eventgate.query.shown import shown_text

Scalar = str | bool | Decimal

MAX_ELEMENTS = 100
_MAX_DIGITS = 400
_EXPONENTS = range(-400, 309)  # IEEE doubles, with room for the smallest written out


class Malformed(Exception):
    """A mistake at the character ``at`` (from 0) of the text being read; ``detail`` says what was expected."""

    def __init__(self, at: int, detail: str) -> None:
        super().__init__(detail)
        self.at = at
        self.detail = detail


class BareWord(Malformed):
    """Text without quotes; right in quotes only where a string is expected."""


def quote(text: str) -> str:
    """The text as a filter writes it."""
    return json.dumps(text, ensure_ascii=False)


def read_scalar(text: str) -> Scalar:
    """Read one string, number, true or false."""
    value = _decode(text)
    if not isinstance(value, str | bool | Decimal):
        raise Malformed(0, f"expected one value, not {_called(value)}")
    return shown_text(value) if isinstance(value, str) else value


def read_array(text: str) -> list[Scalar]:
    """Read a JSON array of 1 to 100 strings, numbers, true or false."""
    if not text.lstrip().startswith("["):
        raise Malformed(0, f"expected a JSON array: [{text.strip() or quote('…')}]")
    elements = _decode(text)
    assert isinstance(elements, list)
    if not 1 <= len(elements) <= MAX_ELEMENTS:
        raise Malformed(0, f"expected an array of 1 to {MAX_ELEMENTS} values; this one has {len(elements)}")
    read: list[Scalar] = []
    for place, element in enumerate(elements):
        if not isinstance(element, str | bool | Decimal):
            raise Malformed(0, f"value {place} of the array is {_called(element)}; expected a string or a number")
        read.append(shown_text(element) if isinstance(element, str) else element)
    return read


def _decode(text: str) -> object:
    bare = text.strip()
    if not bare:
        raise Malformed(0, "expected a value after the second ·")
    try:
        value = json.loads(text, strict=False, parse_float=_number, parse_int=_number, parse_constant=_no_number)
        text.encode()
        if isinstance(value, str):
            value.encode()
        elif isinstance(value, list):
            json.dumps(value, default=str, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        if bare[0] == '"' and "\\" in bare:
            raise Malformed(error.pos, f"{error.msg}; inside double quotes a backslash is written \\\\") from None
        if bare[0] in '"[':
            raise Malformed(error.pos, f"{error.msg}; expected a JSON value") from None
        raise BareWord(error.pos, f"expected a string in double quotes: {quote(bare)}") from None
    except RecursionError:
        raise Malformed(0, "nested too deeply; expected a string, a number, or an array of them") from None
    except UnicodeEncodeError:
        raise Malformed(0, "half of a surrogate pair is no character") from None
    return value


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        _out_of_range(text)
    if len(text) > _MAX_DIGITS or (number and number.adjusted() not in _EXPONENTS) or not _plain(number):
        _out_of_range(text)
    return number


def _plain(number: Decimal) -> bool:
    """Whether the number's last digit is near enough to be written out: 0e-999999 is zero, but long."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and abs(exponent) <= 2 * _MAX_DIGITS


def _out_of_range(text: str) -> NoReturn:
    raise Malformed(0, f"{text[:40]} is beyond what a number in JSON is taken to hold (an IEEE double)")


def _no_number(text: str) -> NoReturn:
    raise Malformed(0, f"{text} is no number in JSON")


def _called(value: object) -> str:
    match value:
        case None:
            return "null (to find what is missing, negate: not, or leave isNotEmpty out)"
        case list():
            return "an array"
        case dict():
            return "an object"
        case _:
            return f"{value}"
