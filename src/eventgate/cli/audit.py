"""``eventgate audit``: who changed what, newest first.

Touches EventGate over HTTP and the terminal.
"""

import json
from typing import Any

from eventgate.cli import terminal
from eventgate.cli.gate import filter_parameters, first
from eventgate.cli.options import AsJson, Filters, Find, Limit, asks

_SHOWN_CHARACTERS = 120


@asks
def audit(
    find: Find,
    *,
    filters: Filters = None,
    limit: Limit = 25,
    as_json: AsJson = False,
) -> None:
    r"""Show who changed what, when and from where, newest first.

    The conditions are those of [bold]eventgate alerts[/bold], over the fields of the audit log.
    The table shows which members of an object changed; --json has it whole, before and after.

    [bold]Examples[/bold]

    eventgate audit

    eventgate audit -f 'action·is·"key.create"' -f 'timestamp·isAfter·2026-11-22 08:00'

    eventgate audit -f 'remote contains "192.0.2."' --json
    """
    shown = 0
    for page in first(find(), "/v2/audit", filter_parameters(filters), limit):
        shown += len(page["data"])
        if as_json:
            terminal.print_json(*page["data"])
        else:
            _show(page["data"])
    if not as_json:
        terminal.remark(f"{shown:,} shown, newest first" if shown else "No line matches.", "dim")


def _show(found: list[dict[str, Any]]) -> None:
    rows = [
        (
            terminal.local_time(line["timestamp"]),
            *(line[name] or "-" for name in ("actor", "remote", "action", "objectId")),
            changed(line["before"], line["after"])[:_SHOWN_CHARACTERS],
        )
        for line in found
    ]
    if rows:
        terminal.table(("Time", "Who", "From", "Action", "Object", "Changed"), rows, fold=("Object", "Changed"))


def changed(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    """What is different, in one line; nothing for what was made or taken away as a whole, or for the time of it."""
    if before is None or after is None:
        return ""
    if before.keys().isdisjoint(after):  # where a thing stood, and what was asked of it
        return ", ".join(f"{name}: {json.dumps(value)}" for name, value in after.items())
    names = [name for name in {**before, **after} if before.get(name) != after.get(name) and name != "updatedAt"]
    return ", ".join(f"{name}: {json.dumps(before.get(name))} → {json.dumps(after.get(name))}" for name in names)
