"""``eventgate verify``: recompute the journal's hash chain and hold it against the events.

Touches the database of a data directory, reading only, whether EventGate runs there or not; and the terminal.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventgate.cli import terminal
from eventgate.cli.serve import Config

if TYPE_CHECKING:
    from eventgate.config import Configuration
    from eventgate.journal.chain import Verdict

_BROKEN = 1


def verify(
    data: Annotated[Path | None, typer.Option(envvar="EVENTGATE_DATA", help="The data directory.")] = None,
    config: Config = None,
) -> None:
    """Recompute the journal's hash chain from its beginning, compare it with the events, and say whether it holds.

    EventGate may be running or not. Nothing is changed.
    The last digest vouches for everything before it: compare it with a receipt that a sensor kept.

    [bold]Examples[/bold]

    eventgate verify

    eventgate verify --data /var/lib/eventgate
    """
    import asyncio

    from eventgate.config import load

    verdict = asyncio.run(_verify(load(config, {"data": data} if data else None)))
    for each in verdict.breaks:
        place = f"position {each.position}" + (f", event {each.index}" if each.index is not None else "")
        terminal.say(f"{place}: {each.detail}")
    terminal.say(_sentence(verdict))
    if not verdict.holds:
        raise typer.Exit(_BROKEN)


async def _verify(configuration: "Configuration") -> "Verdict":
    from rich.progress import Progress, TextColumn

    from eventgate.db.pool import open_pool
    from eventgate.journal.chain import verify as recompute
    from eventgate.processes.attach import attached

    async with attached(configuration) as url:
        pool = await open_pool(url, size=1, name="eventgate verify")
        try:
            with Progress(TextColumn("Position {task.completed:,}"), console=terminal.err, transient=True) as progress:
                task = progress.add_task("")
                async with pool.acquire() as connection:
                    return await recompute(connection, lambda position: progress.update(task, completed=position))
        finally:
            await pool.close()


def _sentence(verdict: "Verdict") -> str:
    if verdict.last < verdict.first:
        return "The journal is empty."
    checked = f"{verdict.events:,} events, positions {verdict.first:,} to {verdict.last:,}"
    if not verdict.holds:
        return f"The chain does not hold: {verdict.broken:,} breaks in {checked}."
    gone = f"; {verdict.expired:,} of them gone by retention" if verdict.expired else ""
    alone = f"; {verdict.without_payload:,} batches by their events alone" if verdict.without_payload else ""
    return f"The chain holds: {checked}{gone}{alone}."
