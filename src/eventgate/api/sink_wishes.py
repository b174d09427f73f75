"""What people want of a sink, asked of its delivery loop: noted in the audit log as it is asked, and its answer after.

Touches the sinks room and the audit log that it is handed.
"""

from collections.abc import Mapping
from typing import Any

from eventgate.access import Audit, Change
from eventgate.api.routes import Call
from eventgate.api.sinks_named import standing_shown
from eventgate.sinks.generations import Selection
from eventgate.sinks.requests import Answer, Requests, Verb
from eventgate.sinks.store import SinkStatus, SinkStore


class Wishes:
    """Two lines for each wish: who asked for what, in the transaction that asks, and what the loop said.

    Without a second line the loop said nothing, or nobody was left to hear it. A pause and a resume need none: they
    hold whatever the loop says.
    """

    def __init__(self, store: SinkStore, requests: Requests, audit: Audit) -> None:
        self._store = store
        self._requests = requests
        self._audit = audit

    async def ask(
        self,
        call: Call,
        sink: SinkStatus,
        verb: Verb,
        asked: Mapping[str, Any] | None,
        *,
        position: int | None = None,
        replace: bool = False,
        selection: Selection | None = None,
    ) -> Answer | None:
        """Ask, ``asked`` being how the audit log tells it; None where nobody answered in time. Raises Unavailable."""
        company = sink.company or call.principal.company
        change = Change(f"sink.{verb.value}", sink.name, company, standing_shown(sink), asked)
        return await self._requests.ask(
            sink.name, verb, position=position, replace=replace, selection=selection, asked_by=call.principal.user,
            note=lambda connection: self._audit.record_within(connection, call.actor, change),
        )  # fmt: skip

    async def note_answer(self, call: Call, sink: SinkStatus, verb: Verb, answer: Answer) -> None:
        """Note what came of a wish, and where the sink stands now. Raises Unavailable."""
        after = await self._store.get(sink.name, sink.company)
        told = {"verb": verb.value, "done": answer.done, "answer": answer.detail}
        if after is not None:
            told |= standing_shown(after)
        company = sink.company or call.principal.company
        await self._audit.record(call.actor, Change("sink.answer", sink.name, company, None, told))
