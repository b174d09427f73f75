"""Fixtures that every room's tests share: one PostgreSQL for the session, a fresh database for a test."""

import itertools
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from eventgate.db.embedded import EmbeddedPostgres
from eventgate.db.migrate import migrate
from eventgate.db.pool import open_pool
from tests.places import public_directory

pytest_plugins = ["tests.services.fixtures", "tests.sharing"]

# A shell starts what runs in its background deaf to SIGINT, and programs under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_TEMPLATE = "migrated"
_numbers = itertools.count()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cluster() -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL of the test session's own; without fsync, for what it holds is thrown away."""
    with public_directory() as directory:
        async with EmbeddedPostgres(directory / "postgres", settings={"fsync": "off"}) as running:
            await _execute(running.url, f"CREATE DATABASE {_TEMPLATE}")
            await migrate(_at(running.url, _TEMPLATE))
            yield running


@pytest.fixture
async def database_url(cluster: EmbeddedPostgres) -> AsyncIterator[str]:
    """The address of a fresh database with every migration applied."""
    name = f"test_{next(_numbers)}"
    await _execute(cluster.url, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy")
    yield _at(cluster.url, name)
    await _execute(cluster.url, f"DROP DATABASE {name} (FORCE)")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """A pool of connections to that database."""
    opened = await open_pool(database_url, size=5)
    yield opened
    opened.terminate()


@pytest.fixture
def public_path() -> Iterator[Path]:
    """Like tmp_path, but any account may enter it: for data directories, whose database root runs as another."""
    with public_directory() as directory:
        yield directory


@pytest.fixture(scope="session", name="public_directory")
def public_directory_of_the_run() -> Iterator[Path]:
    """The same for the whole run."""
    with public_directory() as directory:
        yield directory


def _at(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
