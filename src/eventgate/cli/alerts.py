"""``eventgate alerts``: search what the sensors reported, newest first.

Touches EventGate over HTTP and the terminal.
"""

from typing import Any

from eventgate.cli import terminal
from eventgate.cli.gate import filter_parameters, first
from eventgate.cli.options import AsJson, Filters, Find, Limit, asks


@asks
def alerts(
    find: Find,
    *,
    filters: Filters = None,
    limit: Limit = 25,
    as_json: AsJson = False,
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
    shown, opening = 0, None
    for page in first(find(), "/v2/alerts", filter_parameters(filters), limit):
        shown, opening = shown + len(page["data"]), opening or page
        if as_json:
            terminal.print_json(*page["data"])
        else:
            _show(page["data"])
    if not as_json and opening:
        terminal.remark(_footer(shown, opening), "dim")


def _show(found: list[dict[str, Any]]) -> None:
    rows = [
        (
            terminal.local_time(alert["timestamp"]),
            terminal.severity(alert["severity"]),
            alert["alertCode"] or "-",
            alert["edgeName"] or alert["serial"] or "-",
            alert["message"] or "",
        )
        for alert in found
    ]
    if rows:
        terminal.table(("Time", "Sev", "Code", "Sensor", "Message"), rows, fold=("Message",))


def _footer(shown: int, page: dict[str, Any]) -> str:
    if not shown:
        return "No alert matches."
    total, at_least = page.get("total"), page.get("totalRelation") == "atLeast"
    return f"{shown:,} of {'at least ' if at_least else ''}{total:,}, newest first" if total else f"{shown:,} shown"
