"""Members of a JSON object as the formats that are one write them: each name once, with the comma before it.

Pure. Names come from a format's table, values from events; JSON's own escapes keep a stranger's text in its place.
"""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import orjson

_json = orjson.dumps


def beginnings(keys: Mapping[str, str]) -> dict[str, bytes]:
    """What stands before the value of each field: a comma, its name and a colon."""
    return {name: b",%b:" % _json(key) for name, key in keys.items()}


def value_after(before: bytes) -> Callable[[Any], bytes]:
    """The function that writes the value of one member."""
    return lambda value: before + _json(value)


def members(begin: Mapping[str, bytes], **values: Any) -> bytes:
    return b"".join([begin[name] + _json(value) for name, value in values.items()])


def with_value(**values: Any) -> dict[str, Any]:
    """Without those that have none."""
    return {name: value for name, value in values.items() if value is not None}


def inside(value: Mapping[str, Any]) -> bytes:
    """A whole object without its braces, to be put into another."""
    return _json(dict(value))[1:-1]


def uuid_of(number: int | None) -> UUID | None:
    return None if number is None else UUID(int=number)
