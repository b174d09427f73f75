"""Options that several commands take: which EventGate they ask, how much of a list they show, and in which form.

Touches nothing.
"""

import inspect
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from eventgate.cli.gate import Gate

_PANEL = "Which EventGate"
Url = Annotated[
    str | None,
    typer.Option(envvar="EVENTGATE_URL", help="Its address, such as https://gate.example.", rich_help_panel=_PANEL),
]
Key = Annotated[str | None, typer.Option(envvar="EVENTGATE_KEY", help="The auth key, egk_…", rich_help_panel=_PANEL)]
Data = Annotated[
    Path,
    typer.Option(
        envvar="EVENTGATE_DATA",
        help="The data directory whose bootstrap.json tells what is not said otherwise.",
        rich_help_panel=_PANEL,
    ),
]
CaFile = Annotated[
    Path | None,
    typer.Option(envvar="EVENTGATE_CA_FILE", help="Whom to trust for https, as PEM.", rich_help_panel=_PANEL),
]
HERE = Path("data")

Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter", "-f", help="A condition: 'severity·>·6', or with blanks 'severity > 6'. Repeat it to narrow down."
    ),
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, whole, for other programs.")]

Find = Callable[[], Gate]
"""Finds the EventGate that a command is to ask. Raises ValueError where nobody said which."""


def asks(command: Callable[..., None]) -> Callable[..., None]:
    """A command's parameter ``find`` as the options that say which EventGate it asks, below all others."""

    def which(url: Url = None, key: Key = None, data: Data = HERE, ca_file: CaFile = None) -> Find:
        return partial(Gate.find, url, key, data, ca_file)

    said = inspect.signature(which).parameters

    @wraps(command)
    def asking(**typed: Any) -> None:
        told = {name: typed.pop(name) for name in said}
        command(find=which(**told), **typed)

    own = [each for name, each in inspect.signature(command, eval_str=True).parameters.items() if name != "find"]
    every = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *said.values())]
    cast("Any", asking).__signature__ = inspect.Signature(every)
    return asking
