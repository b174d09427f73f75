"""``eventgate migrate``: bring an external database to this version, ahead of a rolling upgrade."""

import sys

import typer

from eventgate.cli.serve import Config


def migrate(config: Config = None) -> None:
    """Apply the migrations that the external database lacks; `serve` does the same at its start."""
    import asyncio

    from eventgate.config import load
    from eventgate.db.migrate import migrate as apply

    url = load(config).database.url
    if not url:
        print("The embedded database is migrated by `eventgate serve`; this is for database.url.", file=sys.stderr)
        raise typer.Exit(1)
    applied = asyncio.run(apply(url))
    print("\n".join(f"applied {name}" for name in applied) or "The database is up to date.")
