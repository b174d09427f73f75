"""``eventgate send``: sign events and post them, from a file, standard input, or made up.

Touches the file, EventGate over HTTP, and the terminal.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from eventgate.cli import terminal
from eventgate.cli.gate import sensor
from eventgate.cli.options import HERE, CaFile, Data, Key, Url
from eventgate.cli.source import Line, read

_REFUSED = 1


def send(
    file: Annotated[
        str | None, typer.Argument(help="A JSON or NDJSON file; - is standard input.", show_default=False)
    ] = None,
    *,
    sample: Annotated[int | None, typer.Option(min=1, help="Send so many made-up Wi-Fi alerts instead.")] = None,
    batch: Annotated[int, typer.Option(min=1, max=5000, help="Events in one signed write.")] = 500,
    signing_key: Annotated[
        Path | None, typer.Option(envvar="EVENTGATE_SIGNING_KEY", help="File with the private key (PEM).")
    ] = None,
    verify_key_id: Annotated[
        str | None, typer.Option(envvar="EVENTGATE_VERIFY_KEY_ID", help="The verify key that belongs to it.")
    ] = None,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """Sign events and post them. Whatever is sent twice is stored once.

    A file holds one JSON object, an array of them, or one object a line (NDJSON).
    Rejected events are shown with their line; the others are stored nevertheless,
    and the exit code is 1.

    [bold]Examples[/bold]

    eventgate send --sample 1000

    eventgate send alerts.ndjson

    sensor-log | eventgate send - --batch 1
    """
    if (file is None) == (sample is None):
        raise typer.BadParameter("name a file (or - for standard input), or else --sample N", param_hint="FILE")
    from eventgate.cli.sending import Sending, batches

    with ExitStack() as stack:
        client = stack.enter_context(
            sensor(url, key, data, ca_file=ca_file, signing_key=signing_key, verify_key_id=verify_key_id)
        )
        if sample is not None:
            lines = _samples(sample)
        else:
            lines = read(sys.stdin.buffer if file == "-" else stack.enter_context(Path(str(file)).open("rb")))
        sending = Sending(client, sample)
        try:
            sending.run(batches(lines, batch))
        except BaseException:
            again = "" if sample else " Send the same again: what is stored already is not stored twice."
            terminal.remark(f"Stopped early. {sending.summary()}{again}")
            raise
    terminal.remark(sending.summary())
    if sending.rejected:
        raise typer.Exit(_REFUSED)


def _samples(count: int) -> Iterator[Line]:
    import json
    import random
    import time

    from eventgate.cli.sample import alerts

    for number, alert in enumerate(alerts(count, random.Random(), time.time), 1):  # noqa: S311 - made-up events
        yield Line(number, json.dumps(alert, ensure_ascii=False).encode())
