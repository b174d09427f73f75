"""What a sensor saw, as fields: members of ``data`` found by name, checked by type, written once and kept.

Pure. Anything may stand in ``data``. A member of another type than expected is no field; it stays in ``data`` alone.
"""

from collections.abc import Callable
from operator import getitem, itemgetter
from typing import Any

import msgspec
from msgspec.structs import astuple

from eventgate.formats.fields import LARGEST_SEEN, LONGEST_SEEN, SEEN, SeenType

_KEPT = 4096

_Write = Callable[[Any], str]

_OTHERS = {other: at for at, field in enumerate(SEEN.values()) for other in field.members[1:]}
"""The less preferred names, and of which field each is one."""
_NO_OTHER_NAMES = (None,) * len(_OTHERS)

_Members = msgspec.defstruct(
    "_Members", [(name, Any, None) for name in (*(field.members[0] for field in SEEN.values()), *_OTHERS)]
)
_decode = msgspec.json.Decoder(_Members).decode  # what is no member of it is skipped, not built


class _Column(dict[Any, str]):
    """The values of one member as a format writes them; those it has seen before it remembers."""

    def __init__(self, kind: SeenType, write: _Write) -> None:
        super().__init__({None: ""})
        self._is_number, self._write = kind == "number", write

    def __missing__(self, value: Any) -> str:
        if not _fits(value, self._is_number):
            return ""
        if len(self) >= _KEPT:
            self.clear()
            self[None] = ""
        self[value] = text = self._write(int(value) if self._is_number else value)
        return text


def _fits(value: Any, is_number: bool) -> bool:
    """A float that is a whole number is one: 6.0 and 6 are the same key."""
    if is_number:
        return isinstance(value, int | float) and -LARGEST_SEEN < value < LARGEST_SEEN and value == int(value)
    return isinstance(value, str) and len(value) <= LONGEST_SEEN


def saw(data: bytes) -> tuple[Any, ...]:
    """The value of each field of ``SEEN`` in what a sensor saw, by the best of its names; None where it is not."""
    values = astuple(_decode(data))
    if values[len(SEEN) :] == _NO_OTHER_NAMES:
        return values[: len(SEEN)]
    best = list(values[: len(SEEN)])
    for field, value in zip(_OTHERS.values(), values[len(SEEN) :], strict=True):
        if best[field] is None:
            best[field] = value
    return tuple(best)


class SeenFields:
    """Fields that ``saw`` found, one behind the other.

    ``write`` makes of a field's name and type the function that writes a value, or None where there is no such field.
    """

    def __init__(self, write: Callable[[str, SeenType], _Write | None]) -> None:
        how = {at: (field.type, write(name, field.type)) for at, (name, field) in enumerate(SEEN.items())}
        columns = {at: _Column(type_, writes) for at, (type_, writes) in how.items() if writes is not None}
        self._columns = list(columns.values())
        self._pick = itemgetter(*columns)  # of two fields and more: every format has as many

    def __call__(self, seen: tuple[Any, ...]) -> str:
        picked = self._pick(seen)
        try:
            return "".join(map(getitem, self._columns, picked))
        except TypeError:  # an array or an object, which is nobody's key
            plain = [None if isinstance(value, list | dict) else value for value in picked]
            return "".join(map(getitem, self._columns, plain))
