"""The command line: one module per subcommand.

Touches the terminal, and EventGate over HTTP like any other caller; serve, check and migrate run it.
"""


def main() -> None:
    """Run the command that was typed; the console script's entry."""
    from eventgate.cli.commands import run

    run()
