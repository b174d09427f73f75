"""``eventgate sinks``: what went where, and what waits.

Touches EventGate over HTTP and the terminal.
"""

import json
from typing import Annotated, Any

import typer

from eventgate.cli.gate import HERE, CaFile, Data, Gate, Key, Url

_STATES = {"running": "green", "retrying": "yellow", "paused": "cyan", "cursor-lost": "bold red"}


def sinks(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, whole, for other programs.")] = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """Show every sink: its state, what it delivered, and what is still to come.

    Delivered + filtered + dead + expired + pending is everything stored since the sink began.

    [bold]Examples[/bold]

    eventgate sinks

    eventgate sinks --json | jq 'select(.pending > 1000) | .name'
    """
    from eventgate.cli import terminal

    found = Gate.find(url, key, data, ca_file).get("/v2/sinks")["data"]
    if as_json:
        for sink in found:
            print(json.dumps(sink))
    elif found:
        _show(found)
    else:
        terminal.err.print("No sink is configured. [[sinks]] in the configuration file makes one.", markup=False)


def _show(found: list[dict[str, Any]]) -> None:
    from rich.table import Table

    from eventgate.cli import terminal

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Sink", "State", "Guarantee"):
        table.add_column(column, no_wrap=True)
    for column in ("Delivered", "Filtered", "Dead", "Expired", "Pending", "Behind"):
        table.add_column(column, justify="right", no_wrap=True)
    for sink in found:
        state = terminal.plain(sink["state"])
        state.stylize(_STATES.get(sink["state"], ""))
        counts = [_count(sink[name]) for name in ("delivered", "filtered", "dead", "expired", "pending")]
        behind = _duration(sink["lagSeconds"])
        table.add_row(terminal.plain(sink["name"]), state, terminal.plain(sink["guarantee"]), *counts, behind)
    terminal.out.print(table, soft_wrap=False)
    for sink in found:
        if sink.get("lastError"):
            terminal.err.print(terminal.plain(f"{sink['name']}: {sink['lastError']}"))


def _count(number: int | None) -> str:
    """A count; what would tell of other companies' events is the operator's alone, and is None for the others."""
    return "-" if number is None else f"{number:,}"


def _duration(seconds: float) -> str:
    for least, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= least:
            return f"{seconds / least:.1f} {unit}"
    return f"{seconds:.0f} s"
