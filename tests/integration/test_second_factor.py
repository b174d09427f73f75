"""The second factor over HTTP: set up, asked for, each code taken once, lost and taken away."""

import asyncio
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pyotp
import pytest

from eventgate.access import SCOPES, Actor, Audit
from eventgate.access.people.links import Links
from eventgate.access.people.recovery import recover
from eventgate.access.people.user import User
from eventgate.access.signin.second_factor import remove_within
from tests.integration.http_service import http_service, other_company
from tests.integration.signing_in import PASSWORD, Browser, code_of, person

RESET = "/v2/users/current/reset-2fa"


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


async def test_it_is_set_up_in_two_steps_and_asked_for_from_then_on(service, ann):
    status, begun = await ann.ask("PUT", RESET, {"password": PASSWORD})
    assert status == 200
    assert ann.headers["Cache-Control"] == "no-store"
    assert begun["otpauthUri"].startswith("otpauth://totp/EventGate:ann?secret=" + begun["secret"])
    assert begun["qrCode"].startswith("<svg")
    assert (await Browser(service).sign_in())[0] == 201  # not yet
    app = pyotp.TOTP(begun["secret"])
    status, confirmed = await ann.ask("PUT", RESET, {"code": app.now()})
    assert (status, len(set(confirmed["recoveryCodes"]))) == (200, 10)
    assert ann.headers["Cache-Control"] == "no-store"
    assert code_of(await Browser(service).sign_in()) == (401, "code-required")
    assert code_of(await Browser(service).sign_in(code=app.now())) == (401, "code-wrong")  # it confirmed already
    later = app.at(service.clock.now_ms() // 1000 + 30)
    assert (await Browser(service).sign_in(code=f"{later[:3]} {later[3:]}"))[0] == 201
    assert code_of(await Browser(service).sign_in(code=later)) == (401, "code-wrong")
    assert await service.pool.fetchval("SELECT second_factor FROM users WHERE login = 'ann'")


async def test_setting_it_up_ends_the_other_sessions(service, ann):
    phone = Browser(service)
    await phone.sign_in()
    await ann.enrol()
    service.authenticator.forget()
    assert code_of(await phone.ask("GET", "/v2/alerts")) == (401, "session-unknown")
    assert (await ann.ask("GET", "/v2/alerts"))[0] == 200


async def test_what_is_stored_and_audited_tells_no_secret(service, ann):
    app, codes = await ann.enrol()
    rows = [*await service.pool.fetch("SELECT * FROM second_factors"), *await service.pool.fetch("SELECT * FROM audit")]
    stored = " ".join(str(dict(row)) for row in rows)
    sealed = await service.pool.fetchval("SELECT secret FROM second_factors")
    assert app.byte_secret() not in sealed
    assert not any(secret in stored for secret in (app.secret, *codes))
    actions = [row["action"] for row in await service.pool.fetch("SELECT action FROM audit ORDER BY id")]
    assert actions == ["session.create", "user.begin-second-factor", "user.confirm-second-factor"]


async def test_a_session_must_show_the_password_first_and_a_stolen_one_cannot_guess_it(service, ann):
    assert code_of(await ann.ask("PUT", RESET)) == (403, "password-required")
    for _ in range(6):
        assert code_of(await ann.ask("PUT", RESET, {"password": "wrong"})) in (
            (403, "password-wrong"), (429, "too-many-attempts")
        )  # fmt: skip
    assert code_of(await ann.ask("PUT", RESET, {"password": PASSWORD})) == (429, "too-many-attempts")
    assert (await Browser(service).sign_in())[0] == 201  # the owner is not kept out


async def test_a_key_may_set_up_the_first_and_must_show_the_password_for_another(service):
    key = {"X_API_Key": service.made.admin_auth_key}
    browser = Browser(service)
    status, begun = await browser.ask("PUT", RESET, {}, **key)
    assert status == 200
    assert (await browser.ask("PUT", RESET, {"code": pyotp.TOTP(begun["secret"]).now()}, **key))[0] == 200
    assert code_of(await browser.ask("PUT", RESET, **key)) == (403, "password-required")
    assert (await browser.ask("PUT", RESET, {"password": service.made.admin_password}, **key))[0] == 200


async def test_a_key_that_may_less_than_its_user_sets_up_nothing(service):
    browser = Browser(service)
    assert code_of(await browser.ask("PUT", RESET, {}, X_API_Key=service.made.auth_key)) == (403, "role-beyond-yours")
    bounds = {"scopes": list(SCOPES), "expiresAt": "2040-01-01T00:00:00Z"}
    admins = {"X_API_Key": service.made.admin_auth_key}
    _, bound = await browser.ask("POST", "/v2/users/current/api-keys", bounds, **admins)
    assert code_of(await browser.ask("PUT", RESET, {}, X_API_Key=bound["key"])) == (403, "role-beyond-yours")


async def test_the_code_of_an_enrolment_cannot_be_guessed(service, ann):
    await ann.ask("PUT", RESET, {"password": PASSWORD})
    found = [code_of(await ann.ask("PUT", RESET, {"code": "abcdef"})) for _ in range(6)]
    assert found == [(403, "code-wrong")] * 5 + [(429, "too-many-attempts")]


async def test_a_wrong_code_confirms_nothing(service, ann):
    assert code_of(await ann.ask("PUT", RESET, {"code": "123456"})) == (409, "enrolment-missing")
    await ann.ask("PUT", RESET, {"password": PASSWORD})
    assert code_of(await ann.ask("PUT", RESET, {"code": "abcdef"})) == (403, "code-wrong")
    await service.pool.execute("UPDATE second_factors SET pending_at = pending_at - interval '16 minutes'")
    assert code_of(await ann.ask("PUT", RESET, {"code": "123456"})) == (409, "enrolment-missing")
    assert (await Browser(service).sign_in())[0] == 201


async def test_a_code_raced_by_ten_lets_one_in(service, ann):
    app, _ = await ann.enrol()
    # From different places, so that the throttle does not decide it.
    browsers = [Browser(service, address=f"198.51.100.{number}") for number in range(10)]
    found = await asyncio.gather(*(browser.sign_in(code=app.now()) for browser in browsers))
    assert sorted(status for status, _ in found) == [201] + [401] * 9, found


async def test_a_recovery_code_raced_by_ten_lets_one_in_and_never_again(service, ann):
    _, codes = await ann.enrol()
    browsers = [Browser(service, address=f"198.51.100.{number}") for number in range(10)]
    found = await asyncio.gather(*(browser.sign_in(recoveryCode=codes[0]) for browser in browsers))
    assert sorted(status for status, _ in found) == [201] + [401] * 9, found
    assert {problem["code"] for status, problem in found if status == 401} == {"recovery-code-wrong"}
    assert (await Browser(service).sign_in(recoveryCode=codes[1].lower().replace("-", " ")))[0] == 201
    assert await service.pool.fetchval("SELECT count(*) FROM recovery_codes") == 8
    told = await service.pool.fetchval("SELECT after FROM audit WHERE action = 'user.use-recovery-code' LIMIT 1")
    assert "recoveryCodesLeft" in told


async def test_wrong_codes_are_slowed_down_whatever_is_asked_between(service, ann):
    await ann.enrol()
    stranger = Browser(service, address="203.0.113.9")
    codes = set()
    for _ in range(8):
        codes.add(code_of(await stranger.sign_in(code="000000"))[1])
        codes.add(code_of(await stranger.sign_in())[1])  # the password alone takes nothing back
    assert codes == {"code-wrong", "code-required", "too-many-attempts"}


async def test_an_admin_takes_it_away_and_ends_the_sessions(service, ann):
    await ann.enrol()
    user = await service.pool.fetchval("SELECT id FROM users WHERE login = 'ann'")
    company, _ = await other_company(service)
    await person(service, "mallory", company=company)
    mallory, key = Browser(service), {"X_API_Key": service.made.admin_auth_key}
    await mallory.sign_in("mallory")
    assert code_of(await mallory.ask("PUT", f"/v2/users/{user}/reset-2fa")) == (404, "not-found")
    assert code_of(await mallory.ask("PUT", f"/v2/users/{uuid4()}/reset-2fa", **key)) == (404, "not-found")
    status, found = await Browser(service).ask("PUT", f"/v2/users/{user}/reset-2fa", {}, **key)
    assert (status, found) == (200, {"id": str(user), "secondFactor": False})
    service.authenticator.forget()
    assert code_of(await ann.ask("GET", "/v2/alerts")) == (401, "session-unknown")
    assert (await Browser(service).sign_in())[0] == 201


async def test_who_lost_both_is_let_in_again_on_the_machine_itself(service, ann):
    await ann.enrol()
    audit = Audit(service.pool, service.clock)
    links = Links(service.clock, service.url, invitation_hours=1, reset_hours=1)

    async def besides(connection: Any, actor: Actor, user: User) -> None:
        await remove_within(connection, audit, actor, user.id, user.company)

    await recover(service.pool, audit, links, "ann")
    assert code_of(await Browser(service).sign_in()) == (401, "code-required"), "by itself, a link is a link"
    await recover(service.pool, audit, links, "ann", besides=besides)
    service.authenticator.forget()
    assert code_of(await ann.ask("GET", "/v2/alerts")) == (401, "session-unknown")
    assert (await Browser(service).sign_in())[0] == 201
    told = await service.pool.fetch("SELECT action FROM audit WHERE actor LIKE 'the command line%' ORDER BY id")
    assert [line["action"] for line in told] == ["user.recover", "user.recover", "user.reset-second-factor"]


async def test_an_operators_is_for_operators(service, ann):
    operator = await service.pool.fetchval("SELECT id FROM users WHERE role = 'operator'")
    assert code_of(await ann.ask("PUT", f"/v2/users/{operator}/reset-2fa")) == (403, "role-beyond-yours")


async def test_another_key_file_is_said_plainly(service, ann):
    app, codes = await ann.enrol()
    await service.pool.execute("UPDATE second_factors SET secret = set_byte(secret, 20, 1 # get_byte(secret, 20))")
    assert code_of(await Browser(service).sign_in(code=app.now())) == (503, "second-factor-unreadable")
    assert (await Browser(service).sign_in(recoveryCode=codes[0]))[0] == 201
