"""What a sink reads from files that may change while it runs: certificates and their keys, passwords, tokens.

Reads those files. A transport asks before it opens a connection, and between windows whether to open a new one; what is
on its way is never touched.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from eventgate.errors import ConfigurationError

_Value = TypeVar("_Value")
Mark = tuple[int, int, int] | None
_log = structlog.get_logger()


class Reread(Generic[_Value]):
    """What ``make`` makes of ``files``, made anew once they have changed. None among the files stands for no file.

    Raises what ``make`` raises, at the beginning alone: files that are broken later leave what they said before, and
    that is logged once. A certificate whose key is still the old one is such a case, for a moment.
    """

    def __init__(self, make: Callable[[], _Value], files: Iterable[Path | None]) -> None:
        self._make = make
        self._files = [file for file in files if file is not None]
        self._marks = self._look()  # before reading: a change in between is seen the next time
        self._value = make()

    def current(self) -> _Value:
        """The same object as long as nothing has changed. Costs one look at each file's inode, and no more."""
        if (marks := self._look()) != self._marks:
            self._marks = marks
            files = [str(file) for file in self._files]
            try:
                self._value = self._make()
            except ConfigurationError as error:
                _log.warning("changed files cannot be used, going on with the old", files=files, error=str(error))
            else:
                _log.info("changed files read", files=files)
        return self._value

    def _look(self) -> tuple[Mark, ...]:
        return tuple(mark(file) for file in self._files)


def mark(file: Path) -> Mark:
    """Changes whenever the file is written or another takes its place, also behind a symbolic link."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
