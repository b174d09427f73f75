"""The database of a data directory for a command that reads it offline, whether EventGate runs there or not.

Touches the lock and the embedded PostgreSQL, which it starts for the while if nobody runs it.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from eventgate.config import Configuration
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.errors import ConfigurationError, FieldError
from eventgate.processes.lock import AlreadyRunning, DataDirectory


@asynccontextmanager
async def attached(configuration: Configuration) -> AsyncIterator[str]:
    """The address of the database, as long as entered. Raises ConfigurationError, Unavailable."""
    if configuration.database.url:
        yield configuration.database.url
        return
    directory = configuration.data / "postgres"
    if not directory.exists():
        detail = f"there is no EventGate in {configuration.data}; name its data directory"
        raise ConfigurationError("data directory", [FieldError("data", "missing", detail)])
    postgres = EmbeddedPostgres(directory, settings=configuration.database.settings)
    async with AsyncExitStack() as stack:
        try:
            stack.enter_context(DataDirectory(configuration.data, "reading the journal"))
        except AlreadyRunning:
            url = postgres.url_of_running()
        else:
            await stack.enter_async_context(postgres)
            url = postgres.url
        yield url
