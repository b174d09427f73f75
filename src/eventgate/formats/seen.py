"""What a sensor saw, as fields: members of ``data`` found by name, checked by type, written once and kept.

Pure. Anything may stand in ``data``. A member of another type than expected is no field; it stays in ``data`` alone.
"""

from collections.abc import Callable
from typing import Any

from eventgate.formats.fields import LARGEST_SEEN, LONGEST_SEEN, SEEN, SeenType

_KEPT = 8192

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
                    if rank:
                        self._better[member] = frozenset(field.members[:rank])

    def __call__(self, data: dict[str, Any]) -> str:
        columns = self._columns
        if self._better and not self._better.keys().isdisjoint(data):
            data = self._by_their_best_names(data)
        try:
            return "".join([columns[name][value] for name, value in data.items() if name in columns])
        except TypeError:  # an array or an object, which is nobody's key
            plain = {name: value for name, value in data.items() if not isinstance(value, list | dict)}
            return "".join([columns[name][value] for name, value in plain.items() if name in columns])

    def _by_their_best_names(self, data: dict[str, Any]) -> dict[str, Any]:
        better = self._better
        return {name: value for name, value in data.items() if name not in better or better[name].isdisjoint(data)}
