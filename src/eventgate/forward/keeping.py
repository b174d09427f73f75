"""Where one sink stands, in memory, and its copy in the database, which may lag and never leads.

A receiver that keeps the progress itself hears of passed-over events only now and then. Until it has heard, the copy
stays behind too: ahead of the receiver it would look like a cursor that was set back.
Touches the cursor that this process owns.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eventgate.clock import Clock
from eventgate.errors import EventGateError, Unavailable
from eventgate.forward.receipts import Receipts
from eventgate.journal.cursors import Cursors, Ownership, Standing

_SAVE_SECONDS = 1.0
"""How often a standing is saved that only passed over events."""


class Unsure(EventGateError):
    """Nobody heard whether the database took what an operator wants: what it has now is the truth, so begin anew."""


class Keeping:
    """The standing, moved by the loop, saved in the background. Every call may raise Unavailable and NotOwner.

    ``settled`` is the standing up to which the receiver, where it keeps the progress, agrees; it alone is saved.
    ``receipts`` are written beside it. ``kept_by`` is who kept the progress last, as the database has it.
    """

    def __init__(  # noqa: PLR0917 - what it is made of, in order
        self,
        cursors: Cursors,
        mine: Ownership,
        standing: Standing,
        clock: Clock,
        receipts: Receipts,
        kept_by: str | None = None,
    ) -> None:
        self.kept_by = kept_by
        self.standing = self.settled = standing
        self.receipts = receipts
        self._cursors = cursors
        self._mine = mine
        self._clock = clock
        self._saved = standing
        self._saved_at = clock.monotonic()
        self._saving: asyncio.Task[None] | None = None
        self._unsure = False

    def move(self, standing: Standing, *, settled: bool = True) -> None:
        self.standing = standing
        if settled:
            self.settled = standing

    async def keep_with(self, keeper: str | None) -> None:
        """The progress is kept by a receiver from now on, or by the database (None): noted before a window goes out.

        A copy that is ahead of the receiver's own word is a cursor that was set back, unless it had another keeper.
        """
        if self.kept_by != (keeper or ""):
            await self._cursors.keep_with(self._mine, keeper or "")
            self.kept_by = keeper or ""

    @contextmanager
    def entering(self) -> Iterator[None]:
        """Around a transaction that enters what an operator wants, everything else being flushed.

        Where it fails, whoever knows whether the database has it: nothing of before is saved over it any more.
        Raises Unsure.
        """
        try:
            yield
        except BaseException as error:
            self._unsure = True
            if isinstance(error, Unavailable):
                raise Unsure(str(error)) from error
            raise

    async def enter(self, within: Any, standing: Standing) -> None:
        """Save what an operator wants, in the transaction of the connection ``within``; ``entered`` follows."""
        await self._cursors.save(self._mine, standing, within=within)

    def entered(self, standing: Standing) -> None:
        """The transaction is committed."""
        self._saved = standing
        self.move(standing)

    async def save(self) -> None:
        """Begin to save what is settled, once the save before it is done."""
        await self._settle()
        if self.settled != self._saved and not self._unsure:
            self._saving = asyncio.create_task(self._save(self.settled))

    async def save_if_due(self) -> None:
        """As ``save``, but not more than once a second."""
        if self._clock.monotonic() >= self._saved_at + _SAVE_SECONDS:
            await self.save()
            await self.receipts.write()

    async def flush(self) -> None:
        """Return when what is settled is saved."""
        await self.save()
        await self._settle()
        await self.receipts.write(whole=True)

    async def _settle(self) -> None:
        saving, self._saving = self._saving, None
        if saving is not None:
            await saving

    async def _save(self, standing: Standing) -> None:
        await self.receipts.write()  # first: a window that is delivered again after a crash was delivered twice
        await self._cursors.save(self._mine, standing)
        self._saved = standing
        self._saved_at = self._clock.monotonic()
