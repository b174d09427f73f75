"""Where one sink stands, in memory, and its copy in the database, which may lag by one window and never leads.

Touches the cursor that this process owns.
"""

import asyncio

from eventgate.clock import Clock
from eventgate.journal.cursors import Cursors, Ownership, Standing

_SAVE_SECONDS = 1.0
"""How often a standing is saved that only passed over events."""


class Keeping:
    """The standing, moved by the loop, saved in the background. Every call may raise Unavailable and NotOwner."""

    def __init__(self, cursors: Cursors, mine: Ownership, standing: Standing, clock: Clock) -> None:
        self.standing = standing
        self._cursors = cursors
        self._mine = mine
        self._clock = clock
        self._saved = standing
        self._saved_at = clock.monotonic()
        self._saving: asyncio.Task[None] | None = None

    def move(self, standing: Standing) -> None:
        self.standing = standing

    async def save(self) -> None:
        """Begin to save the standing, once the save before it is done."""
        await self._settle()
        if self.standing != self._saved:
            self._saving = asyncio.create_task(self._save(self.standing))

    async def save_if_due(self) -> None:
        """As ``save``, but not more than once a second."""
        if self._clock.monotonic() >= self._saved_at + _SAVE_SECONDS:
            await self.save()

    async def flush(self) -> None:
        """Return when the standing is saved."""
        await self.save()
        await self._settle()

    async def _settle(self) -> None:
        saving, self._saving = self._saving, None
        if saving is not None:
            await saving

    async def _save(self, standing: Standing) -> None:
        await self._cursors.save(self._mine, standing)
        self._saved = standing
        self._saved_at = self._clock.monotonic()
