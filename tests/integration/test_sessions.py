"""Sessions over HTTP: begun, shown, ended; what a cookie is worth alone, and how soon its end is felt."""

import asyncio
from ipaddress import ip_network
from uuid import uuid4

import pytest

from eventgate.access.credentials import SESSION_COOKIE
from eventgate.access.sessions.last_used import SessionUse
from eventgate.api.access.sessions import DEVICE_COOKIE
from eventgate.db.listen import Listener
from tests.integration.http_service import http_service, other_company
from tests.integration.signing_in import PASSWORD, Browser, code_of, person
from tests.patience import PATIENCE


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path, trusted_proxies=[ip_network("127.0.0.1")]) as running:
        yield running


@pytest.fixture
async def ann(service):
    await person(service, "ann")
    browser = Browser(service)
    assert (await browser.sign_in())[0] == 201
    return browser


async def test_signing_in_begins_a_session_by_a_cookie_that_scripts_and_other_sites_do_not_see(service):
    user = await person(service, "ann")
    browser = Browser(service)
    status, found = await browser.sign_in(" ANN ")
    assert status == 201
    assert found["user"] == {
        "id": str(user), "companyId": str(service.company), "login": "ann", "role": "admin"
    }  # fmt: skip
    assert browser.headers["Cache-Control"] == "no-store"
    told = [cookie for cookie in browser.headers.getall("Set-Cookie") if cookie.startswith(f"{SESSION_COOKIE}=")]
    attributes = {part.strip().lower() for part in told[0].split(";")[1:]}
    assert attributes == {"httponly", "secure", "samesite=lax", "path=/"}
    row = await service.pool.fetchrow("SELECT * FROM sessions")
    assert browser.cookie not in str(dict(row))
    assert found["csrfToken"] not in str(dict(row))
    status, current = await browser.ask("GET", "/v2/sessions/current")
    assert (status, current["id"], current["remote"], current["current"]) == (200, found["id"], "192.0.2.1", True)
    assert "csrfToken" not in current


async def test_the_admin_of_the_first_start_can_sign_in(service):
    status, found = await Browser(service).sign_in(service.made.admin_user, service.made.admin_password)
    assert (status, found["user"]["role"]) == (201, "operator")


async def test_a_session_may_what_its_users_role_may(service):
    await person(service, "ben", "analyst")
    browser = Browser(service)
    await browser.sign_in("ben")
    assert (await browser.ask("GET", "/v2/alerts"))[0] == 200
    status, problem = await browser.ask("POST", "/v2/sinks/none/pause")
    assert (status, problem["code"]) == (403, "scope-missing")


async def test_a_wrong_password_and_an_unknown_login_are_told_alike(service):
    await person(service, "ann")
    wrong = await Browser(service).sign_in("ann", "not it at all")
    unknown = await Browser(service).sign_in("nobody", "not it at all")
    assert code_of(wrong) == code_of(unknown) == (401, "sign-in-failed")
    assert wrong[1]["detail"] == unknown[1]["detail"]


@pytest.mark.parametrize("cause", ["deleted_at", "deactivated_at"])
async def test_who_was_sent_away_is_as_unknown(service, cause):
    await person(service, "ann")
    await service.pool.execute(f"UPDATE users SET {cause} = now() WHERE login = 'ann'")
    assert code_of(await Browser(service).sign_in()) == (401, "sign-in-failed")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/login"),
        ({"login": "ann"}, "/password"),
        ({"login": "a\0", "password": "x"}, "/login"),
        ({"login": "ann", "password": "x", "code": "1", "recoveryCode": "2"}, ""),
        ({"login": "ann", "password": 7}, "/password"),
    ],
)
async def test_a_body_that_cannot_be_says_where(service, body, pointer):
    status, problem = await Browser(service).ask("POST", "/v2/sessions", body)
    assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


async def test_a_stolen_cookie_reads_but_changes_nothing(service, ann):
    thief = Browser(service, cookies=ann.cookies)
    assert (await thief.ask("GET", "/v2/alerts"))[0] == 200
    assert code_of(await thief.ask("DELETE", "/v2/users/current/sessions")) == (403, "csrf-token-missing")
    thief.token = "A" * 43
    assert code_of(await thief.ask("DELETE", "/v2/users/current/sessions")) == (403, "csrf-token-wrong")
    other = Browser(service)
    await other.sign_in()
    thief.token = other.token  # another session's, of the same user
    assert code_of(await thief.ask("DELETE", "/v2/sessions/current")) == (403, "csrf-token-wrong")
    assert await service.pool.fetchval("SELECT count(*) FROM sessions") == 2


async def test_a_page_of_another_site_changes_nothing_even_with_the_token(service, ann):
    for origin in ("https://evil.example", "null", service.url.replace("http:", "https:")):
        assert code_of(await ann.ask("DELETE", "/v2/sessions/current", Origin=origin)) == (403, "origin-foreign")
    crossed = {"Origin": "", "Sec_Fetch_Site": "cross-site"}
    assert code_of(await ann.ask("DELETE", "/v2/sessions/current", **crossed)) == (403, "origin-foreign")
    foreign = Browser(service, origin="https://evil.example")
    assert code_of(await foreign.sign_in()) == (403, "origin-foreign")
    assert (await ann.ask("DELETE", "/v2/sessions/current", **{**crossed, "Sec_Fetch_Site": "same-origin"}))[0] == 204


async def test_a_cookie_counts_only_without_a_header(service, ann):
    assert code_of(await ann.ask("GET", "/v2/alerts", X_API_Key="egk_wrong")) == (401, "key-malformed")
    status, _ = await ann.ask("DELETE", "/v2/sessions/current", X_API_Key=service.made.admin_auth_key)
    assert status == 404  # the key has no session
    assert (await ann.ask("GET", "/v2/sessions/current"))[0] == 200
    twice = f"{SESSION_COOKIE}={ann.cookie}; {SESSION_COOKIE}=other"
    assert code_of(await ann.ask("GET", "/v2/alerts", Cookie=twice)) == (400, "credentials-ambiguous")


async def test_signing_out_ends_the_session_and_takes_the_cookie_away(service, ann):
    kept = Browser(service, cookies={SESSION_COOKIE: ann.cookie})
    assert (await ann.ask("DELETE", "/v2/sessions/current"))[0] == 204
    assert SESSION_COOKIE not in ann.cookies
    assert DEVICE_COOKIE in ann.cookies
    service.authenticator.forget()
    assert code_of(await kept.ask("GET", "/v2/alerts")) == (401, "session-unknown")


async def test_sessions_are_listed_and_ended_one_by_one_and_all_at_once(service, ann):
    phone, tablet = Browser(service), Browser(service)
    await phone.sign_in()
    await tablet.sign_in()
    status, page = await ann.ask("GET", "/v2/users/current/sessions?limit=2")
    assert (status, page["total"], page["count"]) == (200, 3, 2)
    assert [each["id"] for each in page["data"]] == [tablet.session, phone.session]
    assert (await ann.ask("DELETE", f"/v2/users/current/sessions/{phone.session}"))[0] == 204
    assert (await ann.ask("DELETE", f"/v2/users/current/sessions/{phone.session}"))[0] == 404
    service.authenticator.forget()
    assert code_of(await phone.ask("GET", "/v2/alerts")) == (401, "session-unknown")
    assert (await tablet.ask("GET", "/v2/alerts"))[0] == 200
    assert (await ann.ask("DELETE", "/v2/users/current/sessions"))[0] == 204
    service.authenticator.forget()
    assert code_of(await tablet.ask("GET", "/v2/alerts")) == (401, "session-unknown")
    actions = await service.pool.fetch("SELECT action, actor, remote FROM audit ORDER BY id")
    assert [row["action"] for row in actions] == ["session.create"] * 3 + ["session.delete", "session.delete-all"]
    assert {(row["actor"], row["remote"]) for row in actions} == {("ann", "192.0.2.1")}


async def test_nobody_is_signed_out_by_who_may_do_less(service, ann):
    await person(service, "bob", role="admin")
    bob, operator = Browser(service), Browser(service)
    assert (await bob.sign_in("bob"))[0] == 201
    assert (await operator.sign_in(service.made.admin_user, service.made.admin_password))[0] == 201
    whose = await service.pool.fetchval("SELECT id FROM users WHERE login = $1", service.made.admin_user)
    path = f"/v2/users/{whose}/sessions"
    for theirs in (path, f"{path}/{operator.session}"):
        assert code_of(await bob.ask("DELETE", theirs)) == (403, "role-beyond-yours")
    sensors = {"X_API_Key": service.made.auth_key}
    for own in ("/v2/users/current/sessions", f"/v2/users/current/sessions/{operator.session}"):
        assert code_of(await Browser(service).ask("DELETE", own, **sensors)) == (403, "role-beyond-yours")
    assert (await operator.ask("GET", "/v2/sessions/current"))[0] == 200


async def test_an_admin_ends_the_sessions_of_its_company_and_of_no_other(service, ann):
    user = await service.pool.fetchval("SELECT id FROM users WHERE login = 'ann'")
    mallory = Browser(service)
    company, _ = await other_company(service)
    await person(service, "mallory", company=company)
    await mallory.sign_in("mallory")
    path = f"/v2/users/{user}/sessions"
    for method, asked in (("GET", path), ("DELETE", f"{path}/{ann.session}"), ("DELETE", path)):
        assert code_of(await mallory.ask(method, asked)) == (404, "not-found")
    service.authenticator.forget()
    key = {"X_API_Key": service.made.admin_auth_key, "Cookie": ""}
    assert (await ann.ask("GET", path, **key))[1]["total"] == 1
    assert (await ann.ask("DELETE", f"/v2/users/{user}/sessions/{uuid4()}", **key))[0] == 404
    assert (await ann.ask("DELETE", path, **key))[0] == 204
    service.authenticator.forget()
    assert code_of(await ann.ask("GET", "/v2/alerts")) == (401, "session-unknown")


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ("DELETE FROM sessions", (401, "session-unknown")),
        ("UPDATE users SET deleted_at = now()", (401, "session-unknown")),
        ("UPDATE users SET deactivated_at = now()", (401, "session-unknown")),
        ("UPDATE companies SET retired_at = now()", (401, "session-unknown")),
        ("UPDATE users SET role = 'sensor'", (403, "scope-missing")),
        ("UPDATE sessions SET last_used_at = now() - interval '2 hours'", (401, "session-unknown")),
        ("UPDATE sessions SET expires_at = now()", (401, "session-unknown")),
    ],
)
async def test_whatever_ends_a_session_is_felt(service, ann, change, answer):
    await service.pool.execute(change)
    service.authenticator.forget()
    assert code_of(await ann.ask("GET", "/v2/alerts")) == answer


async def test_the_end_of_a_session_is_told_to_every_process(service, ann, database_url):
    listening, told = asyncio.Event(), asyncio.Event()

    def hear(payload: str) -> None:
        service.authenticator.forget(payload)
        (told if payload == f"session {ann.session}" else listening).set()

    kept = Browser(service, cookies=dict(ann.cookies))
    async with Listener(database_url) as listener:
        await listener.subscribe("eventgate_access", hear)
        while not listening.is_set():  # it may connect after the first change
            await service.pool.execute("UPDATE companies SET rate_limit = NULL")
            await asyncio.sleep(0.01)
        assert (await kept.ask("GET", "/v2/alerts"))[0] == 200
        await ann.ask("DELETE", "/v2/sessions/current")
        await asyncio.wait_for(told.wait(), PATIENCE)
        assert code_of(await kept.ask("GET", "/v2/alerts")) == (401, "session-unknown")


async def test_a_live_stream_ends_with_its_session(service, ann):
    headers = {"Cookie": f"{SESSION_COOKIE}={ann.cookie}"}
    async with service.session.get(f"{service.url}/v2/alerts/stream", headers=headers) as answer:
        await answer.content.readline()
        await ann.ask("DELETE", "/v2/sessions/current")
        service.authenticator.forget()
        await asyncio.wait_for(answer.content.read(), PATIENCE)


async def test_the_last_use_is_written_in_the_background(service, ann):
    use = SessionUse(service.pool, service.clock)
    row = await service.pool.fetchrow("SELECT id, last_used_at FROM sessions")
    later = service.clock.now_ms() + 30_000
    use.note(row["id"], later)
    assert use.last(row["id"]) == later
    assert await service.pool.fetchval("SELECT last_used_at FROM sessions") == row["last_used_at"]
    await use.write()
    assert await service.pool.fetchval("SELECT last_used_at > $1 FROM sessions", row["last_used_at"])
    assert use.last(row["id"]) == 0


async def test_a_user_has_a_bounded_number_of_sessions(service, ann):
    user = await service.pool.fetchval("SELECT user_id FROM sessions")
    await service.pool.execute(
        """INSERT INTO sessions (id, user_id, hash, remote, user_agent, created_at, last_used_at, expires_at)
           SELECT gen_random_uuid(), $1, sha256(n::text::bytea), '', '', now(), now() - interval '1 minute', now()
           FROM generate_series(1, 60) AS n""",
        user,
    )
    await Browser(service).sign_in()
    assert await service.pool.fetchval("SELECT count(*) FROM sessions") == 50
    assert (await ann.ask("GET", "/v2/sessions/current"))[0] == 200


async def test_too_many_who_wait_are_told_to_come_back(service):
    await person(service, "ann")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(Browser(service, f"198.51.100.{n}").sign_in("nobody", "x")) for n in range(80)]
    found = [code_of(task.result()) for task in tasks]
    assert (503, "busy") in found
    assert {(401, "sign-in-failed"), (503, "busy"), (429, "too-many-attempts")} >= set(found)
    assert (await Browser(service).sign_in())[0] == 201


async def test_a_password_kept_by_yesterdays_settings_is_hashed_anew(service):
    from argon2 import PasswordHasher

    await person(service, "ann")
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await service.pool.execute("UPDATE users SET password_hash = $1 WHERE login = 'ann'", old)
    assert (await Browser(service).sign_in())[0] == 201
    assert await service.pool.fetchval("SELECT password_hash FROM users WHERE login = 'ann'") != old
    assert (await Browser(service).sign_in())[0] == 201


async def test_whoever_is_signed_in_makes_keys_of_their_own_and_no_more(service):
    user, browser = await person(service, "ada", role="analyst"), Browser(service)
    await browser.sign_in("ada")
    status, key = await browser.ask("POST", "/v2/users/current/api-keys", {})
    assert (status, key["userId"]) == (201, str(user))
    assert not {scope for scope in key["scopes"] if not scope.endswith(":read")}
    status, problem = await browser.ask("POST", "/v2/users/current/api-keys", {"scopes": ["keys:manage"]})
    assert (status, problem["code"]) == (403, "key-too-strong")
    status, problem = await service.post("/v2/users/current/api-keys", {}, key["key"])
    assert (status, problem["code"]) == (403, "scope-missing")
    assert (await browser.ask("DELETE", f"/v2/users/current/api-keys/{key['id']}"))[0] == 204


async def test_a_session_goes_not_round_the_password_of_its_own_user(service):
    user, browser = await person(service, "ola"), Browser(service)
    await browser.sign_in("ola")
    for what in ("reset-2fa", "reset-password"):
        status, problem = await browser.ask("PUT", f"/v2/users/{user}/{what}", {})
        assert (status, problem["code"]) == (403, "own-account")
