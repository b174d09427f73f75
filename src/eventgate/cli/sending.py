"""The loop of ``send``: batch after batch, what became of each event, and how far it came.

Touches EventGate through the SDK's client, and the terminal.
"""

import time
from collections.abc import Iterable, Iterator

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from eventgate.cli import terminal
from eventgate.cli.source import Line
from eventgate.errors import Unavailable
from eventgate.sdk import Answer, Client, Outcome

_SENDING = "Sending"
_BATCH_BYTES = 4 << 20
_FIRST_PATIENCE, _LATER_PATIENCE = 3.0, 120.0


def batches(lines: Iterable[Line], size: int) -> Iterator[list[Line]]:
    """Lines in batches of at most ``size``, and of bytes that stay under the gate's limit for one body."""
    batch: list[Line] = []
    held = 0
    for line in lines:
        if batch and held + len(line.text) > _BATCH_BYTES:
            yield batch
            batch, held = [], 0
        batch.append(line)
        held += len(line.text) + 1
        if len(batch) == size:  # at once: the next line of a pipe may be long in coming
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


class Sending:
    """Sends batches and keeps count; a context that shows progress. ``total`` is how many events come, if known."""

    def __init__(self, client: Client, total: int | None) -> None:
        self._client = client
        client.on_wait = self._wait
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            TimeRemainingColumn(),
            console=terminal.err,
            transient=True,
        )
        self._task = self._progress.add_task(_SENDING, total=total, pace="")
        self._started = time.monotonic()
        self.sent = self.writes = self.accepted = self.duplicates = self.rejected = 0

    def run(self, batches: Iterable[list[Line]]) -> None:
        """Send them all. Raises what the client raises; until then everything that was counted is committed."""
        self._client.retry_for = _FIRST_PATIENCE  # a gate that was never there is said to be missing soon
        with self._progress:
            for batch in batches:
                whole = [line for line in batch if line.fault is None]
                for line in batch:
                    if line.fault is not None:
                        self._reject(line, line.fault)
                if whole:
                    self._count(whole, self._client.send_json(b"[" + b",".join(line.text for line in whole) + b"]"))
                    self._client.retry_for = _LATER_PATIENCE
                pace = f"{self._rate():,.0f}/s, {self.writes:,} writes"
                self._progress.update(self._task, description=_SENDING, advance=len(batch), pace=pace)

    def summary(self) -> str:
        """What became of the events so far, in one sentence."""
        seconds = time.monotonic() - self._started
        return (
            f"{self.accepted:,} events stored, {self.duplicates:,} known already, {self.rejected:,} rejected; "
            f"{self.writes:,} signed write{'s' * (self.writes != 1)} in {seconds:.1f} s, {self._rate():,.0f} events/s."
        )

    def _count(self, batch: list[Line], answer: Answer) -> None:
        self.writes += 1
        self.sent += len(batch)
        self.accepted += answer.accepted
        self.duplicates += answer.duplicates
        for outcome in answer.events:
            if outcome.status == "rejected":
                self._reject(batch[outcome.index], _reason(outcome))

    def _wait(self, error: Unavailable, _seconds: float) -> None:
        self._progress.update(self._task, description=f"Waiting ({terminal.defused(error.code)})")

    def _reject(self, line: Line, reason: str) -> None:
        self.rejected += 1
        self._progress.console.print(terminal.plain(f"line {line.number}: {reason}"))

    def _rate(self) -> float:
        return self.sent / max(time.monotonic() - self._started, 0.001)


def _reason(outcome: Outcome) -> str:
    error = outcome.error or {}
    pointer = f"{error['pointer']}: " if error.get("pointer") else ""
    return f"{pointer}{error.get('detail', 'rejected')} ({error.get('code', 'no code')})"
