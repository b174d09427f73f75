"""What a sensor saw, as fields: members of ``data`` found by name, checked by type, written once and kept.

Pure. Anything may stand in ``data``. A member of another type than expected is no field; it stays in ``data`` alone.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from eventgate.formats.fields import LARGEST_SEEN, LONGEST_SEEN, SEEN, SeenType

_KEPT = 4096
_MEMBERS = 32

_Write = Callable[[Any], str]


class _Column(dict[Any, str]):
    """The values of one member as a format writes them; those it has seen before it remembers."""

    def __init__(self, kind: SeenType, write: _Write) -> None:
        super().__init__()
        self._is_number, self._write = kind == "number", write

    def __missing__(self, value: Any) -> str:
        if not _fits(value, self._is_number):
            return ""
        if len(self) >= _KEPT:
            self.clear()
        self[value] = text = self._write(int(value) if self._is_number else value)
        return text


def _fits(value: Any, is_number: bool) -> bool:
    """A float that is a whole number is one: 6.0 and 6 are the same key."""
    if is_number:
        return isinstance(value, int | float) and -LARGEST_SEEN < value < LARGEST_SEEN and value == int(value)
    return isinstance(value, str) and len(value) <= LONGEST_SEEN


class SeenFields:
    """The fields in what a sensor saw, one behind the other.

    ``write`` makes of a field's name and type the function that writes a value, or None where there is no such field.
    """

    def __init__(self, write: Callable[[str, SeenType], _Write | None]) -> None:
        self._columns: dict[str, _Column] = {}
        self._better: dict[str, frozenset[str]] = {}
        for name, field in SEEN.items():
            if (how := write(name, field.type)) is not None:
                for rank, member in enumerate(field.members):
                    self._columns[member] = _Column(field.type, how)
                    self._better[member] = frozenset(field.members[:rank])
        self._known = lru_cache(256)(self._among)

    def __call__(self, data: dict[str, Any]) -> str:
        # Sensors send the same members again and again; what a stranger may have made up is not worth remembering.
        members = tuple(data)
        among = self._known(members) if len(members) <= _MEMBERS else self._among(members)
        try:
            return "".join([column[data[name]] for name, column in among])
        except TypeError:  # an array or an object, which is nobody's key
            return "".join(
                [column[data[name]] for name, column in among if not isinstance(data[name], list | dict)],
            )

    def _among(self, members: tuple[str, ...]) -> list[tuple[str, _Column]]:
        """Those that are fields, and no better name for the same is there."""
        return [
            (name, self._columns[name])
            for name in members
            if name in self._columns and self._better[name].isdisjoint(members)
        ]
