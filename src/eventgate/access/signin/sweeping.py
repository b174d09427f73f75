"""Deletes what access keeps for a time only: sessions that have run out, counts of attempts, places not seen for long.

Touches PostgreSQL through their own modules. One process does it, and two at once would do no harm.
"""

from eventgate.access.sessions.sessions import Sessions
from eventgate.access.signin.throttle import Throttle
from eventgate.background import Background, periodically

_EVERY_SECONDS = 60.0


class Sweeping(Background):
    """Sweeps every minute while entered."""

    def __init__(self, sessions: Sessions, throttle: Throttle) -> None:
        self._sessions = sessions
        self._throttle = throttle

    async def once(self) -> None:
        """Raises Unavailable."""
        await self._sessions.forget()
        await self._throttle.forget()

    async def _run(self) -> None:
        await periodically(self.once, every=_EVERY_SECONDS, what="sweeping")
