"""What a sink adds to a format and calls otherwise: ``extra`` fields and ``rename``, checked when it is configured.

Pure. Configuration is trusted, and still may not break a line: keys must be keys of the format, and values are written
as a stranger's would be. What marks events that go again is a field like any other, that one of a format's two selves
writes and the other does not.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import field, fields, replace
from functools import cached_property
from typing import Annotated, ClassVar, Self

from pydantic import SkipValidation, StrictBool, StrictFloat, StrictInt, StrictStr, StringConstraints, field_validator
from pydantic.dataclasses import dataclass
from pydantic_core.core_schema import ValidationInfo

from eventgate.event import Event, SensorNames
from eventgate.formats import NO_CATALOGUE, Catalogue, Format
from eventgate.formats.syslog import Header

Scalar = StrictBool | StrictInt | StrictFloat | StrictStr
Name = Annotated[str, StringConstraints(min_length=1, max_length=63)]


@dataclass(frozen=True)
class Own:
    """A format that a sink can make its own. A subclass says what it writes under which key, and how, in ``writer``.

    ``KEYS``: the key of every field that may be called otherwise. ``RESERVED``: keys that are taken besides.
    ``KEY``: how a key must look, and that in words. ``MARK``: the value of ``replay`` where it is text. ``marked`` is
    for ``replayed`` to set.
    """

    rename: Mapping[str, Name] = field(default_factory=dict)
    extra: Mapping[Name, Scalar] = field(default_factory=dict)
    catalogue: SkipValidation[Catalogue] = NO_CATALOGUE
    marked: bool = False

    KEYS: ClassVar[Mapping[str, str]] = {}
    RESERVED: ClassVar[frozenset[str]] = frozenset()
    MARK: ClassVar[str] = "true"
    KEY: ClassVar[tuple[re.Pattern[str], str]] = (re.compile(r"[^\x00-\x1f\x7f]+"), "without control characters")

    def __call__(self, event: Event, names: SensorNames) -> bytes:
        """One event as text. Whoever has many takes the ``writer``."""
        return self._write(event, names)

    def writer(self) -> Format:
        """The function that writes an event; what it needs of these settings are its own variables."""
        raise NotImplementedError

    def behind(self, header: Header | None) -> Format:
        """Likewise behind a syslog header, if there is one."""
        return self.writer() if header is None else header.before(self.writer())

    @cached_property
    def _write(self) -> Format:
        return self.writer()

    @field_validator("rename")
    @classmethod
    def _can_be_renamed(cls, rename: Mapping[str, str]) -> Mapping[str, str]:
        for name in rename:
            if name not in cls.KEYS:
                can = ", ".join(sorted(cls.KEYS))
                raise ValueError(f"{name!r} cannot be renamed in this format; those that can: {can}")
        cls._look_like_keys(rename.values())
        taken = cls._taken(rename)
        if twice := sorted({key for key in taken if taken.count(key) > 1}):
            raise ValueError(f"two fields would be called {twice[0]!r}")
        return rename

    @field_validator("extra")
    @classmethod
    def _can_be_added(cls, extra: Mapping[str, Scalar], info: ValidationInfo) -> Mapping[str, Scalar]:
        cls._look_like_keys(extra)
        taken = cls._taken(info.data.get("rename", {}))
        if both := sorted(extra.keys() & {*taken}):
            raise ValueError(f"there is a field {both[0]!r} already")
        return extra

    @classmethod
    def _taken(cls, rename: Mapping[str, str]) -> list[str]:
        keys = {**cls.KEYS, **rename}.values()
        return [*keys, *cls.RESERVED, *(other for key in keys for other in cls.brings(key))]

    @classmethod
    def brings(cls, _key: str) -> Iterable[str]:
        """The keys that a field under this key brings along."""
        return ()

    @classmethod
    def _look_like_keys(cls, keys: Iterable[str]) -> None:
        pattern, words = cls.KEY
        for key in keys:
            if not pattern.fullmatch(key):
                raise ValueError(f"expected a name {words}, found {key!r}")

    def replayed(self) -> Self:
        """The same format as it writes events that go again: each with the field ``replay``, which no other has."""
        return replace(self, marked=True)

    @property
    def keys(self) -> Mapping[str, str]:
        """The key of each field, renamed ones by their new name."""
        return {**self.KEYS, **self.rename}


def option_names(format_: type[Own]) -> frozenset[str]:
    """The keys of a sink's table that belong to a format."""
    return frozenset(each.name for each in fields(format_)) - {"catalogue", "marked"}


def as_text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
