"""The windows of one delivery loop that were handed over and not yet counted, in their order.

Touches nothing but the tasks that wait for their fates.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, NamedTuple

from eventgate.background import end
from eventgate.forward.course import Course
from eventgate.forward.drafts import Draft
from eventgate.forward.transports import Delivery, Window
from eventgate.journal.cursors import Standing

Fate = asyncio.Future[Delivery | None]
"""None: there was nothing to hand over."""


class Sent(NamedTuple):
    """A draft, and what became of it."""

    course: Course
    draft: Draft
    window: Window
    fate: Fate


class Underway:
    """Its length is how many windows are on their way."""

    def __init__(self) -> None:
        self._sent: deque[Sent] = deque()

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def eldest(self) -> Sent | None:
        """The one to be counted next."""
        return self._sent[0] if self._sent else None

    def standing(self, counted: Standing) -> Standing:
        """Where the sink stands once all of them are delivered, if it stands at ``counted`` without them."""
        return self._sent[-1].window.upto if self._sent else counted

    def add(self, course: Course, draft: Draft, window: Window, working: Coroutine[Any, Any, Delivery] | None) -> None:
        fate: Fate
        if working is None:
            fate = asyncio.get_running_loop().create_future()
            fate.set_result(None)
        else:
            fate = asyncio.create_task(working)
        self._sent.append(Sent(course, draft, window, fate))

    def remove(self, sent: Sent) -> None:
        assert sent is self._sent[0], "windows are counted in their order"
        self._sent.popleft()

    async def end(self) -> None:
        """Wait for none of them any more."""
        await end(*[sent.fate for sent in self._sent])
        self._sent.clear()
