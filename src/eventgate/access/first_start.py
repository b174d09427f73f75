"""The first start: a company, its admin, a sensor, two API keys, and the file that tells their secrets once.

Touches PostgreSQL and, in the data directory, ``bootstrap.json`` and ``signing-key.pem``. What is made is written to a
pending file before the transaction and renamed after it, so that a crash in between loses no secret.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from eventgate.access.people.passwords import HASHER
from eventgate.access.scopes import READ_SCOPES, SCOPES, in_order
from eventgate.access.versions import NEWEST_VERSION
from eventgate.clock import Clock
from eventgate.db.pool import transaction, translated
from eventgate.durable import sync_name, write_private
from eventgate.ids import uuid7
from eventgate.signing.authkey import AuthKey
from eventgate.signing.keys import SigningKey, load_verify_key

RegisterSensor = Callable[[asyncpg.Connection, UUID, UUID, str, str | None], Awaitable[object]]
"""(connection, company, sensor, serial, name): puts a sensor into the registry, inside our transaction."""

_FILE, _PENDING, _SIGNING_KEY = "bootstrap.json", "bootstrap.pending.json", "signing-key.pem"
_SERIAL = "EG-0001"

_UNDERSCORE, _CAPITAL = re.compile("_([a-z])"), re.compile("[A-Z]")

_COMPANY = "INSERT INTO companies (id, name, id_secret) VALUES ($1, 'First company', $2)"
_ADMIN = "INSERT INTO users (id, company, login, role, password_hash) VALUES ($1, $2, $3, 'operator', $4)"
_KEY = """
INSERT INTO api_keys (id, company, user_id, public_id, hash, description, scopes, edge, api_version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text::date)
"""
_VERIFY_KEY = "INSERT INTO verify_keys (id, key, spki) VALUES ($1, $2, $3)"


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What the first start made: the members of ``bootstrap.json``, there in camelCase."""

    url: str
    company_id: str
    admin_user: str
    admin_password: str
    admin_auth_key: str
    key_id: str
    auth_key: str
    verify_key_id: str
    signing_key_file: str
    edge_id: str
    serial: str


async def bootstrap(
    pool: asyncpg.Pool, directory: Path, url: str, register_sensor: RegisterSensor, clock: Clock
) -> Bootstrap | None:
    """Make the first company unless there is one, and tell what was made; ``url`` is where EventGate is reached now.

    None where there is a company and its owner has taken the file away. Raises Unavailable and OSError.
    """
    directory = directory.absolute()
    told, pending = directory / _FILE, directory / _PENDING
    if told.exists():
        made = _read(told)
        if made.url != url:  # another port this time
            made = replace(made, url=url)
            _write(told, _text(made))
        return made
    if pending.exists():
        made = _read(pending)
    else:
        with translated():
            if await pool.fetchval("SELECT EXISTS (SELECT FROM companies)"):
                return None
        made = _mint(directory, url, clock)
        _write(pending, _text(made))
    async with transaction(pool) as connection:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM companies WHERE id = $1)", made.company_id):
            await _insert(connection, made, register_sensor, clock)
    pending.rename(told)
    sync_name(told)
    return made


def _mint(directory: Path, url: str, clock: Clock) -> Bootstrap:
    """Make everything that is random; the signing key goes to its own file."""
    signing_key_file = directory / _SIGNING_KEY
    _write(signing_key_file, SigningKey.generate().to_pem())
    company, key, verify_key, edge = (str(uuid7(clock.now_ms())) for _ in range(4))
    return Bootstrap(
        url=url,
        company_id=company,
        admin_user="admin",
        admin_password=secrets.token_urlsafe(18),
        admin_auth_key=AuthKey.mint().whole,
        key_id=key,
        auth_key=AuthKey.mint().whole,
        verify_key_id=verify_key,
        signing_key_file=str(signing_key_file),
        edge_id=edge,
        serial=_SERIAL,
    )


async def _insert(connection: Any, made: Bootstrap, register_sensor: RegisterSensor, clock: Clock) -> None:
    company, edge, key = UUID(made.company_id), UUID(made.edge_id), UUID(made.key_id)
    user, admin_key = uuid7(clock.now_ms()), uuid7(clock.now_ms())
    verify_key = load_verify_key(SigningKey.from_pem(Path(made.signing_key_file).read_bytes()).verify_key_pem, "")
    await connection.execute(_COMPANY, company, secrets.token_bytes(32))
    await connection.execute(_ADMIN, user, company, made.admin_user, HASHER.hash(made.admin_password))
    await register_sensor(connection, company, edge, made.serial, None)
    for key_id, whole, description, scopes, bound in (
        (admin_key, made.admin_auth_key, "First admin key", SCOPES, None),
        (key, made.auth_key, f"First key of sensor {made.serial}", READ_SCOPES | {"events:write"}, edge),
    ):
        parsed = AuthKey.parse(whole)
        await connection.execute(
            _KEY, key_id, company, user, parsed.public_id, parsed.hash, description, in_order(scopes), bound,
            NEWEST_VERSION,
        )  # fmt: skip
    await connection.execute(_VERIFY_KEY, UUID(made.verify_key_id), key, verify_key.spki)


def _text(made: Bootstrap) -> str:
    members = {_UNDERSCORE.sub(lambda match: match[1].upper(), name): value for name, value in asdict(made).items()}
    return json.dumps(members, indent=2) + "\n"


def _read(path: Path) -> Bootstrap:
    members = json.loads(path.read_text())
    return Bootstrap(**{_CAPITAL.sub(lambda match: "_" + match[0].lower(), name): members[name] for name in members})


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all, and on disk when this returns."""
    fresh = path.with_name(path.name + ".new")
    write_private(fresh, text.encode())
    fresh.rename(path)
    sync_name(path)
