"""``eventgate keys`` against EventGate over HTTP: from a new key and a new pair to a write that is believed."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eventgate.cli import commands
from eventgate.errors import CallerError
from eventgate.signing.keys import SigningKey
from tests.integration.http_service import Service, http_service


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


async def run(service: Service, *arguments: str, refused: bool = False) -> Result:
    where = ["--url", service.url, "--key", service.made.admin_auth_key]
    environment = {"COLUMNS": "200"}
    done = await asyncio.to_thread(CliRunner(env=environment).invoke, commands.app, ["keys", *arguments, *where])
    assert (done.exception is not None) == refused, (done.output, done.exception)
    return done


def said(done: Result) -> str:
    """What the command wrote to standard output, without the log of the service that runs beside it."""
    return "\n".join(line for line in done.stdout.splitlines() if "[debug" not in line)


async def objects(service: Service, *arguments: str) -> list[dict]:
    return [json.loads(line) for line in said(await run(service, *arguments, "--json")).splitlines()]


async def test_a_key_is_made_listed_changed_and_deleted(service):
    done = await run(
        service, "create", "-m", "Grafana", "--scope", "alerts:read", "--from", "127.0.0.0/8", "--rate", "9"
    )
    auth_key = said(done).strip()
    assert auth_key.startswith("egk_")
    assert (await service.get("/v2/alerts", auth_key))[0] == 200
    made, *_ = await objects(service, "list")
    assert (made["description"], made["scopes"], made["whitelistedIPs"], made["rateLimit"]) == (
        "Grafana", ["alerts:read"], ["127.0.0.0/8"], 9
    )  # fmt: skip
    table = said(await run(service, "list"))
    assert made["key"] in table
    assert "Grafana" in table
    assert auth_key not in table
    (changed,) = await objects(
        service, "update", made["id"], "--clear", "from", "-m", "Grafana 2", "--api-version", "2026-11-22"
    )
    assert (changed["whitelistedIPs"], changed["description"], changed["apiVersion"]) == (
        None,
        "Grafana 2",
        "2026-11-22",
    )
    assert "Grafana 2" in said(await run(service, "show", made["id"]))
    await run(service, "delete", made["id"])
    assert made["id"] in [key["id"] for key in await objects(service, "list", "--inactive")]


async def test_a_key_of_another_user(service):
    user = await service.pool.fetchval("SELECT id FROM users")
    (made,) = await objects(service, "create", "--user", str(user))
    assert (made["userId"], len(await objects(service, "list", "--user", str(user)))) == (str(user), 3)


async def test_a_new_pair_stays_here_and_its_verify_key_goes_there(service, tmp_path):
    file, key = tmp_path / "next.pem", service.made.key_id
    done = await run(service, "new-pair", key, str(file), "--curve", "P-384")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    made = SigningKey.from_pem(file.read_text())
    both = await objects(service, "verify-keys", "list", key)
    assert [each["id"] for each in both] == [said(done).strip(), service.made.verify_key_id]
    assert (both[0]["verifyKey"], both[0]["curve"]) == (made.verify_key_pem, "P-384")
    await run(service, "verify-keys", "delete", key, service.made.verify_key_id)
    (left,) = await objects(service, "verify-keys", "list", key)
    assert left["id"] == said(done).strip()
    assert left["fingerprint"] in said(await run(service, "show", key))


async def test_a_file_that_is_there_is_not_overwritten(service, tmp_path):
    file = tmp_path / "mine.pem"
    file.write_text("precious")
    done = await run(service, "new-pair", service.made.key_id, str(file), refused=True)
    assert "never overwritten" in str(done.exception)
    assert file.read_text() == "precious"
    assert len(await objects(service, "verify-keys", "list", service.made.key_id)) == 1


async def test_a_pair_that_is_refused_leaves_no_file(service, tmp_path):
    await run(service, "new-pair", service.made.key_id, str(tmp_path / "second.pem"))
    done = await run(service, "new-pair", service.made.key_id, str(tmp_path / "third.pem"), refused=True)
    assert isinstance(done.exception, CallerError)
    assert done.exception.code == "verify-keys-full"
    assert not (tmp_path / "third.pem").exists()


async def test_adding_sends_the_public_half_of_a_signing_key(service, tmp_path):
    made, file = SigningKey.generate(), tmp_path / "sensor.pem"
    file.write_text(made.to_pem())
    await run(service, "verify-keys", "add", service.made.key_id, str(file))
    newest, _ = await objects(service, "verify-keys", "list", service.made.key_id)
    assert newest["verifyKey"] == made.verify_key_pem
