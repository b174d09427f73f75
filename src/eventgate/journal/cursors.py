"""Cursors: how far a reader of the journal has come.

Pure so far.
"""

from typing import NamedTuple


class Cursor(NamedTuple):
    """The last event a reader has finished: ``index`` in the batch at ``position``. (0, 0) is before the first."""

    position: int
    index: int  # type: ignore[assignment]  # a tuple has a method of that name, which nobody wants of a cursor
