"""``eventgate serve``: run EventGate in the foreground."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path | None, typer.Option(envvar="EVENTGATE_DATA", help="Where everything is kept; made if absent.")]
Config = Annotated[Path | None, typer.Option(envvar="EVENTGATE_CONFIG", help="The configuration file (TOML).")]
Port = Annotated[int | None, typer.Option(help="The port to listen on.")]
Host = Annotated[str | None, typer.Option(help="The address to listen on.")]
Workers = Annotated[int | None, typer.Option(help="Processes that take writes and answer searches.")]

ALREADY_RUNNING = 3


def serve(
    data: Data = None, config: Config = None, port: Port = None, host: Host = None, workers: Workers = None
) -> None:
    """Run EventGate in the foreground until Ctrl-C or SIGTERM. SIGHUP rereads the sinks of its configuration."""
    from eventgate.app.remarks import log_remarks, remarks
    from eventgate.app.whole import load_checked
    from eventgate.processes.lock import AlreadyRunning
    from eventgate.processes.parent import serve as run
    from eventgate.telemetry import configure_logging

    http = {"port": port, "host": host, "workers": workers}
    told = {"data": data, "http": {key: value for key, value in http.items() if value is not None}}
    try:
        reread = partial(load_checked, config, {key: value for key, value in told.items() if value is not None})
        configuration, sinks = reread()
        configure_logging(configuration.log.level, configuration.log.style)
        log_remarks(remarks(sinks))
        asyncio.run(run(configuration, reread))
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        raise typer.Exit(ALREADY_RUNNING) from None
