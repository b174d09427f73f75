"""Two companies with everybody in them who can be: what the tests of who may do what ask with."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from eventgate.access import SCOPES
from eventgate.clock import SystemClock
from eventgate.errors import FieldError
from eventgate.event import Event
from eventgate.ids import uuid7
from eventgate.journal.cursors import Cursor
from eventgate.journal.rejects import Rejected, Rejects
from eventgate.sensors import register
from eventgate.signing.authkey import AuthKey
from eventgate.signing.keys import SigningKey, load_verify_key
from eventgate.sinks.dead_letters import DeadLetters, Letter
from tests.integration.http_service import QUICK, Service
from tests.integration.signing_in import PASSWORD

_HASH = QUICK.hash(PASSWORD)
MARK = "only-ours"
NEWEST = "2026-11-22"


@dataclass(frozen=True)
class World:
    """A company: an auth key for each role and for one bound to a sensor, and an id for each kind of object.

    ``logins`` are by role, all with the password of tests/integration/signing_in.py; ``ids`` are by the names that path
    parameters have in the OpenAPI document.
    """

    company: UUID
    keys: dict[str, str]
    logins: dict[str, str]
    ids: dict[str, str]


async def world(service: Service, company: UUID, roles: tuple[str, ...], mark: str) -> World:
    """People of the roles in a company, each with a key of every scope, and one of each thing, called ``mark``."""
    keys, logins = {}, {}
    for role in roles:
        person, keys[role] = await _person(service, company, role, mark)
        logins[role] = f"{mark}-{person}"
    sensor = uuid7(service.clock.now_ms())
    await register(service.pool, company, sensor, mark, mark)
    user, _ = await _person(service, company, "analyst", f"{mark}-victim")
    keys["bound"] = await _key(service, company, (await _person(service, company, "admin", mark))[0], sensor)
    key = await service.pool.fetchval("SELECT id FROM api_keys WHERE user_id = $1", user)
    verify_key = uuid4()
    spki = load_verify_key(SigningKey.generate().verify_key_pem, "").spki
    await service.pool.execute("INSERT INTO verify_keys (id, key, spki) VALUES ($1, $2, $3)", verify_key, key, spki)
    event = await _event(service, company, sensor, mark)
    await service.pool.execute(
        """INSERT INTO sinks (name, company, filter, format, transport, guarantee)
           VALUES ($1, $2, '{}', 'json', 'file', 'confirmed')""",
        mark, company,
    )  # fmt: skip
    await DeadLetters(service.pool).write(mark, 0, [Letter(Cursor(1, 0), company, event.id, mark)])
    session = uuid4()
    await service.pool.execute(
        """INSERT INTO sessions (id, user_id, hash, remote, user_agent, created_at, last_used_at, expires_at)
           VALUES ($1, $2, sha256($3), '', '', now(), now(), now() + interval '1 day')""",
        session, user, session.bytes,
    )  # fmt: skip
    ids = {
        "id": event.id,
        "eventId": event.id,
        "edgeId": sensor,
        "keyId": key,
        "keyUuid": key,
        "verifyKeyId": verify_key,
        "userUuid": user,
        "sessionId": session,
        "companyId": company,
        "name": mark,
    }
    return World(company, keys, logins, {name: str(value) for name, value in ids.items()})


async def another_company(service: Service, mark: str) -> World:
    """A company of its own, with nobody in it who runs this EventGate."""
    company = uuid4()
    await service.pool.execute(
        "INSERT INTO companies (id, name, id_secret) VALUES ($1, $2, $3)", company, mark, bytes(32)
    )
    return await world(service, company, ("admin", "analyst", "sensor"), mark)


async def _person(service: Service, company: UUID, role: str, mark: str) -> tuple[UUID, str]:
    user = uuid4()
    await service.pool.execute(
        "INSERT INTO users (id, company, login, role, name, password_hash) VALUES ($1, $2, $3, $4, $5, $6)",
        user, company, f"{mark}-{user}", role, mark, _HASH,
    )  # fmt: skip
    return user, await _key(service, company, user)


async def _key(service: Service, company: UUID, user: UUID, edge: UUID | None = None) -> str:
    key = AuthKey.mint()
    await service.pool.execute(
        """INSERT INTO api_keys (id, company, user_id, public_id, hash, scopes, edge, api_version, description)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::date, $9)""",
        uuid4(), company, user, key.public_id, key.hash, list(SCOPES), edge, NEWEST, f"of {company}",
    )  # fmt: skip
    return key.whole


async def _event(service: Service, company: UUID, sensor: UUID, mark: str) -> Event:
    data = b'{"ssid":"%b"}' % mark.encode()
    event = service.event(1, company=company, sensor=sensor, code=f"0-{mark}", message=mark, data=data)
    await service.store([event])
    problem = FieldError("/message", "field-invalid", mark)
    await Rejects(service.pool, SystemClock()).keep(company, uuid4(), mark, [Rejected(0, b"{}", [problem])])
    return event
