"""``eventgate sinks``: what went where, what waits, and what people want of it.

Touches EventGate over HTTP and the terminal.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from eventgate.cli import terminal
from eventgate.cli.gate import Gate, everything, segment
from eventgate.cli.options import AsJson, Find, asks
from eventgate.cli.where import told_receipt

_PATH = "/v2/sinks"
_STATES = {
    "running": "green",
    "retrying": "yellow",
    "paused": "cyan",
    "disabled": "bold red",
    "cursor-lost": "bold red",
}

sinks = typer.Typer(
    name="sinks",
    rich_markup_mode="rich",
)

Name = Annotated[str, typer.Argument(help="The sink's name, as configured.", metavar="NAME")]
All = Annotated[bool, typer.Option("--all", "-a", help="Also those that were removed from the configuration.")]


@sinks.callback(invoke_without_command=True)
@asks
def _without_a_command(
    find: Find,
    context: typer.Context,
    *,
    removed_too: All = False,
    as_json: AsJson = False,
) -> None:
    """Show where events go: each sink's state, what it delivered, what is still to come. Deliver the past again.

    [bold]Examples[/bold]

    eventgate sinks

    eventgate sinks rewind soc --to '2026-11-20 14:00' --dry-run
    """
    if context.invoked_subcommand is None:
        _list(find(), removed_too=removed_too, as_json=as_json)


@sinks.command("list")
@asks
def list_sinks(find: Find, *, removed_too: All = False, as_json: AsJson = False) -> None:
    """Show every sink: its state, what it delivered, and what is still to come.

    Delivered + filtered + dead + expired + pending is everything stored since the sink began. A line that begins with
    "again" is what is being delivered once more, beside what is new. A sink that was removed from the configuration
    keeps its place for when it comes back, until it is forgotten.

    [bold]Examples[/bold]

    eventgate sinks

    eventgate sinks --all

    eventgate sinks list --json | jq 'select(.pending > 1000) | .name'
    """
    _list(find(), removed_too=removed_too, as_json=as_json)


@sinks.command()
@asks
def rewind(
    find: Find,
    name: Name,
    *,
    to: Annotated[
        str,
        typer.Option(
            help="Deliver again what came after: '2026-11-20 14:00' or '2026-11-20 14:00:30.5' (UTC), RFC 3339, or a "
            "position of the journal; 0: all."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much that is, and how long.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Even if something is being delivered again: that ends where it is.")
    ] = False,
) -> None:
    """Deliver the past again, beside what is new: each event with its id, marked as a replay.

    [bold]Examples[/bold]

    eventgate sinks rewind soc --to '2026-11-20 14:00' --dry-run

    eventgate sinks rewind soc --to 0
    """
    body: dict[str, Any] = {"to": int(to) if to.isascii() and to.isdigit() else to, "dryRun": dry_run}
    if replace:
        body["replace"] = True
    told = find().post(f"{_PATH}/{segment(name)}/rewind", body)
    events = terminal.counted(told["events"], "event")
    said = f"{events} would be delivered" if dry_run else f"Generation {told['generation']} delivers {events}"
    how_long = terminal.at_the_rate(told["seconds"])
    terminal.say(f"{said} again, less what the sink's filter leaves out, {how_long}.")


@sinks.command()
@asks
def pause(find: Find, name: Name) -> None:
    """Stop delivering to a sink. It keeps its place, and rests until it is resumed, over restarts too."""
    _ask(find(), name, "pause")


@sinks.command()
@asks
def resume(find: Find, name: Name) -> None:
    """Deliver again to a sink that was paused, or disabled by its receiver, from where it stood."""
    _ask(find(), name, "resume")


@sinks.command("test")
@asks
def send_test(find: Find, name: Name) -> None:
    """Send one event that is marked as a test, and say what came back."""
    _ask(find(), name, "test")


@sinks.command()
@asks
def forget(
    find: Find,
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")] = False,
) -> None:
    """Forget a sink that was removed from the configuration: its place, its ledger, its dead letters and receipts.

    The journal keeps its list of commits from the place of a removed sink on, for when it comes back. Forgotten, it
    holds nothing any more, and a sink of the same name begins as a new one.

    [bold]Examples[/bold]

    eventgate sinks --all

    eventgate sinks forget old-soc
    """
    gate, path = find(), f"{_PATH}/{segment(name)}"
    if not yes:
        _demand_removed(gate, name)
        typer.confirm(
            f"Forget {terminal.defused(name)}? Its place, ledger, dead letters and receipts are deleted, "
            "and this cannot be undone",
            abort=True,
        )
    gate.delete(path)
    terminal.say(f"{name} is forgotten.")


def _demand_removed(gate: Gate, name: str) -> None:
    """Raise ValueError for a sink that cannot be forgotten, before anybody is asked whether it is meant."""
    known = {
        sink["name"]: sink["configured"] for sink in everything(gate, _PATH, [("limit", "100"), ("status", "all")])
    }
    if name not in known:
        raise ValueError(f"There is no sink {terminal.defused(name)}, neither configured nor removed.")
    if known[name]:
        raise ValueError(f"{name} is configured. Take it out of the configuration, and reload, before it is forgotten.")


def _list(gate: Gate, *, removed_too: bool, as_json: bool) -> None:
    found = everything(gate, _PATH, [("limit", "100"), *([("status", "all")] if removed_too else [])])
    if as_json:
        terminal.print_json(*found)
    elif found:
        _show(found)
    else:
        terminal.remark("No sink is configured. [[sinks]] in the configuration file makes one.")


def _ask(gate: Gate, name: str, verb: str) -> None:
    told = gate.post(f"{_PATH}/{segment(name)}/{verb}")
    said = f" ({told_receipt(told['receipt'])})" if told.get("receipt") else ""
    terminal.say(f"{name}: {told['detail']}{said}")


def _show(found: list[dict[str, Any]]) -> None:
    counted = ("Delivered", "Filtered", "Dead", "Expired", "Pending", "Behind")
    rows = [row for sink in found for row in _rows(sink)]
    terminal.table(("Sink", "State", "Guarantee", *counted), rows, right=counted)
    for sink in found:
        for trouble in troubles(sink):
            terminal.remark(f"{sink['name']}: {trouble}")


def _rows(sink: Mapping[str, Any]) -> Iterator[Sequence[str | Text]]:
    """The sink's own, and one for what it delivers again."""
    state = terminal.plain(sink["state"], _STATES.get(sink["state"], ""))
    if not sink["configured"]:
        state = terminal.plain("removed", "dim")
    yield sink["name"], state, sink["guarantee"], *_counts(sink), terminal.duration(sink["lagSeconds"])
    if (replay := sink["replay"]) and replay["pending"]:
        left = "" if replay["secondsLeft"] is None else terminal.duration(replay["secondsLeft"])
        yield "again", "", f"generation {replay['generation']}", *_counts(replay), left


def troubles(sink: Mapping[str, Any]) -> list[str]:
    """What is wrong with a sink now: its alarms, and its last error while it does not run; what a removed one holds."""
    if not sink["configured"]:
        return [_held(sink)]
    said = [f"{alarm['code']}: {alarm['detail']}" for alarm in sink["alarms"]]
    error = sink["lastError"]
    if error and sink["state"] != "running" and not any(error in each for each in said):
        said.append(error)
    return said


def _held(sink: Mapping[str, Any]) -> str:
    """Why a removed sink is not free."""
    forget = f"`eventgate sinks forget {sink['name']}` ends that"
    if not sink["lagSeconds"]:
        return f"removed; it holds the journal's list of what comes from now on; {forget}"
    events = "events" if sink["lagEvents"] is None else f"{sink['lagEvents']:,} events"
    oldest = terminal.duration(sink["lagSeconds"])
    return f"removed; it holds the journal's list of {events}, the oldest {oldest} old; {forget}"


def _counts(told: Mapping[str, Any]) -> list[str]:
    """What would tell of other companies' events is the operator's alone, and None for the others."""
    numbers = [told[name] for name in ("delivered", "filtered", "dead", "expired", "pending")]
    return ["-" if number is None else f"{number:,}" for number in numbers]
