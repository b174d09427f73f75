"""Every change of anything leaves a line: who, from where, before and after, and no secret."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import UUID

import pyotp
import pytest

from eventgate.access.credentials import SESSION_COOKIE
from eventgate.mail import Handed, Mail
from eventgate.signing.keys import SigningKey
from eventgate.sinks.requests import Answer, Requests, Verb
from tests.integration.http_service import Service, http_service, other_company
from tests.integration.signing_in import PASSWORD, Browser, person

ANOTHER_PASSWORD = "nine slow lanterns drift"

NO_CHANGE = {
    "POST /v2/events": "what sensors write is the journal's, which remembers key and verify key of each event",
    "POST /v2/sinks/{name}/preview": "it only says what would be written",
}
"""Routes that are no GET and leave no line, and why."""


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async def post(_mail: Mail) -> Handed:
        return Handed.SENT

    proxies = [ip_network("127.0.0.1")]
    async with http_service(database_url, tmp_path, post=post, trusted_proxies=proxies) as running:
        yield running


@asynccontextmanager
async def delivery_loop(service: Service, company: UUID | None = None, events: int = 0) -> AsyncIterator[None]:
    """Somebody who answers for the sink ``siem`` that a rewind brings so many events again."""
    await service.pool.execute(
        "INSERT INTO sinks (name, company, filter, format, transport, guarantee) "
        "VALUES ('siem', $1, '{}', 'json', 'file', 'confirmed')",
        company,
    )
    requests = Requests(service.pool)

    async def loop() -> None:
        while True:
            for request in await requests.waiting(["siem"]):
                facts = {"generation": 1, "events": events, "seconds": 0} if request.verb is Verb.REWIND else None
                await requests.answer(request, Answer(done=True, detail=f"done with {events} events", facts=facts))
            await asyncio.sleep(0.01)

    task = asyncio.create_task(loop())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@dataclass
class Trail:
    """Makes changes and looks for their lines."""

    service: Service
    done: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)

    async def change(
        self, route: str, path: str, body: Any = None, *, by: Browser | None = None, status: int | None = None
    ) -> Any:
        """Make one change by the admin's key, or from a browser, and demand its line."""
        method = route.split(" ", maxsplit=1)[0]
        browser = by or Browser(self.service)
        headers = {} if by else {"X_API_Key": self.service.made.admin_auth_key}
        answered, found = await browser.ask(method, path, body, **headers)
        assert answered == status if status else 200 <= answered < 300, (route, answered, found)
        self.done.add(route)
        request = browser.headers["X-Request-Id"]
        for _ in range(100):  # a forgotten password's link is sent after the answer, which tells nobody who is there
            if lines := await self.service.pool.fetch("SELECT * FROM audit WHERE request_id = $1", request):
                break
            await asyncio.sleep(0.02)
        assert lines, f"{route} left no line"
        for line in lines:
            assert re.fullmatch(r"[a-z-]+\.[a-z0-9-]+", line["action"]), line["action"]
            assert (line["remote"], bool(line["actor"])) == ("192.0.2.1", True), dict(line)
            if not by:
                assert line["key"] is not None, dict(line)
        self._keep(found)
        return found

    def _keep(self, found: Any) -> None:
        """Remember what an answer told once."""
        match found:
            case dict():
                for name, value in found.items():
                    told_once = name in ("key", "token", "csrfToken", "secret", "otpauthUri", "url", "link")
                    if told_once and isinstance(value, str) and "…" not in value and "..." not in value:
                        self.secrets.add(value.rpartition("#token=")[2])
                    self.secrets |= set(value) if name == "recoveryCodes" and isinstance(value, list) else set()
                    self._keep(value)
            case list():
                for each in found:
                    self._keep(each)


async def test_every_route_that_changes_something_leaves_a_line_without_a_secret(service: Service) -> None:
    trail = Trail(service)
    async with delivery_loop(service):
        for verb in ("pause", "resume", "test"):
            await trail.change(f"POST /v2/sinks/{{name}}/{verb}", f"/v2/sinks/siem/{verb}")
        await trail.change("POST /v2/sinks/{name}/rewind", "/v2/sinks/siem/rewind", {"to": 0})
        await trail.change(
            "POST /v2/sinks/{name}/dead-letters/redrive", "/v2/sinks/siem/dead-letters/redrive", {"all": True}
        )
    await service.pool.execute("UPDATE sinks SET configured = false")
    await trail.change("DELETE /v2/sinks/{name}", "/v2/sinks/siem")
    await companies(trail)
    await keys(trail)
    await people(trail)
    await sessions(trail)
    paths = service.openapi["paths"]
    changing = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method in methods
        if method not in ("get", "head") and f"/v2{path}" not in paths
    }
    assert changing == trail.done | set(NO_CHANGE), "a route that this test does not know changes something"
    written = [json.dumps([str(value) for value in row]) for row in await service.pool.fetch("SELECT * FROM audit")]
    told = {PASSWORD, ANOTHER_PASSWORD, *trail.secrets, *(await hashes(service))}
    assert len(trail.secrets) > 5
    for line in written:
        assert not [secret for secret in told if secret in line], line
        assert not re.search(r"egk_[0-9A-Za-z]{12}_[0-9A-Za-z]{10}|PRIVATE KEY|\$argon2|otpauth", line), line


async def hashes(service: Service) -> set[str]:
    """What is stored in a secret's place."""
    found = await service.pool.fetch(
        "SELECT encode(hash, 'hex') FROM api_keys UNION SELECT encode(hash, 'hex') FROM sessions "
        "UNION SELECT password_hash FROM users WHERE password_hash IS NOT NULL "
        "UNION SELECT encode(id_secret, 'hex') FROM companies"
    )
    return {row[0] for row in found}


async def companies(trail: Trail) -> None:
    made = await trail.change(
        "POST /v2/companies", "/v2/companies", {"name": "New", "admin": {"login": "eve@new.example"}}
    )
    path = f"/v2/companies/{made.get('id') or made['company']['id']}"
    await trail.change("PATCH /v2/companies/{companyId}", path, {"name": "Newer"})
    await trail.change("DELETE /v2/companies/{companyId}", path)


async def keys(trail: Trail) -> None:
    user = await person(trail.service, "kay")
    made = await trail.change("POST /keys", "/keys", {"userId": str(user), "whitelistedIPs": None, "description": None})
    path = f"/keys/{made['id']}"
    await trail.change("PUT /keys/{keyId}", path, {"description": "another"})
    verify_key = {"verifyKey": SigningKey.generate().verify_key_pem}
    added = await trail.change("POST /keys/{keyId}/verify-keys", f"{path}/verify-keys", verify_key)
    await trail.change("DELETE /keys/{keyId}/verify-keys/{verifyKeyId}", f"{path}/verify-keys/{added['id']}")
    await trail.change("DELETE /keys/{keyId}", path)
    made = await trail.change("POST /keys", "/keys", {"userId": str(user), "whitelistedIPs": None, "description": None})
    await trail.change("DELETE /v2/users/{userUuid}/api-keys/{keyUuid}", f"/v2/users/{user}/api-keys/{made['id']}")
    made = await trail.change("POST /v2/users/current/api-keys", "/v2/users/current/api-keys", {})
    await trail.change("DELETE /v2/users/current/api-keys/{keyUuid}", f"/v2/users/current/api-keys/{made['id']}")


async def people(trail: Trail) -> None:
    made = await trail.change("POST /v2/users", "/v2/users", {"login": "pat", "role": "analyst"})
    user = await trail.service.pool.fetchval("SELECT id FROM users WHERE login = 'pat'")
    path = f"/v2/users/{user}"
    await trail.change("PATCH /v2/users/{userUuid}", path, {"name": "Pat"})
    made = await trail.change("PUT /v2/users/{userUuid}/reset-password", f"{path}/reset-password")
    token = re.search(r"#token=([^\"]+)", json.dumps(made))
    assert token is not None
    redeem = {"token": token[1], "password": PASSWORD}
    await trail.change("POST /v2/password-links/redeem", "/v2/password-links/redeem", redeem, by=Browser(trail.service))
    await trail.change("PUT /v2/users/{userUuid}/reset-2fa", f"{path}/reset-2fa")
    await trail.change("PATCH /v2/users/current", "/v2/users/current", {"name": "The admin"})
    await trail.change("DELETE /v2/users/{userUuid}", path)
    await person(trail.service, "lou")
    await trail.service.pool.execute("UPDATE users SET email = 'lou@example.org' WHERE login = 'lou'")
    forgotten = {"login": "lou"}
    await trail.change("POST /v2/password-links", "/v2/password-links", forgotten, by=Browser(trail.service))


async def sessions(trail: Trail) -> None:
    user = await person(trail.service, "sam")
    login = {"login": "sam", "password": PASSWORD}

    async def signed_in() -> Browser:
        browser = Browser(trail.service)
        found = await trail.change("POST /v2/sessions", "/v2/sessions", login, by=browser)
        browser.token, browser.session = found["csrfToken"], found["id"]
        trail.secrets |= {browser.cookies[SESSION_COOKIE]}
        return browser

    browser, other = await signed_in(), await signed_in()
    own, anothers = "/v2/users/current/sessions", f"/v2/users/{user}/sessions"
    await trail.change("DELETE /v2/users/current/sessions/{sessionId}", f"{own}/{other.session}", by=browser)
    other = await signed_in()
    await trail.change("DELETE /v2/users/{userUuid}/sessions/{sessionId}", f"{anothers}/{other.session}")
    await trail.change("DELETE /v2/sessions/current", "/v2/sessions/current", by=await signed_in())
    await signed_in()
    await trail.change("DELETE /v2/users/{userUuid}/sessions", anothers)
    browser = await signed_in()
    await trail.change("DELETE /v2/users/current/sessions", own, by=browser)
    browser = await signed_in()
    change = {"currentPassword": PASSWORD, "newPassword": ANOTHER_PASSWORD}
    route = "PUT /v2/users/current/reset-password"
    await trail.change(route, "/v2/users/current/reset-password", change, by=browser)
    login["password"] = ANOTHER_PASSWORD
    browser = await signed_in()
    route = "PUT /v2/users/current/reset-2fa"
    begun = await trail.change(route, "/v2/users/current/reset-2fa", {"password": ANOTHER_PASSWORD}, by=browser)
    code = pyotp.TOTP(begun["secret"]).at(trail.service.clock.now_ms() // 1000)
    await trail.change(route, "/v2/users/current/reset-2fa", {"code": code}, by=browser)


async def test_a_company_reads_of_its_own_events_alone_in_the_lines_of_a_rewind(service: Service) -> None:
    company, key = await other_company(service)
    async with delivery_loop(service, company, events=31_337):
        _, whole = await service.post("/v2/sinks/siem/rewind", {"to": 0})
        _, own = await service.post("/v2/sinks/siem/rewind", {"to": 0}, key)
    assert (whole["events"], own["events"]) == (31_337, 0)
    _, lines = await service.get("/v2/audit", key=key)
    assert [line["action"] for line in lines["data"]] == 2 * ["sink.answer", "sink.rewind"]
    assert "31337" not in json.dumps([own, lines])


async def test_nothing_is_asked_of_a_loop_without_its_line(service: Service) -> None:
    """As when a process dies: either both are there, or neither."""
    wishes = {"pause": None, "resume": None, "test": None, "rewind": {"to": 0}, "dead-letters/redrive": {"all": True}}
    async with delivery_loop(service):
        await service.pool.execute("ALTER TABLE audit ADD CONSTRAINT none CHECK (action NOT LIKE 'sink.%')")
        for wish, body in wishes.items():
            assert (await service.post(f"/v2/sinks/siem/{wish}", body))[0] == 500
        assert await service.pool.fetchval("SELECT count(*) FROM sink_requests") == 0
        assert not await service.pool.fetchval("SELECT paused FROM sinks")
        # Whoever dies before the loop has answered leaves the line of what was asked.
        await service.pool.execute(
            "ALTER TABLE audit DROP CONSTRAINT none, ADD CONSTRAINT none CHECK (action <> 'sink.answer')"
        )
        assert (await service.post("/v2/sinks/siem/rewind", {"to": 0, "replace": True}))[0] == 500
    line = await service.pool.fetchrow("SELECT * FROM audit WHERE action LIKE 'sink.%'")
    assert (line["action"], json.loads(line["after"])) == ("sink.rewind", {"position": 0, "replace": True})
