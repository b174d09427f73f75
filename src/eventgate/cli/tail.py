"""``eventgate tail``: follow alerts as they are committed.

Touches EventGate over HTTP and the terminal. A lost connection is taken up again where it broke.
"""

import json
import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import Annotated, Any

import typer
from rich.text import Text

from eventgate.cli import terminal
from eventgate.cli.gate import Gate, filter_parameters
from eventgate.cli.options import AsJson, Filters, Find, asks
from eventgate.cli.sse import Message, Reader
from eventgate.errors import Unavailable

_SHORTEST_WAIT, _LONGEST_WAIT = 0.5, 10.0


@asks
def tail(
    find: Find,
    *,
    filters: Filters = None,
    after: Annotated[str | None, typer.Option(help="Go on after this place, as an earlier tail told it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Follow alerts as they are committed, until Ctrl-C.

    [bold]Examples[/bold]

    eventgate tail

    eventgate tail -f 'severity·>·6'

    eventgate tail --json | jq -r .message
    """
    gate, reader, seen = find(), Reader(after or ""), 0
    try:
        for message in _follow(gate, reader, filter_parameters(filters)):
            alert = json.loads(message.text)
            seen += 1
            if as_json:
                print(json.dumps(alert), flush=True)
            else:
                _show(alert)
    except KeyboardInterrupt:
        place = f" Go on with --after {reader.last_id}" if reader.last_id else ""
        terminal.err.print(f"\nStopped after {seen:,} alerts.{place}", style="dim")
        raise


def _follow(gate: Gate, reader: Reader, parameters: list[tuple[str, str]]) -> Iterator[Message]:
    """Every alert message, over as many connections as it takes once the first was made."""
    wait = 0.0
    while True:
        try:
            headers = {"Last-Event-ID": reader.last_id} if reader.last_id else {}
            with gate.stream("/v2/alerts/stream", parameters, headers) as response:
                terminal.remark("Following; Ctrl-C stops.", "dim")
                wait = _SHORTEST_WAIT
                for line in response:
                    message = reader.feed(line.decode("utf-8", "replace").rstrip("\r\n"))
                    if message and message.event == "alert":
                        yield message
                    elif message and message.event == "expired":
                        terminal.complain(f"{json.loads(message.text)['expired']:,} events are no longer kept.")
        except (OSError, HTTPException, Unavailable) as error:
            if not wait:
                raise
            terminal.complain(f"{error}; trying again.")
        time.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


def _show(alert: dict[str, Any]) -> None:
    sensor = alert["edgeName"] or alert["serial"] or "-"
    line = Text.assemble(
        (terminal.local_time(alert["timestamp"]), "dim"), "  ", terminal.severity(alert["severity"]), "  ",
        (terminal.defused(alert["alertCode"] or "-"), "bold"), "  ", terminal.defused(sensor), "  ",
        terminal.defused(alert["message"] or ""),
    )  # fmt: skip
    terminal.out.print(line)
