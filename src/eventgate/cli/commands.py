"""Every subcommand, and what becomes of an error: one readable paragraph and an exit code.

Touches the terminal. Commands import what they need when they run, so that ``--help`` is quick.
"""

import inspect
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

from eventgate.cli import terminal
from eventgate.cli.alerts import alerts
from eventgate.cli.audit import audit
from eventgate.cli.check import check
from eventgate.cli.companies import companies
from eventgate.cli.dead_letters import letters, preview, redrive
from eventgate.cli.keys import keys
from eventgate.cli.migrate import migrate
from eventgate.cli.plan import plan
from eventgate.cli.reload import reload
from eventgate.cli.send import send
from eventgate.cli.serve import serve
from eventgate.cli.sinks import sinks
from eventgate.cli.tail import tail
from eventgate.cli.users import users
from eventgate.cli.verify import verify
from eventgate.cli.where import where
from eventgate.errors import CallerError, ConfigurationError, EventGateError, Unavailable

REFUSED, MISTYPED, OUT_OF_REACH, INTERRUPTED = 1, 2, 4, 130


def _show_version(asked: bool) -> None:
    if asked:
        print(f"eventgate {version('eventgate')}")
        raise typer.Exit


app = typer.Typer(
    name="eventgate",
    help="The gate between security sensors and everyone who needs what they see.",
    epilog="Exit codes: 0 done, 1 refused or not whole, 2 mistyped, 3 running already, 4 out of reach, 5 and 6 "
    "something differs (plan), 130 stopped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _eventgate(
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Show the version and exit.", callback=_show_version)
    ] = False,
) -> None:
    """Options of the command itself; its callback has done what there is to do."""


_COMMANDS: dict[str, tuple[Callable[..., None], ...]] = {
    "Run it": (serve, check, plan, reload, migrate),
    "Use it": (send, alerts, tail),
    "Trust it": (where, verify, audit),
}
for panel, commands in _COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
for command in (letters, redrive, preview):
    sinks.command()(command)
app.add_typer(sinks, rich_help_panel="Use it")
for group in (keys, users, companies):
    app.add_typer(group, rich_help_panel="Say who may do what")


def _let_help_flow(group: typer.Typer) -> None:
    """Break the lines of help where the terminal ends: docstrings break theirs at the width of code."""
    for each in group.registered_commands:
        paragraphs = inspect.cleandoc(each.callback.__doc__ or "").split("\n\n") if each.callback else []
        each.help = "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


for group in (app, sinks, keys, users, companies):
    _let_help_flow(group)


def run() -> None:
    """Run the command that was typed, and end the process with its exit code."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(terminal.reader_left())
    except (EventGateError, OSError, ValueError) as error:
        terminal.complain(*explain(error))
        sys.exit(exit_code(error))


def exit_code(error: Exception) -> int:
    if isinstance(error, Unavailable | ConnectionError):
        return OUT_OF_REACH
    return REFUSED if isinstance(error, EventGateError) else MISTYPED


def explain(error: Exception) -> list[str]:
    """What went wrong, as lines of text for people."""
    if isinstance(error, CallerError):
        more = [f"{each.pointer}: {each.detail}" for each in error.errors if each.detail not in error.detail]
        return [f"{error.detail} ({error.status} {error.code})", *more]
    if isinstance(error, Unavailable):
        return [error.detail]
    if isinstance(error, ConnectionError):
        return [f"{error}. Is it running? `eventgate serve` starts it."]
    if isinstance(error, ConfigurationError):
        return str(error).splitlines()
    if isinstance(error, OSError) and error.filename:
        return [f"{error.filename}: {error.strerror}"]
    return [str(error)]
