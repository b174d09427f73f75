"""One lane of a delivery loop: its drafts, the next of them always under way, and how large they may be.

Touches what its drafts touch.
"""

import asyncio

from eventgate.background import end
from eventgate.forward.drafts import Draft, Drafts
from eventgate.forward.transports import Window
from eventgate.journal.cursors import Cursor, Lane

_PATIENCE = 1.0
"""Seconds without news after which an idle lane has an empty draft, and with it a chance to save where it stands."""


class Course:
    """``widest`` is the largest window in events. Between ``set_out`` and ``stop`` a draft is ready or under way."""

    def __init__(self, drafts: Drafts, widest: int) -> None:
        self.drafts = drafts
        self._widest = widest
        self._most = widest
        self._suspect: Cursor | None = None
        self._until: Cursor | None = None
        self._ahead: asyncio.Task[Draft] | None = None

    @property
    def lane(self) -> Lane:
        return self.drafts.lane

    @property
    def ahead(self) -> asyncio.Task[Draft] | None:
        """The next draft, None where there is none to come."""
        return self._ahead

    @property
    def ready(self) -> bool:
        return self._ahead is not None and self._ahead.done()

    def set_out(self, *, until: Cursor | None = None, first: int | None = None) -> None:
        """Begin to draft from where the drafts were restarted, up to ``until``; the first with at most ``first``."""
        self._until = until
        self._draft(min(self._most, first or self._most))

    def take(self) -> Draft:
        """The draft that is ready; the one after it is begun. Raises what the drafting raised."""
        assert self._ahead is not None, "nothing was drafted"
        draft, self._ahead = self._ahead.result(), None
        if self._until is None or draft.end < self._until:
            self._draft(self._most)
        return draft

    async def stop(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            await end(ahead)
        self.drafts.let_go()

    def narrow(self, window: Window, reason: str) -> None:
        """Look for the one event that the receiver will never take, by halves."""
        if len(window.events) == 1:
            self.drafts.give_up(window.events[0].place, reason)
            self._suspect, self._most = None, self._widest
        else:
            self._suspect, self._most = window.events[-1].place, len(window.events) // 2

    def passed(self, cursor: Cursor) -> None:
        """The lane has come so far: beyond the suspect, windows are wide again."""
        if self._suspect is not None and cursor >= self._suspect:
            self._suspect, self._most = None, self._widest

    def _draft(self, most: int) -> None:
        self._ahead = asyncio.create_task(self.drafts.next(most, _PATIENCE))
