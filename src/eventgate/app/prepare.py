"""What comes before the first child: a database fit to be trusted, its tables, and whoever may use it.

Touches the database and the data directory, once, in the parent.
"""

from eventgate.access.first_start import bootstrap
from eventgate.access.sessions.server_key import load_server_key
from eventgate.clock import SystemClock
from eventgate.config import Configuration
from eventgate.db.durability import demand_durable
from eventgate.db.migrate import migrate
from eventgate.db.pool import open_pool
from eventgate.journal.housekeeping import open_journal
from eventgate.sensors import register


async def prepare(configuration: Configuration, database_url: str) -> None:
    """Make the database ready and, at the first start, a company with its first keys.

    Raises ConfigurationError where the database would forget or is newer than we are, or the sessions' key is none;
    Unavailable where it is away.
    """
    load_server_key(configuration.session_key_file)
    await demand_durable(database_url)
    await migrate(database_url)
    await open_journal(database_url, days_past=configuration.writes.max_age_days)
    pool = await open_pool(database_url, size=1, name="eventgate-prepare")
    try:
        await bootstrap(pool, configuration.data, configuration.http.base_url, register, SystemClock())
    finally:
        await pool.close()
