"""What is revoked is refused by every worker of a real EventGate at once, and for certain while its database hangs.

"At once" is proved without a stopwatch's edge: well before what a worker remembers would have grown old by itself.
"""

import http.client
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from eventgate.access.memory import LIFETIME_SECONDS
from eventgate.clock import SystemClock
from eventgate.db.embedded import EmbeddedPostgres
from eventgate.formats.times import rfc3339
from eventgate.signing.authkey import AuthKey
from eventgate.signing.keys import SigningKey
from eventgate.signing.sign import sign
from tests.patience import PATIENCE
from tests.services.issuer import Issuer
from tests.serving import Serving

CONNECTIONS = 16
"""Enough that each of two workers has some: which one gets a connection is the kernel's choice."""

HEARD_SECONDS = LIFETIME_SECONDS / 2
PATH = "/v2/alerts?limit=1"


ISSUER = """
[[oauth2.issuers]]
url = "{url}"
audiences = ["eventgate"]
company_claim = "tenant"
private_addresses = true
"""


@pytest.fixture
def serving(public_path: Path, issuer: Issuer) -> Iterator[Serving]:
    with Serving(public_path, workers=2, config=ISSUER.format(url=issuer.url)) as running:
        yield running


@asynccontextmanager
async def database(serving: Serving) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(EmbeddedPostgres(serving.data / "postgres").url_of_running())
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def callers(serving: Serving) -> Iterator[list[http.client.HTTPConnection]]:
    """Connections that stay with the worker that took them."""
    opened = [http.client.HTTPConnection("127.0.0.1", serving.port, timeout=PATIENCE) for _ in range(CONNECTIONS)]
    try:
        yield opened
    finally:
        for each in opened:
            each.close()


def ask(caller: http.client.HTTPConnection, credential: str) -> tuple[int, str]:
    caller.request("GET", PATH, headers={"Authorization": f"Bearer {credential}"})
    answer = caller.getresponse()
    body = json.loads(answer.read())
    return answer.status, body.get("code", "")


async def new_key(connection: asyncpg.Connection) -> tuple[str, dict[str, UUID]]:
    """A key of a user of a company, all of its own."""
    ids, key = {name: uuid4() for name in ("company", "user", "key")}, AuthKey.mint()
    company, user = ids["company"], ids["user"]
    await connection.execute(
        "INSERT INTO companies (id, name, id_secret) VALUES ($1, $2, $3)", company, str(company), bytes(32)
    )
    await connection.execute(
        "INSERT INTO users (id, company, login, role) VALUES ($1, $2, $3, 'admin')", user, company, str(user)
    )
    await connection.execute(
        """INSERT INTO api_keys (id, company, user_id, public_id, hash, scopes, api_version)
           VALUES ($1, $2, $3, $4, $5, '{alerts:read}', '2026-01-01')""",
        ids["key"], company, user, key.public_id, key.hash,
    )  # fmt: skip
    return key.whole, ids


REVOCATIONS = {
    "key": "UPDATE api_keys SET deleted_at = now() WHERE id = $1",
    "user": "UPDATE users SET deleted_at = now() WHERE id = $1",
    "company": "UPDATE companies SET retired_at = now() WHERE id = $1",
}


async def test_every_worker_refuses_what_is_revoked(serving: Serving, issuer: Issuer) -> None:
    bystander = serving.bootstrap["adminAuthKey"]
    async with database(serving) as connection:
        for what, statement in REVOCATIONS.items():
            key, ids = await new_key(connection)
            refusals = {key: "key-revoked"}
            if what == "company":
                token = issuer.token("alerts:read", claims={"tenant": str(ids["company"])})
                refusals[token] = "token-company-unknown"
            with callers(serving) as opened:
                for credential in (*refusals, bystander):
                    assert {ask(each, credential) for each in opened} == {(200, "")}
                await connection.execute(statement, ids[what])
                began = time.monotonic()
                for credential, code in refusals.items():
                    while {ask(each, credential) for each in opened} != {(401, code)}:
                        assert time.monotonic() - began < HEARD_SECONDS, f"{what}: not heard"
                assert {ask(each, bystander) for each in opened} == {(200, "")}


async def test_every_worker_refuses_a_revoked_verify_key_and_a_deactivated_sensor(serving: Serving) -> None:
    made = serving.bootstrap
    edge, verify_key = UUID(made["edgeId"]), UUID(made["verifyKeyId"])
    async with database(serving) as connection:
        with callers(serving) as opened:
            assert {write(each, made) for each in opened} == {201}
            for statement, named, status in (
                ("UPDATE sensors SET state = 'deactivated' WHERE id = $1", edge, 422),
                ("UPDATE sensors SET state = 'active' WHERE id = $1", edge, 201),
                ("UPDATE verify_keys SET deleted_at = now() WHERE id = $1", verify_key, 401),
            ):
                await connection.execute(statement, named)
                began = time.monotonic()
                while {write(each, made) for each in opened} != {status}:
                    assert time.monotonic() - began < HEARD_SECONDS, f"not heard: {statement}"


def write(caller: http.client.HTTPConnection, made: dict[str, str]) -> int:
    """Write one event that was not written before; the status."""
    now = SystemClock().now_ms()
    event = {"timestamp": rfc3339(now), "eventId": str(uuid4()), "alertCode": "DEAUTHFLOOD", "message": "seen"}
    body = json.dumps(event).encode()
    key = SigningKey.from_pem(Path(made["signingKeyFile"]).read_bytes())
    fields = sign("POST", "/v2/events", body, key, keyid=made["verifyKeyId"], created=now // 1000)
    caller.request(
        "POST", "/v2/events", body, {"Authorization": made["authKey"], "Content-Type": "application/json"} | fields
    )
    answer = caller.getresponse()
    answer.read()
    return answer.status


@contextmanager
def hanging(serving: Serving) -> Iterator[None]:
    """The database's processes stand still: connections stay open, and nothing answers."""
    postmaster = serving.children()["postgres"]
    stopped = [postmaster, *children_of(postmaster)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


def children_of(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


def test_while_the_database_hangs_nobody_is_let_in_for_long(serving: Serving) -> None:
    key = serving.bootstrap["adminAuthKey"]
    with callers(serving) as opened:
        assert {ask(each, key) for each in opened} == {(200, "")}
        with hanging(serving):
            time.sleep(LIFETIME_SECONDS + 0.2)
            with ThreadPoolExecutor(CONNECTIONS) as threads:
                answers = threads.map(ask, opened, [key] * CONNECTIONS)
            assert set(answers) == {(503, "storage-unavailable")}
        serving.wait_until(serving.ready)
