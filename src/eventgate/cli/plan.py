"""``eventgate plan``: what a reload of a configuration would change, before it does.

Touches the configuration's files, EventGate over HTTP, and ``running.json`` in the data directory where it is at hand.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventgate.cli import terminal
from eventgate.cli.gate import Gate
from eventgate.cli.options import HERE, CaFile, Data, Key, Url
from eventgate.cli.serve import Config

if TYPE_CHECKING:
    from eventgate.app.reload import Moves
    from eventgate.config import Configuration

DIFFERS, NEEDS_RESTART = 5, 6
_SAID_WHEN_STARTED = {"data", "http.host", "http.port", "http.workers"}
"""Keys that ``serve`` takes on the command line too, which a file cannot tell."""


def plan(
    config: Config = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for other programs.")] = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """Show what a reload (SIGHUP, `eventgate reload`) of this configuration would change, and what needs a restart.

    Exit codes: 0 nothing differs, 5 a reload brings what differs, 6 some of it needs a restart, 1 a mistake in the
    configuration.

    [bold]Example[/bold]

    eventgate plan --config /etc/eventgate/eventgate.toml
    """
    from eventgate.app.reload import sink_moves
    from eventgate.app.remarks import remarks
    from eventgate.app.sinks import definitions
    from eventgate.app.whole import load_checked

    configuration, sinks = load_checked(config)
    gate = Gate.find(url, key, data, ca_file)
    running = {sink["name"]: sink["definition"] for sink in gate.get("/v2/sinks")["data"]}
    if any(definition is None for definition in running.values()):
        raise ValueError("Only the operator may see how sinks are defined; this key is not one of the operator's.")
    told = definitions(configuration)
    moves = sink_moves(running, told)
    waits = _needs_restart(data, configuration)
    if as_json:
        terminal.print_json({**moves._asdict(), "needsRestart": waits})
    else:
        _show(moves, waits, running, {each.name: each.transport for each in told})
    for remark in remarks(sinks):
        terminal.remark(f"Remark: {remark}")
    if waits:
        raise typer.Exit(NEEDS_RESTART)
    if moves.any:
        raise typer.Exit(DIFFERS)


def _needs_restart(data: Path, configuration: "Configuration") -> list[str] | None:
    """The keys that differ of those that only a start reads; None where the running one's are not at hand."""
    from eventgate.app.reload import restart_keys
    from eventgate.processes.reload import RUNNING

    try:
        running = json.loads((data / RUNNING).read_bytes())
    except OSError:
        return None
    return [key for key in restart_keys(running["keys"], configuration) if key not in _SAID_WHEN_STARTED]


def _show(
    moves: "Moves", waits: list[str] | None, running: Mapping[str, Mapping[str, Any]], transports: Mapping[str, str]
) -> None:
    for name in moves.added:
        terminal.say(f"+ {name}: {transports[name]}, starts", "green")
    for name, keys in moves.changed.items():
        terminal.say(f"~ {name}: {', '.join(keys)}; starts anew from its cursor", "yellow")
        if transports[name] == "kafka" and {"transport", "brokers", "topic"} & {*keys}:
            terminal.say("    What it has delivered stays where it was; the new place gets what comes after.")
    for name in moves.removed:
        terminal.say(f"- {name}: stops; its cursor is kept for when it comes back", "red")
    for name in moves.unchanged:
        terminal.say(f"  {name}: goes on")
    if moves.added and moves.removed:
        terminal.say(
            "A sink that was given another name is a new one: it begins where a new sink begins, not where the old is."
        )
    if waits:
        terminal.say(f"Needs a restart: {', '.join(waits)}", "yellow")
    elif waits is None:
        terminal.say(
            "What only a start reads was not compared: running.json of its data directory is not at hand (--data)."
        )
    if not moves.any and not waits:
        terminal.say("Nothing differs." if running or waits is not None else "No sink differs.")
