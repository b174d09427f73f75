"""The fields a filter can name: a table for each kind of thing that is searched.

Pure. A field says where it is found in memory and in SQL, and which type it has; a table finds fields by their names.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from eventgate.query.fieldtypes import Bind, FieldType
from eventgate.query.leaf import Leaf
from eventgate.query.literals import Malformed
from eventgate.query.shown import shown_text

_SEGMENT = re.compile(r'"(?:[^"\\]|\\.)*"|[^".][^.]*', re.DOTALL)

Read = Callable[[Any], Any]
"""Finds a value in the thing under question, whatever the table's things are."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: ``read`` finds it in memory, ``column`` in SQL.

    ``column`` is None for what people call a sensor: those names live in the registry, not beside the events.
    """

    name: str
    type: FieldType
    read: Read
    column: str | None
    decodes: bool = False
    """Whether reading it decodes a JSON document; such conditions are asked last."""

    def column_sql(self, bind: Bind) -> str:
        """The field as an SQL expression."""
        if isinstance(self.type, Leaf):
            return self.type.column_sql(bind)
        assert self.column is not None, f"{self.name} is resolved to sensors before SQL"
        return self.column


class FieldTable:
    """What can be asked of one kind of thing.

    ``documents`` are its JSON columns, each with what reads it decoded: paths into them are fields too, and
    ``example_key`` is a key that can be expected there.
    """

    def __init__(self, fields: Iterable[Field], documents: Mapping[str, Read], example_key: str) -> None:
        self.fields = {field.name: field for field in fields}
        self.documents = documents
        self._example_key = example_key

    def named(self, name: str) -> Field:
        """Find a field by the name a filter gives; raises Malformed."""
        if field := self.fields.get(name):
            return field
        document, dot, _ = name.partition(".")
        if dot and (read := self.documents.get(document)):
            leaf = Leaf(self._path(name, document), document)
            return Field(name, leaf, lambda thing: leaf.find(read(thing)), None, decodes=True)
        if close := get_close_matches(name, self.fields, n=1):
            raise Malformed(0, f"there is no field {name[:40]!r}; did you mean {close[0]}?")
        known, examples = ", ".join(self.fields), "; ".join(map(self.path_example, self.documents))
        paths = f", and paths like {examples}" if examples else ""
        raise Malformed(0, f"there is no field {name[:40]!r}; the fields are {known}{paths}")

    def path_example(self, document: str) -> str:
        """How a path into a document is written."""
        return f'{document}.{self._example_key}, or {document}."a.b" for a key with a dot in it'

    def _path(self, name: str, document: str) -> tuple[str, ...]:
        """Split ``data.a."b.c"`` into its segments; a quoted one is a JSON string."""
        segments: list[str] = []
        at = len(document)
        while at < len(name):
            at += 1  # the dot
            found = _SEGMENT.match(name, at)
            if not found or (found.end() < len(name) and name[found.end()] != "."):
                self._no_path(document, at)
            text = found.group()
            try:
                segment = json.loads(text, strict=False) if text.startswith('"') else text
                segment.encode()
            except ValueError:
                self._no_path(document, at)
            segments.append(shown_text(segment))
            at = found.end()
        return tuple(segments)

    def _no_path(self, document: str, at: int) -> NoReturn:
        raise Malformed(at, f"expected a key of {document} here: {self.path_example(document)}")
