"""Rate limits on a whole EventGate of several workers: what gets through is what the limits say.

And what its operator changes is felt by all of them.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from eventgate.db.embedded import EmbeddedPostgres
from eventgate.signing.authkey import AuthKey
from tests.serving import Serving

_LIMIT = 40


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    with TemporaryDirectory(prefix="eventgate-test-") as name:
        Path(name).chmod(0o755)  # the database's account passes through
        with Serving(Path(name), workers=3) as running:
            yield running


@pytest.fixture
async def connection(serving: Serving) -> AsyncIterator[asyncpg.Connection]:
    """To its database."""
    opened = await asyncpg.connect(EmbeddedPostgres(serving.data / "postgres").url_of_running())
    yield opened
    await opened.close()


class _Fired:
    """What became of many requests from many connections, each waiting for its answer before the next."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.workers: set[str] = set()
        self.fields: dict[int, dict[str, str]] = {}
        self.seconds = 0.0

    async def fire(self, url: str, keys: list[str], seconds: float) -> None:
        """``keys`` in turn, from a dozen connections, so many seconds long."""
        began = time.monotonic()
        await asyncio.gather(*(self._one(url, keys[n % len(keys)], began + seconds) for n in range(12)))
        self.seconds = time.monotonic() - began

    async def _one(self, url: str, key: str, end: float) -> None:
        async with aiohttp.ClientSession(headers={"X-API-Key": key}) as session:
            while time.monotonic() < end:
                async with session.get(url) as answer:
                    await answer.read()
                    self.statuses[answer.status] += 1
                    self.fields[answer.status] = dict(answer.headers)
                    if answer.status == 200:
                        self.workers.add(answer.headers["X-Request-Id"][:20])

    @property
    def over(self) -> float:
        """How much more than the limit got through: 0.0 is exactly it."""
        return self.statuses[200] / (_LIMIT * self.seconds) - 1


async def test_a_limit_holds_over_all_workers(serving: Serving, connection: asyncpg.Connection) -> None:
    made = serving.bootstrap
    keys = [made["authKey"], made["adminAuthKey"]]
    await connection.execute("UPDATE api_keys SET rate_limit = $1 WHERE id = $2::text::uuid", _LIMIT, made["keyId"])
    await asyncio.sleep(1)  # what an answer may lag behind a change

    fired = _Fired()
    await fired.fire(f"{serving.url}/v2/edges", keys[:1], 2.5)
    assert set(fired.statuses) == {200, 429}
    assert len(fired.workers) > 1, "only one worker was asked: this shows nothing"
    assert abs(fired.over) < 0.2, fired.statuses
    assert fired.fields[429]["Retry-After"] == "1"
    assert fired.fields[429]["RateLimit"] == '"key";r=0;t=1'
    for fields in fired.fields.values():
        assert fields["RateLimit-Policy"] == f'"key";q={_LIMIT};w=1'

    await connection.execute("UPDATE api_keys SET rate_limit = NULL")
    await connection.execute("UPDATE companies SET rate_limit = $1", _LIMIT)
    await asyncio.sleep(1)
    fired = _Fired()
    await fired.fire(f"{serving.url}/v2/edges", keys, 2.5)
    assert abs(fired.over) < 0.2, fired.statuses
    assert fired.fields[429]["RateLimit-Policy"] == f'"company";q={_LIMIT};w=1'

    await connection.execute("UPDATE companies SET rate_limit = NULL")
    await asyncio.sleep(1)
    fired = _Fired()
    await fired.fire(f"{serving.url}/v2/edges", keys, 0.3)
    assert set(fired.statuses) == {200}
    assert "RateLimit" not in fired.fields[200]


async def test_a_company_is_made_bounded_and_retired(serving: Serving, connection: asyncpg.Connection) -> None:
    """Every change is felt by every worker within a second."""
    operator, theirs = {"X-API-Key": serving.bootstrap["adminAuthKey"]}, AuthKey.mint()
    async with aiohttp.ClientSession(serving.url, headers=operator) as session:
        body = {"name": "Harbour", "rateLimit": 1, "admin": {"login": "ada"}}
        async with session.post("/v2/companies", json=body) as answer:
            assert answer.status == 201
            made = await answer.json()
        await connection.execute(
            """INSERT INTO api_keys (id, company, user_id, public_id, hash, scopes, api_version)
               SELECT $1, company, id, $2, $3, '{edges:read}', '2026-11-22' FROM users WHERE login = 'ada'""",
            uuid4(), theirs.public_id, theirs.hash,
        )  # fmt: skip

        async def asked() -> Counter[int]:
            fired = _Fired()
            await fired.fire(f"{serving.url}/v2/edges", [theirs.whole], 0.2)
            return fired.statuses

        assert (await asked())[429] > 0
        async with session.patch(f"/v2/companies/{made['id']}", json={"rateLimit": None}) as answer:
            assert answer.status == 200
        await asyncio.sleep(1)
        assert set(await asked()) == {200}
        async with session.delete(f"/v2/companies/{made['id']}") as answer:
            assert answer.status == 204
        await asyncio.sleep(1)
        assert set(await asked()) == {401}
