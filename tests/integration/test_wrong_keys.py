"""A thousand wrong keys at once: they wait in a line of their own, and cost the same whichever way they are wrong."""

import asyncio
import secrets
from contextlib import asynccontextmanager

import pytest
from multidict import CIMultiDict

from eventgate.access import Asked, KeyAuthenticator, bootstrap
from eventgate.access.keys.authenticator import MOST_STRANGERS
from eventgate.clock import ManualClock
from eventgate.errors import CallerError, Unavailable
from eventgate.sensors import register
from eventgate.signing.authkey import AuthKey, _checksum

ASKED = Asked("GET", CIMultiDict())


class Watched:
    """A pool that remembers the queries put to it, and can hold back those of strangers."""

    def __init__(self, pool):
        self._pool = pool
        self.queries = []
        self.strangers_may_go = asyncio.Event()
        self.strangers_may_go.set()

    @asynccontextmanager
    async def acquire(self, *, timeout):
        async with self._pool.acquire(timeout=timeout) as connection:
            self._connection = connection
            yield self

    async def fetch(self, query, *arguments, timeout):
        connection = self._connection
        self.queries.append(query)
        if "verify_keys" not in query:
            await self.strangers_may_go.wait()
        return await connection.fetch(query, *arguments, timeout=timeout)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def made(pool, tmp_path, clock):
    return await bootstrap(pool, tmp_path, "http://127.0.0.1", register, clock)


async def refused(keys, text):
    try:
        await keys.authenticate(ASKED, text)
    except (CallerError, Unavailable) as error:
        return error.code
    raise AssertionError("let in")


def with_secret_of_another(text):
    """A key of the same public id whose checksum is right."""
    body = f"egk_{text.split('_')[1]}_{''.join(secrets.choice('0123456789abcdef') for _ in range(43))}"
    return f"{body}_{_checksum(body)}"


async def test_right_keys_do_not_wait_for_wrong_ones(made, pool, clock):
    watched = Watched(pool)
    keys = KeyAuthenticator(watched, clock)
    known = await keys.authenticate(ASKED, made.auth_key)
    watched.strangers_may_go.clear()
    wrong = [asyncio.create_task(refused(keys, AuthKey.mint().whole)) for _ in range(1000)]
    await asyncio.sleep(0)
    clock.advance(5.1)  # what is known of the right key has grown old as well
    assert (await keys.authenticate(ASKED, made.auth_key)).key == known.key
    turned_away = [each for each in wrong if each.done()]
    assert len(turned_away) >= 1000 - 2 * MOST_STRANGERS
    assert {each.result() for each in turned_away} <= {"busy"}
    watched.strangers_may_go.set()
    codes = await asyncio.gather(*wrong)
    assert set(codes) <= {"key-unknown", "busy"}
    assert codes.count("key-unknown") >= MOST_STRANGERS
    assert len(watched.queries) <= 2 + 1 + 3, "the wrong ones shared theirs"


async def test_unknown_and_wrong_keys_cost_the_same(made, pool, clock):
    watched = Watched(pool)
    keys = KeyAuthenticator(watched, clock)
    asked = {}
    for name, text in (("unknown", AuthKey.mint().whole), ("wrong", with_secret_of_another(made.auth_key))):
        watched.queries.clear()
        assert await refused(keys, text) == "key-unknown"
        asked[name] = list(watched.queries)
    assert asked["unknown"] == asked["wrong"]
    assert len(asked["wrong"]) == 1


async def test_the_change_of_one_key_sends_no_other_to_the_database(made, pool, clock):
    watched = Watched(pool)
    keys = KeyAuthenticator(watched, clock)
    admin = await keys.authenticate(ASKED, made.admin_auth_key)
    sensor = await keys.authenticate(ASKED, made.auth_key)
    watched.queries.clear()
    keys.forget(f"key {sensor.key}")
    assert keys.remembered(ASKED, made.admin_auth_key) is admin
    assert keys.remembered(ASKED, made.auth_key) is None
    keys.forget(f"company {admin.company}")
    await asyncio.gather(*(keys.authenticate(ASKED, key) for key in (made.admin_auth_key, made.auth_key)))
    assert len(watched.queries) == 1
