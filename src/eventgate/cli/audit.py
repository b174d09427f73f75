"""``eventgate audit``: who changed what, newest first.

Touches EventGate over HTTP and the terminal.
"""

import json
from typing import Annotated, Any

import typer
from rich.text import Text

from eventgate.cli import terminal
from eventgate.cli.gate import HERE, CaFile, Data, Filters, Gate, Key, Url, filter_parameters, pages

_PATH = "/v2/audit"
_PAGE = 100
_SHOWN_CHARACTERS = 120


def audit(
    *,
    filters: Filters = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 25,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, whole, for other programs.")] = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    r"""Show who changed what, when and from where, newest first.

    The conditions are those of [bold]eventgate alerts[/bold], over the fields of the audit log.
    The table shows which members of an object changed; --json has it whole, before and after.

    [bold]Examples[/bold]

    eventgate audit

    eventgate audit -f 'action·is·"key.create"' -f 'timestamp·isAfter·2026-11-22 08:00'

    eventgate audit -f 'remote contains "192.0.2."' --json
    """
    gate = Gate.find(url, key, data, ca_file)
    left, shown = limit, 0
    for page in pages(gate, _PATH, [*filter_parameters(filters), ("limit", str(min(limit, _PAGE)))]):
        found = page["data"][:left]
        left, shown = left - len(found), shown + len(found)
        if as_json:
            for line in found:
                print(json.dumps(line))
        else:
            _show(found)
        if not left:
            break
    if not as_json:
        terminal.err.print(f"{shown:,} shown, newest first" if shown else "No line matches.", style="dim")


def _show(found: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Time", "Who", "From", "Action"):
        table.add_column(column, no_wrap=True)
    for column in ("Object", "Changed"):
        table.add_column(column, overflow="fold")
    for line in found:
        table.add_row(
            Text(terminal.local_time(line["timestamp"])),
            *(terminal.plain(line[name] or "-") for name in ("actor", "remote", "action", "objectId")),
            terminal.plain(changed(line["before"], line["after"])[:_SHOWN_CHARACTERS]),
        )
    if found:
        terminal.out.print(table, soft_wrap=False)


def changed(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    """What is different, in one line; nothing for what was made or taken away as a whole, or for the time of it."""
    if before is None or after is None:
        return ""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name) and name != "updatedAt"]
    return ", ".join(f"{name}: {json.dumps(before.get(name))} → {json.dumps(after.get(name))}" for name in names)
