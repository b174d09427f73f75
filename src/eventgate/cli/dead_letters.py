"""``eventgate sinks letters``, ``redrive`` and ``preview``: what a receiver would not take, and what it would be given.

Touches EventGate over HTTP and the terminal.
"""

import json
import sys
from base64 import b64decode
from typing import Annotated, Any

import typer

from eventgate.cli import terminal
from eventgate.cli.gate import filter_parameters, first, segment
from eventgate.cli.options import AsJson, Filters, Find, Limit, asks

Sink = Annotated[str, typer.Argument(metavar="SINK", help="The sink's name.")]


@asks
def letters(
    find: Find,
    sink: Sink,
    event: Annotated[str | None, typer.Argument(metavar="[ID]", help="One event: all that is known of it.")] = None,
    *,
    filters: Filters = None,
    limit: Limit = 25,
    as_json: AsJson = False,
) -> None:
    r"""Show the events that a sink's receiver would not take, newest first, and why.

    [bold]Examples[/bold]

    eventgate sinks letters soc

    eventgate sinks letters soc -f 'reason contains "too long"'

    eventgate sinks letters soc 0199b0a4-7d3c-7a50-8000-0123456789ab --json
    """
    gate = find()
    path = f"/v2/sinks/{segment(sink)}/dead-letters"
    if event is not None:
        _show_one(gate.get(f"{path}/{segment(event)}"), as_json=as_json)
        return
    shown = 0
    for page in first(gate, path, filter_parameters(filters), limit):
        shown += len(page["data"])
        if as_json:
            terminal.print_json(*page["data"])
        else:
            _show(page["data"])
    if not as_json:
        terminal.remark(f"{shown:,} shown, newest first" if shown else "There are none.", "dim")


@asks
def redrive(
    find: Find,
    sink: Sink,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these events.")] = None,
    *,
    filters: Filters = None,
    everything: Annotated[bool, typer.Option("--all", help="Every letter that never went again.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Even if a replay is under way: it ends there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many would go, and how long.")] = False,
) -> None:
    """Bring dead letters to the sink's receiver again, beside what is new, marked as a replay.

    [bold]Examples[/bold]

    eventgate sinks redrive soc --all --dry-run

    eventgate sinks redrive soc -f 'reason contains "too long"'
    """
    if [bool(ids), bool(filters), everything].count(True) != 1:
        raise typer.BadParameter("give ids, or filters, or --all")
    body: dict[str, Any] = {"replace": replace, "dryRun": dry_run}
    if ids:
        body["ids"] = ids
    elif filters:
        body["filter"] = [text for _, text in filter_parameters(filters)]
    else:
        body["all"] = True
    told = find().post(f"/v2/sinks/{segment(sink)}/dead-letters/redrive", body)
    what = terminal.counted(told["events"], "dead letter")
    said = f"{what} would go" if dry_run else f"Generation {told['generation']} brings {what}"
    terminal.say(f"{said} again, {terminal.at_the_rate(told['seconds'])}.")


@asks
def preview(
    find: Find,
    sink: Sink,
    event: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    *,
    as_json: AsJson = False,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes and nothing else, as they would be sent.")] = False,
) -> None:
    """Show what a sink would write of an event, and whether its filter lets it through. Nothing is sent.

    [bold]Examples[/bold]

    eventgate sinks preview soc 0199b0a4-7d3c-7a50-8000-0123456789ab

    eventgate sinks preview soc 0199b0a4-7d3c-7a50-8000-0123456789ab --raw | xxd
    """
    told = find().post(f"/v2/sinks/{segment(sink)}/preview", {"id": event})
    if raw:
        sys.stdout.buffer.write(b64decode(told["body"]))
    elif as_json:
        terminal.print_json(told)
    else:
        _show_preview(told)


def _show_preview(told: dict[str, Any]) -> None:
    terminal.say(told["text"] if told["text"] is not None else told["body"])
    wanted = "the filter lets it through" if told["wanted"] else _left_out(told["condition"])
    limit = "" if told["limitBytes"] is None else f" of at most {told['limitBytes']:,}"
    fits = "" if told["fits"] else ": TOO LONG"
    terminal.remark(f"{told['contentType']}, {told['bytes']:,} bytes{limit}{fits}; {wanted}")


def _left_out(condition: str | None) -> str:
    """No condition says no of another company's event, and of an alert about the sink itself."""
    return f"left out by {condition}" if condition else "left out: another company's, or about this sink itself"


def _show(found: list[dict[str, Any]]) -> None:
    rows = [
        (
            terminal.local_time(letter["diedAt"]),
            letter["eventId"],
            "-" if letter["redrivenIn"] is None else f"in {letter['redrivenIn']}",
            letter["reason"],
        )
        for letter in found
    ]
    if rows:
        terminal.table(("Died", "Event", "Again", "Reason"), rows, fold=("Reason",))


def _show_one(letter: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.print_json(letter)
        return
    terminal.say(letter["reason"])
    if letter["event"] is not None:
        for line in json.dumps(letter["event"], indent=2, ensure_ascii=False).splitlines():
            terminal.say(line)
    if letter["preview"] is not None:
        _show_preview(letter["preview"])
