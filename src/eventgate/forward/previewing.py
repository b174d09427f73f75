"""What one sink would write of one event: its bytes, and whether its filter and its transport let it through.

Touches the journal and the registry of sensors, reading only; nothing is sent.
"""

import base64
from typing import Any
from uuid import UUID

from eventgate.event import Event
from eventgate.forward.plan import Plan
from eventgate.forward.transports import Limits
from eventgate.journal.cursors import Cursor
from eventgate.journal.finding import Committed
from eventgate.journal.reading import Journal
from eventgate.sensors.directory import Directory
from eventgate.sinks.custody import failing
from eventgate.sinks.requests import Answer


class Previewing:
    """One for each loop: ``limits`` are its transport's."""

    def __init__(self, plan: Plan, limits: Limits, journal: Journal, directory: Directory) -> None:
        self._plan = plan
        self._limits = limits
        self._journal = journal
        self._directory = directory

    async def preview(self, company: UUID, event: UUID) -> Answer:
        """The bytes as base64, which no database mistakes for text, and what is to be said of them."""
        found = await self._journal.find(company, event)
        if found is None:
            return Answer(False, "there is no such event (any more)")
        await self._directory.warm(company)
        names = self._directory.names(company, found.event.sensor)
        whole = await self._as_accepted(found)
        body = self._plan.encode(whole, names)
        limit = self._limits.event_bytes
        facts: dict[str, Any] = {
            "body": base64.b64encode(body).decode(),
            "contentType": "application/json" if body.startswith(b"{") else "text/plain; charset=utf-8",
            "bytes": len(body),
            "limitBytes": limit,
            "fits": limit is None or len(body) <= limit,
            "wanted": self._plan.wants(whole, names),
            "condition": failing(self._plan.definition.filters, found, names),
        }
        return Answer(True, f"{len(body)} bytes of {self._plan.definition.format}", facts)

    async def _as_accepted(self, found: Committed) -> Event:
        """The event as the delivery loop reads it: from the payload, where that still is."""
        before = Cursor(found.place.position, found.place.index - 1)
        for batch in await self._journal.read(before, max_events=1):
            for place, event in batch.placed():
                if place == found.place:
                    return event
        return found.event
