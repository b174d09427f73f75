"""SIGHUP: the configuration is read again, and what a running EventGate can take of it goes to the forward process.

Touches the configuration's files, by the reader it is given, and ``reload.json`` in the data directory, where the
outcome is for whoever asked (``eventgate reload``). A configuration with a mistake changes nothing.
"""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog

from eventgate.app.order import Order
from eventgate.app.reload import fingerprints, members_of, sink_moves, what_needs_a_restart
from eventgate.app.remarks import log_remarks, remarks
from eventgate.app.sinks import definitions
from eventgate.config import Configuration
from eventgate.errors import ConfigurationError
from eventgate.forward.plan import Plan
from eventgate.processes.child import Child

OUTCOME = "reload.json"
"""The file of the last outcome, in the data directory; for its owner alone."""
RUNNING = "running.json"
"""Beside it: salted hashes of the keys that only a start reads, and what ``eventgate plan`` must leave out of them."""

TAKEN, LATER, REFUSED = "taken", "later", "refused"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one reload, the ``number``-th of this process.

    ``taken``; ``later``: the forward process takes it when it has come back; ``refused``: nothing has changed.
    ``mistakes`` says why not now; sinks are named; ``needs_restart`` are keys that only a start reads;
    ``remarks`` what is allowed but hardly meant.
    """

    number: int
    outcome: str
    mistakes: Sequence[str] = ()
    added: Sequence[str] = ()
    changed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    removed: Sequence[str] = ()
    needs_restart: Sequence[str] = ()
    remarks: Sequence[str] = ()


Reread = Callable[[], tuple[Configuration, Sequence[Plan]]]
"""Reads the configuration again: checked, and its sinks. Raises ConfigurationError."""


class Reloading:
    """Reloads while ``run`` runs, one after the other. ``reread`` returns a checked configuration, or raises."""

    def __init__(self, order: Order, reread: Reread, forward: Child, directory: Path) -> None:
        self._order = order
        self._reread = reread
        self._forward = forward
        self._path = directory / OUTCOME
        self._number = 0
        self._path.unlink(missing_ok=True)  # another process's
        _write(directory / RUNNING, {"pid": os.getpid(), "keys": fingerprints(order.configuration)})

    async def run(self, asked: asyncio.Event) -> None:
        """Reload each time ``asked`` is set."""
        while True:
            await asked.wait()
            asked.clear()
            self._number += 1
            outcome = await self._reload()
            _say(outcome)
            _write(self._path, asdict(outcome))

    async def _reload(self) -> Outcome:
        try:
            told, sinks = await asyncio.to_thread(self._reread)
        except ConfigurationError as error:
            return Outcome(self._number, REFUSED, str(error).splitlines())
        except Exception as error:  # noqa: BLE001 - whatever a file makes us stumble over, what runs goes on
            _log.exception("configuration could not be read again")
            return Outcome(self._number, REFUSED, [f"{type(error).__name__}: {error}"])
        running = self._order.configuration
        # What a reload cannot change stays as it was, also for a forward process that is started again later.
        taken = running.model_copy(update={"sinks": told.sinks})
        self._order = self._order.model_copy(update={"configuration": taken})
        fault = await self._forward.tell(self._order.model_dump_json().encode())
        mistakes = [] if fault is None else [fault]
        moves = sink_moves(members_of(running), definitions(told))
        return Outcome(
            number=self._number,
            outcome=LATER if mistakes else TAKEN,
            mistakes=mistakes,
            added=moves.added,
            changed=moves.changed,
            removed=moves.removed,
            needs_restart=what_needs_a_restart(running, told),
            remarks=remarks(sinks),
        )


def _say(outcome: Outcome) -> None:
    log_remarks(outcome.remarks)
    apart = {"number", "outcome", "remarks"}
    told = {name: value for name, value in asdict(outcome).items() if value and name not in apart}
    if outcome.outcome == REFUSED:
        _log.error("configuration refused, nothing has changed", **told)
    elif outcome.outcome == LATER:
        _log.error("configuration reread, taken later", **told)
    elif outcome.needs_restart:
        _log.warning("configuration reread; some of it needs a restart", **told)
    else:
        _log.info("configuration reread", **told)


def _write(path: Path, told: Mapping[str, Any]) -> None:
    """Whole or not at all, for whoever waits for it."""
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(told, file)
    new.replace(path)
