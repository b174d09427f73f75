"""``eventgate alerts``: search what the sensors reported, newest first.

Touches EventGate over HTTP and the terminal.
"""

import json
from typing import Annotated, Any

import typer
from rich.text import Text

from eventgate.cli import terminal
from eventgate.cli.gate import HERE, CaFile, Data, Filters, Gate, Key, Url, filter_parameters, pages

_PATH = "/v2/alerts"
_PAGE = 100


def alerts(
    *,
    filters: Filters = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")] = 25,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, whole, for other programs.")] = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    r"""Search alerts, newest first.

    A condition is field, operator and value, apart by middle dots or blanks.
    Several must all hold. Strings stand in double quotes, times are UTC.

    [bold]Examples[/bold]

    eventgate alerts

    eventgate alerts -f 'severity·>·6' -f 'timestamp·isAfter·2026-11-22 08:00'

    eventgate alerts -f 'message contains "Lobby"' -f 'data.channel is 6'

    eventgate alerts -f 'alertCode isAnyOf \["APSPOOF","KARMAOUI"]' --limit 1000 --json
    """
    gate = Gate.find(url, key, data, ca_file)
    left, first = limit, None
    for page in pages(gate, _PATH, [*filter_parameters(filters), ("limit", str(min(limit, _PAGE)))]):
        found = page["data"][:left]
        left -= len(found)
        if as_json:
            for alert in found:
                print(json.dumps(alert))
        else:
            _show(found)
        first = first or page
        if not left:
            break
    if not as_json and first:
        terminal.err.print(_footer(limit - left, first), style="dim")


def _show(found: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Time", "Sev", "Code", "Sensor"):
        table.add_column(column, no_wrap=True)
    table.add_column("Message", overflow="fold")
    for alert in found:
        table.add_row(
            Text(terminal.local_time(alert["timestamp"])),
            terminal.severity(alert["severity"]),
            Text(terminal.defused(alert["alertCode"] or "-")),
            Text(terminal.defused(alert["edgeName"] or alert["serial"] or "-")),
            Text(terminal.defused(alert["message"] or "")),
        )
    if found:
        terminal.out.print(table, soft_wrap=False)


def _footer(shown: int, page: dict[str, Any]) -> str:
    if not shown:
        return "No alert matches."
    total, at_least = page.get("total"), page.get("totalRelation") == "atLeast"
    return f"{shown:,} of {'at least ' if at_least else ''}{total:,}, newest first" if total else f"{shown:,} shown"
