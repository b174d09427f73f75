"""The addresses that say where events went: custody, dead letters, previews.

Touches what its rooms touch; wires them.
"""

from collections.abc import Sequence

import asyncpg

from eventgate.access import Audit
from eventgate.alerts.search import AlertSearch
from eventgate.api.custody import CustodyOfEvents
from eventgate.api.dead_letters import DeadLettersOfSinks
from eventgate.api.previews import Previews
from eventgate.api.routes import Route
from eventgate.journal.reading import Journal
from eventgate.sensors.directory import Directory
from eventgate.sinks.custody import CustodyOf
from eventgate.sinks.dead_letters import DeadLetters
from eventgate.sinks.requests import Requests
from eventgate.sinks.store import SinkStore


def whereabouts_routes(
    pool: asyncpg.Pool, journal: Journal, directory: Directory, search: AlertSearch, audit: Audit
) -> Sequence[Route]:
    store, requests = SinkStore(pool, journal), Requests(pool)
    return [
        *CustodyOfEvents(journal, store, CustodyOf(pool), directory.names_of).routes(),
        *DeadLettersOfSinks(store, DeadLetters(pool), requests, search, audit).routes(),
        *Previews(store, requests, journal).routes(),
    ]
