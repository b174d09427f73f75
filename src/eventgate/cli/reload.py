"""``eventgate reload``: have the EventGate that runs here read its configuration again, and say what became of it.

Touches the data directory and sends a signal to the process that holds it.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import typer

from eventgate.cli.options import HERE, Data

_PATIENCE_SECONDS = 45.0


def reload(data: Data = HERE) -> None:
    """Have the EventGate that runs on this data directory read its sinks again, as SIGHUP does.

    `eventgate plan` shows beforehand what would change.
    """
    from eventgate.processes.lock import holder
    from eventgate.processes.reload import OUTCOME, REFUSED, TAKEN

    path = data / OUTCOME
    before = _read(path)
    os.kill(holder(data), signal.SIGHUP)
    outcome = _next(path, before)
    for name in outcome["added"]:
        print(f"{name}: started")
    for name, keys in outcome["changed"].items():
        print(f"{name}: started anew from its cursor ({', '.join(keys)})")
    for name in outcome["removed"]:
        print(f"{name}: stopped")
    if outcome["needs_restart"]:
        print(f"Needs a restart: {', '.join(outcome['needs_restart'])}", file=sys.stderr)
    for remark in outcome.get("remarks", ()):  # an older one has none
        print(f"Remark: {remark}", file=sys.stderr)
    for mistake in outcome["mistakes"]:
        print(mistake, file=sys.stderr)
    if outcome["outcome"] == REFUSED:
        print("Refused; nothing has changed.", file=sys.stderr)
    elif outcome["outcome"] == TAKEN:
        print("Taken.")
    if outcome["outcome"] != TAKEN:
        raise typer.Exit(1)


def _next(path: Path, before: dict[str, Any] | None) -> dict[str, Any]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (outcome := _read(path)) is not None and outcome != before:
            return outcome
        time.sleep(0.05)
    raise TimeoutError(f"No outcome within {_PATIENCE_SECONDS:.0f} s; the log of EventGate may say more.")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return found
