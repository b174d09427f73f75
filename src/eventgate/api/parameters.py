"""What a caller may say in a query string: read, checked and described in one place.

Pure. A parameter that no route names is refused, since a mistyped filter must not answer with everything.
"""

import codecs
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes
from uuid import UUID

from eventgate.errors import CallerError, FieldError

Schema = Mapping[str, Any]

_MIDDLE_DOT = 0xB7


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. ``read`` turns its text into a value or raises ValueError with a sentence; ``many`` may repeat."""

    name: str
    description: str
    schema: Schema
    read: Callable[[str], Any] = str
    many: bool = False


def read_query(query_string: str, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Read a raw query string; a parameter that was not sent has no entry, one that may repeat has a list.

    Raises CallerError 400 with everything that is wrong at once, and the code of the first of it:
    ``parameter-unknown``, ``parameter-repeated``, ``parameter-malformed``.
    """
    values: dict[str, Any] = {parameter.name: [] for parameter in parameters if parameter.many}
    if not query_string:
        return values
    known = {parameter.name: parameter for parameter in parameters}
    errors: list[FieldError] = []
    for part in filter(None, query_string.split("&")):
        name, _, text = part.partition("=")
        try:
            name, text = _decoded(name), _decoded(text)
            parameter = known.get(name)
            if parameter is None:
                errors.append(_unknown(name, known))
            elif parameter.many:
                values[name].append(parameter.read(text))
            elif name in values:
                errors.append(FieldError(name, "parameter-repeated", f"{name} stands here twice; send it once."))
            else:
                values[name] = parameter.read(text)
        except ValueError as error:
            errors.append(FieldError(name, "parameter-malformed", f"{name}: {error}"))
    if errors:
        raise CallerError(400, errors[0].code, " ".join(error.detail for error in errors), errors)
    return values


def integer(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers within bounds."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 19 and least <= int(text) <= most):
            raise ValueError(f"expected a whole number from {least} to {most}.")
        return int(text)

    return read


def one_of(words: Iterable[str]) -> Callable[[str], str]:
    """A reader of one of a few words."""
    allowed = tuple(words)

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"expected {' or '.join(allowed)}.")
        return text

    return read


def identifier(text: str) -> UUID:
    """A UUID of any version, in its usual form."""
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text.lower():
        raise ValueError("expected a UUID, as in 0199c1f0-0000-7000-8000-000000000000.")
    return found


def _decoded(text: str) -> str:
    """Undo form encoding: UTF-8, but a lone byte B7 is the middle dot of Latin-1, which some callers send."""
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "eventgate-middle-dot")


def _lone_dot(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError) and error.object[error.start] == _MIDDLE_DOT:
        return "\u00b7", error.start + 1
    raise ValueError("it is not UTF-8 once percent-decoded.")


codecs.register_error("eventgate-middle-dot", _lone_dot)


def _unknown(name: str, known: Iterable[str]) -> FieldError:
    names = ", ".join(known) or "none"
    return FieldError(name[:64], "parameter-unknown", f"There is no parameter {name[:64]!r} here; there are: {names}.")
