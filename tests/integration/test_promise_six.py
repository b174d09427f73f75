"""Promise 6: no company ever sees another company's anything; and nobody does what their role may not.

One table says who gets in where. A route of the OpenAPI document that is missing from it fails the test.
"""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from yarl import URL

from eventgate.access import SCOPES
from eventgate.signing.keys import SigningKey
from tests.integration.http_service import Service, http_service
from tests.integration.signing_in import Browser
from tests.integration.two_companies import MARK, World, another_company, world
from tests.services.issuer import Issuer

THEIRS = "only-theirs"

EVERYBODY = frozenset({"operator", "admin", "analyst", "sensor", "bound"})
READERS = EVERYBODY - {"sensor"}  # a key bound to a sensor reads its whole company
AUDITORS = READERS - {"analyst"}
WRITERS = EVERYBODY - {"analyst"}
MANAGERS = frozenset({"operator", "admin"})
OPERATOR = frozenset({"operator"})

WHO = {
    "GET /v2/alerts": READERS,
    "GET /v2/alerts/{id}": READERS,
    "GET /v2/alerts/stream": READERS,
    "GET /v2/alerts/export": READERS,
    "GET /v2/alerts/meta": READERS,
    "GET /v2/alert-categories": READERS,
    "GET /v2/alert-codes": READERS,
    "GET /v2/events": READERS,
    "POST /v2/events": WRITERS,
    "GET /v2/events/{id}": READERS,
    "GET /v2/events/{id}/custody": READERS,
    "GET /v2/rejects": READERS,
    "GET /v2/edges": READERS,
    "GET /v2/edges/{edgeId}": READERS,
    "GET /v2/sinks": READERS,
    "GET /v2/sinks/{name}": READERS,
    "DELETE /v2/sinks/{name}": OPERATOR,
    "GET /v2/sinks/{name}/generations": READERS,
    "GET /v2/sinks/{name}/ledger": READERS,
    "POST /v2/sinks/{name}/pause": MANAGERS,
    "POST /v2/sinks/{name}/resume": MANAGERS,
    "POST /v2/sinks/{name}/rewind": MANAGERS,
    "POST /v2/sinks/{name}/test": MANAGERS,
    "POST /v2/sinks/{name}/preview": READERS,
    "GET /v2/sinks/{name}/dead-letters": READERS,
    "GET /v2/sinks/{name}/dead-letters/{eventId}": READERS,
    "POST /v2/sinks/{name}/dead-letters/redrive": MANAGERS,
    "GET /v2/audit": AUDITORS,
    "GET /keys": EVERYBODY,
    "POST /keys": MANAGERS,
    "GET /keys/{keyId}": EVERYBODY,
    "PUT /keys/{keyId}": MANAGERS,
    "DELETE /keys/{keyId}": MANAGERS,
    "GET /keys/{keyId}/verify-keys": EVERYBODY,
    "POST /keys/{keyId}/verify-keys": MANAGERS,
    "DELETE /keys/{keyId}/verify-keys/{verifyKeyId}": MANAGERS,
    "GET /v2/users/current/api-keys": EVERYBODY,
    "POST /v2/users/current/api-keys": MANAGERS,
    "DELETE /v2/users/current/api-keys/{keyUuid}": MANAGERS,
    "GET /v2/users/{userUuid}/api-keys": EVERYBODY,
    "DELETE /v2/users/{userUuid}/api-keys/{keyUuid}": MANAGERS,
    "GET /v2/users": MANAGERS,
    "POST /v2/users": MANAGERS,
    "GET /v2/users/roles": MANAGERS,
    "GET /v2/users/{userUuid}": MANAGERS,
    "PATCH /v2/users/{userUuid}": MANAGERS,
    "DELETE /v2/users/{userUuid}": MANAGERS,
    "PUT /v2/users/{userUuid}/reset-password": MANAGERS,
    "GET /v2/users/current": EVERYBODY,
    "PATCH /v2/users/current": EVERYBODY,
    "PUT /v2/users/current/reset-password": EVERYBODY,
    "PUT /v2/users/current/reset-2fa": EVERYBODY,
    "PUT /v2/users/{userUuid}/reset-2fa": MANAGERS,
    "GET /v2/sessions/current": EVERYBODY,
    "DELETE /v2/sessions/current": EVERYBODY,
    "GET /v2/users/current/sessions": EVERYBODY,
    "DELETE /v2/users/current/sessions": EVERYBODY,
    "DELETE /v2/users/current/sessions/{sessionId}": EVERYBODY,
    "GET /v2/users/{userUuid}/sessions": MANAGERS,
    "DELETE /v2/users/{userUuid}/sessions": MANAGERS,
    "DELETE /v2/users/{userUuid}/sessions/{sessionId}": MANAGERS,
    "GET /v2/companies": OPERATOR,
    "POST /v2/companies": OPERATOR,
    "GET /v2/companies/{companyId}": OPERATOR,
    "PATCH /v2/companies/{companyId}": OPERATOR,
    "DELETE /v2/companies/{companyId}": OPERATOR,
}

# What the operator sees of every company: the companies themselves, and where their events go.
ABOVE_COMPANIES = ("/v2/companies", "/v2/sinks", "/v2/audit")

# Bodies that are good where it matters, so that whose object it is decides.
BODIES: dict[str, Any] = {
    "POST /keys/{keyId}/verify-keys": {"verifyKey": SigningKey.generate().verify_key_pem},
    "POST /v2/sinks/{name}/rewind": {"to": 0},
    "POST /v2/sinks/{name}/preview": {"id": str(uuid4())},
    "POST /v2/sinks/{name}/dead-letters/redrive": {"all": True},
}

DENIED = {"scope-missing", "operator-only"}


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def ours(service: Service) -> World:
    return await world(service, service.company, ("operator", "admin", "analyst", "sensor"), MARK)


@pytest.fixture
async def theirs(service: Service) -> World:
    return await another_company(service, THEIRS)


def operations(service: Service) -> Iterator[tuple[str, str, str]]:
    """Row of the table, method and path of everything that asks for a credential; aliases share a row."""
    paths = service.openapi["paths"]
    for path, methods in paths.items():
        row = f"/v2{path}" if f"/v2{path}" in paths else path
        for method, operation in methods.items():
            if operation["security"]:
                verb = method.upper()
                yield f"{'GET' if verb == 'HEAD' else verb} {row}", verb, path


def at(path: str, ids: dict[str, str]) -> str:
    return "/".join(ids.get(step[1:-1], step) if step.startswith("{") else step for step in path.split("/"))


def nobodys() -> dict[str, str]:
    """Ids of nothing at all."""
    names = (
        "id",
        "eventId",
        "edgeId",
        "keyId",
        "keyUuid",
        "verifyKeyId",
        "userUuid",
        "companyId",
        "sessionId",
        "linkId",
    )
    return {"name": "nobody"} | {name: str(uuid4()) for name in names}


Credential = str | dict[str, str] | None
"""An auth key, or the header fields that a session or a token is sent by."""


async def asked(service: Service, method: str, path: str, by: Credential, body: Any = None) -> tuple[int, str]:
    """Status and text; of a live stream, the status alone."""
    sent = {"X-API-Key": by} if isinstance(by, str) else by
    url = URL(service.url + path, encoded=True)
    async with service.session.request(method, url, headers=sent, json=body, allow_redirects=False) as answer:
        if answer.content_type == "text/event-stream":
            return answer.status, ""
        return answer.status, await answer.text()


def code_of(text: str) -> str | None:
    try:
        return json.loads(text).get("code")
    except ValueError:
        return None


def told(status: int, text: str) -> tuple[int, Any]:
    """What an answer says, but for the id of its request and the ids that were asked for."""
    if not text:
        return status, None
    document = json.loads(text)
    document.pop("requestId", None)
    return status, document


async def test_every_role_gets_in_where_it_may_and_nowhere_else(service: Service, ours: World) -> None:
    rows = {row for row, _, _ in operations(service)}
    assert rows == set(WHO)
    wrong = []
    for row, method, path in operations(service):
        where = at(path, nobodys())
        body = None if method in ("GET", "HEAD") else []  # which no body may be: whoever is let in is told so
        status, _ = await asked(service, method, where, None, body)
        if status != 401:
            wrong.append(f"{row} asks nobody who it is: {status}")
        for role, key in ours.keys.items():
            status, text = await asked(service, method, where, key, body)
            denied = status == 403 if method == "HEAD" else code_of(text) in DENIED
            if denied == (role in WHO[row]) or (denied and status != 403):
                wrong.append(f"{method} {path} by {role}: {status} {text[:200]}")
    assert not wrong, "\n".join(wrong)


SIGNED_IN = {
    "POST /v2/users/current/api-keys": "whoever is signed in makes keys of their own, as strong as themselves",
    "DELETE /v2/users/current/api-keys/{keyUuid}": "and deletes them",
}
ENDS_SESSIONS = {
    "DELETE /v2/sessions/current": "the rest would be asked by nobody",
    "DELETE /v2/users/current/sessions": "the same",
}


async def test_a_session_and_a_token_open_what_their_users_key_does(
    database_url: str, tmp_path: Path, issuer: Issuer
) -> None:
    """Of every role, and a session a little more; and what is another company's is not there for them either."""
    told = {"url": issuer.url, "audiences": ["eventgate"], "private_addresses": True}
    told |= {"company_claim": "company", "user_claim": "login"}
    async with http_service(database_url, tmp_path, issuers=[told]) as service:
        ours = await world(service, service.company, ("operator", "admin", "analyst", "sensor"), MARK)
        theirs = await another_company(service, THEIRS)
        credentials = [
            (role, credential)
            for role, login in ours.logins.items()
            for credential in (await session_of(service, login), token_of(issuer, ours, login))
        ]
        wrong = []
        # A token ends its user's sessions as well, so that comes last.
        for row, method, path in sorted(operations(service), key=lambda operation: operation[0] in ENDS_SESSIONS):
            body = None if method in ("GET", "HEAD") else []
            for role, credential in credentials:
                if row in ENDS_SESSIONS and "Cookie" in credential:
                    continue
                may = role in WHO[row] or ("Cookie" in credential and row in SIGNED_IN)
                status, text = await asked(service, method, at(path, nobodys()), credential, body)
                denied = status == 403 if method == "HEAD" else code_of(text) in DENIED
                unknown = status == 401 and code_of(text) != "unsigned"
                if unknown or denied == may:
                    wrong.append(f"{method} {path} by {role}, {set(credential)}: {status} {text[:200]}")
                if "{" in path and not path.startswith(ABOVE_COMPANIES):
                    status, text = await asked(service, method, at(path, theirs.ids), credential, BODIES.get(row))
                    if status != (404 if may else 403):
                        wrong.append(f"{method} {path}, theirs, by {role}, {set(credential)}: {status} {text[:200]}")
        assert not wrong, "\n".join(wrong)


async def session_of(service: Service, login: str) -> dict[str, str]:
    browser = Browser(service, address="")
    assert (await browser.sign_in(login))[0] == 201
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    return {"Cookie": cookies, "X-CSRF-Token": browser.token, "Origin": service.url}


def token_of(issuer: Issuer, owner: World, login: str) -> dict[str, str]:
    claims = {"company": str(owner.company), "login": login}
    return {"Authorization": f"Bearer {issuer.token(' '.join(SCOPES), claims=claims)}"}


async def test_what_is_another_companys_is_not_there(service: Service, ours: World, theirs: World) -> None:
    """Neither an answer nor what it leaves behind differs from one about what never was."""
    before, wrong = await everything_of(service, ours), []
    for row, method, path in operations(service):
        if "{" not in path:
            continue
        never, body = at(path, nobodys()), None if method in ("GET", "HEAD") else BODIES.get(row, {})
        for role, key in theirs.keys.items():
            there = told(*await asked(service, method, at(path, ours.ids), key, body))
            nowhere = told(*await asked(service, method, never, key, body))
            if there != nowhere or there[0] != (404 if role in WHO[row] else 403):
                wrong.append(f"{method} {path} by their {role}: {there}, of what never was {nowhere}")
    assert not wrong, "\n".join(wrong)
    assert await everything_of(service, ours) == before


async def test_the_operator_sees_its_own_company_and_what_is_above_companies(
    service: Service, ours: World, theirs: World
) -> None:
    before, wrong = await everything_of(service, theirs), []
    for row, method, path in operations(service):
        if "{" in path and not path.startswith(ABOVE_COMPANIES):
            body = None if method in ("GET", "HEAD") else BODIES.get(row, {})
            status, text = await asked(service, method, at(path, theirs.ids), ours.keys["operator"], body)
            if status != 404:
                wrong.append(f"{method} {path}: {status} {text[:200]}")
    assert not wrong, "\n".join(wrong)
    assert await everything_of(service, theirs) == before


async def test_no_list_tells_of_another_company(service: Service, ours: World, theirs: World) -> None:
    secrets = {MARK, str(ours.company), *ours.ids.values()}
    telling = set()
    for row, method, path in operations(service):
        if method != "GET" or "{" in path or path.endswith("/stream"):
            continue
        if path == "/v2/sessions/current":  # which no key has
            continue
        for role, key in theirs.keys.items():
            status, text = await asked(service, method, path, key)
            assert status == (200 if role in WHO[row] else 403), (path, role, text)
            assert not [secret for secret in secrets if secret in text], (path, role)
        _, text = await asked(service, method, path, ours.keys["admin"])
        if MARK in text:
            telling.add(path)
        if '"nextUrl"' in text:
            page = json.loads((await asked(service, method, f"{path}?limit=100", theirs.keys["admin"]))[1])
            assert page["total"] == page["count"], path
    lists = {"/v2/alerts", "/v2/events", "/v2/alerts/meta", "/v2/alerts/export", "/v2/alert-codes", "/v2/edges"}
    assert telling >= lists | {"/v2/rejects", "/v2/sinks", "/v2/users"}


async def test_a_reference_to_what_is_another_companys_is_one_to_nothing(
    service: Service, ours: World, theirs: World
) -> None:
    key, never = theirs.keys["admin"], nobodys()
    for method, path, member in (
        ("POST", "/keys", "userId"),
        ("POST", "/v2/users/current/api-keys", "edgeId"),
        ("PUT", f"/keys/{theirs.ids['keyId']}", "edgeId"),
    ):
        name = {"userId": "userUuid"}.get(member, member)
        there = told(*await asked(service, method, path, key, {member: ours.ids[name]}))
        assert there == told(*await asked(service, method, path, key, {member: never[name]})), path
        assert there[0] == 422, (path, there)
    for path in ("/v2/alerts", "/keys", "/v2/audit", "/v2/users"):
        there = told(*await asked(service, "GET", f"{path}?customerid={ours.company}", key))
        assert there == told(*await asked(service, "GET", f"{path}?customerid={never['companyId']}", key))
        assert there[0] == 400, path


async def test_a_live_stream_passes_over_what_is_ours(service: Service, ours: World, theirs: World) -> None:
    headers = {"X-API-Key": theirs.keys["analyst"], "Last-Event-ID": "0.0"}
    async with service.session.get(f"{service.url}/v2/alerts/stream", headers=headers) as answer:
        text = (await answer.content.readuntil(f'"{THEIRS}"'.encode())).decode()
    assert text.count("event: alert") == 1
    assert MARK not in text
    assert str(ours.company) not in text


async def test_no_company_reads_the_metrics(service: Service, ours: World) -> None:
    for key in ours.keys.values():
        status, _ = await asked(service, "GET", "/metrics", {"Authorization": f"Bearer {key}"})
        assert status == 401


async def everything_of(service: Service, owner: World) -> dict[str, list[str]]:
    """Every row of every table that says whose it is; when a key was last used is no change."""
    columns = await service.pool.fetch(
        """SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_name)
           WHERE column_name = 'company' AND table_type = 'BASE TABLE' AND table_name !~ '^events|_2'"""
    )
    found = {}
    for (table,) in columns:
        statement = f"SELECT (to_jsonb(t) - 'last_used_at')::text FROM {table} t WHERE company = $1 ORDER BY 1"
        found[table] = [row[0] for row in await service.pool.fetch(statement, owner.company)]
    for table in ("verify_keys", "sink_requests", "sessions"):
        found[table] = [str(tuple(row)) for row in await service.pool.fetch(f"SELECT * FROM {table}")]
    assert found["api_keys"]
    assert found["users"]
    return found
