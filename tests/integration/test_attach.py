"""Reading a data directory offline: with EventGate running there, and without."""

from pathlib import Path

import asyncpg
import pytest

from eventgate.config import Configuration
from eventgate.errors import ConfigurationError
from eventgate.processes.attach import attached
from tests.serving import Serving


async def _companies(configuration: Configuration) -> int:
    async with attached(configuration) as url:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval("SELECT count(*) FROM companies")
        finally:
            await connection.close()


async def test_with_and_without_a_running_eventgate(public_path: Path) -> None:
    with Serving(public_path) as serving:
        configuration = Configuration(data=serving.data)
        assert await _companies(configuration) == 1
        assert serving.ready(), "looking on does not disturb it"
    assert await _companies(configuration) == 1
    assert not (serving.data / "postgres" / "cluster" / "postmaster.pid").exists()


async def test_a_directory_without_eventgate(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no EventGate in"):
        await _companies(Configuration(data=tmp_path))
