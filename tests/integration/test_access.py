"""Access on a real database: what the first start makes, who a key is, how soon a change is felt."""

import asyncio
import json
import stat
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from multidict import CIMultiDict

from eventgate.access import SCOPES, Asked, Authenticator, KeyAuthenticator, Principal, bootstrap
from eventgate.clock import ManualClock
from eventgate.db.listen import Listener
from eventgate.errors import CallerError, Unavailable
from eventgate.sensors import register
from eventgate.signing.authkey import AuthKey
from eventgate.signing.keys import SigningKey

URL = "http://127.0.0.1:8080"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def made(pool, tmp_path, clock):
    return await bootstrap(pool, tmp_path, URL, register, clock)


@pytest.fixture
def authenticator(pool, clock):
    return Authenticator(KeyAuthenticator(pool, clock))


async def ask(authenticator: Authenticator, key: str, remote: str = "192.0.2.1") -> Principal:
    return await authenticator.authenticate(Asked("GET", CIMultiDict(Authorization=f"Bearer {key}"), "", remote))


async def refusal(authenticator: Authenticator, key: str, remote: str = "192.0.2.1") -> tuple[int, str]:
    with pytest.raises(CallerError) as caught:
        await ask(authenticator, key, remote)
    return caught.value.status, caught.value.code


async def test_first_start_tells_its_secrets_in_a_private_file(made, tmp_path):
    file = tmp_path / "bootstrap.json"
    members = json.loads(file.read_text())
    assert set(members) == {
        "url", "companyId", "adminUser", "adminPassword", "adminAuthKey", "keyId", "authKey", "verifyKeyId",
        "signingKeyFile", "edgeId", "serial",
    }  # fmt: skip
    assert members["url"] == URL
    signing_key_file = Path(members["signingKeyFile"])
    assert signing_key_file.is_absolute()
    for private in (file, signing_key_file):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bootstrap.json", "signing-key.pem"]


async def test_the_admin_key_may_do_everything(made, authenticator):
    admin = await ask(authenticator, made.admin_auth_key)
    assert admin.scopes == set(SCOPES)
    assert (admin.operator, admin.edge) == (True, None)


async def test_the_sensor_key_writes_for_its_sensor_and_verifies(made, authenticator):
    key = await ask(authenticator, made.auth_key)
    assert "events:write" in key.scopes
    assert "alerts:read" in key.scopes
    assert not any(scope.endswith(":manage") for scope in key.scopes)
    assert (str(key.key), str(key.edge), str(key.company)) == (made.key_id, made.edge_id, made.company_id)
    signature = SigningKey.from_pem(Path(made.signing_key_file).read_bytes()).sign(b"message")
    assert key.verify_keys[made.verify_key_id].verify(signature, b"message")


async def test_a_second_start_finds_everything_as_it_was(made, pool, tmp_path, clock):
    assert await bootstrap(pool, tmp_path, URL, register, clock) == made
    moved = await bootstrap(pool, tmp_path, "http://127.0.0.1:9090", register, clock)
    assert (moved.url, moved.auth_key) == ("http://127.0.0.1:9090", made.auth_key)
    assert await pool.fetchval("SELECT count(*) FROM companies") == 1


async def test_an_owner_may_take_the_file_away(made, pool, tmp_path, clock):
    (tmp_path / "bootstrap.json").unlink()
    assert await bootstrap(pool, tmp_path, URL, register, clock) is None


async def test_a_crash_before_the_rename_loses_no_secret(made, pool, tmp_path, clock, authenticator):
    (tmp_path / "bootstrap.json").rename(tmp_path / "bootstrap.pending.json")
    again = await bootstrap(pool, tmp_path, URL, register, clock)
    assert again == made
    assert (tmp_path / "bootstrap.json").exists()
    await ask(authenticator, again.auth_key)


async def test_a_crash_before_the_commit_loses_no_secret(pool, tmp_path, clock, authenticator):
    async def crash(*_):
        raise RuntimeError("power went")

    with pytest.raises(RuntimeError):
        await bootstrap(pool, tmp_path, URL, crash, clock)
    pending = json.loads((tmp_path / "bootstrap.pending.json").read_text())
    made = await bootstrap(pool, tmp_path, URL, register, clock)
    assert made.auth_key == pending["authKey"]
    await ask(authenticator, made.auth_key)


async def test_codes_of_keys_that_do_not_work(made, pool, authenticator, clock):
    assert await refusal(authenticator, AuthKey.mint().whole) == (401, "key-unknown")
    assert await refusal(authenticator, made.auth_key[:-1]) == (401, "key-malformed")
    assert await refusal(authenticator, "a.b.c") == (401, "token-issuer-unknown")
    same_public_id = made.auth_key.split("_")[1]
    forged = AuthKey.mint().whole.split("_")
    assert await refusal(authenticator, "_".join(["egk", same_public_id, *forged[2:]])) == (401, "key-malformed")
    await pool.execute("UPDATE api_keys SET expires_at = to_timestamp($1)", clock.now_ms() / 1000 + 10)
    await ask(authenticator, made.auth_key)
    clock.advance(10)
    assert await refusal(authenticator, made.auth_key) == (401, "key-expired")
    await pool.execute("UPDATE api_keys SET deleted_at = now()")
    authenticator.forget()
    assert await refusal(authenticator, made.auth_key) == (401, "key-revoked")


async def test_a_deleted_users_keys_are_revoked_and_a_role_bounds_its_keys(made, pool, authenticator):
    await pool.execute("UPDATE users SET role = 'analyst'")
    assert (await ask(authenticator, made.admin_auth_key)).scopes == {
        "alerts:read", "inventory:read", "edges:read", "sinks:read"
    }  # fmt: skip
    await pool.execute("UPDATE users SET deleted_at = now()")
    authenticator.forget()
    assert await refusal(authenticator, made.admin_auth_key) == (401, "key-revoked")


async def test_a_key_works_only_from_its_addresses(made, pool, authenticator):
    await pool.execute("UPDATE api_keys SET whitelisted_ips = ARRAY['192.0.2.0/24', '2001:db8::1']")
    for allowed in ("192.0.2.77", "2001:db8::1", "::ffff:192.0.2.77"):
        await ask(authenticator, made.auth_key, allowed)
    for refused in ("198.51.100.1", "2001:db8::2", ""):
        assert await refusal(authenticator, made.auth_key, refused) == (403, "address-not-allowed")


async def test_a_hot_key_costs_no_query_and_is_read_again_in_time(made, pool, authenticator, clock):
    first = await ask(authenticator, made.auth_key)
    assert await ask(authenticator, made.auth_key) is first
    await pool.execute("UPDATE api_keys SET deleted_at = now()")
    assert await ask(authenticator, made.auth_key) is first
    clock.advance(5.1)
    assert await refusal(authenticator, made.auth_key) == (401, "key-revoked")


async def test_a_change_is_heard(made, pool, authenticator, database_url):
    heard = asyncio.Event()

    def forget(payload: str) -> None:
        authenticator.forget(payload)
        heard.set()

    async with Listener(database_url) as listener:
        await listener.subscribe("eventgate_access", forget)
        await ask(authenticator, made.auth_key)
        while not heard.is_set():  # the listener may connect after the first change
            await pool.execute("UPDATE api_keys SET deleted_at = now()")
            try:
                await asyncio.wait_for(heard.wait(), 0.2)
            except TimeoutError:
                continue
        assert await refusal(authenticator, made.auth_key) == (401, "key-revoked")


async def test_a_database_that_is_away_is_unavailable(made, pool, authenticator):
    await pool.close()
    with pytest.raises(Unavailable) as caught:
        await ask(authenticator, made.auth_key)
    assert caught.value.code == "storage-unavailable"


async def test_two_companies_may_name_a_sensor_alike(made, pool):
    other = uuid4()
    await pool.execute("INSERT INTO companies (id, name, id_secret) VALUES ($1, 'Other', $2)", other, bytes(32))
    assert await register(pool, other, UUID(made.edge_id), made.serial)
    assert not await register(pool, other, uuid4(), made.serial)
