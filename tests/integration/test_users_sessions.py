"""What becomes of who is signed in when a password changes or its user is sent away."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.integration.http_service import Service, http_service
from tests.integration.signing_in import PASSWORD, Browser, code_of, person

BETTER = "nine lampposts sing quietly"
OWN = "/v2/users/current/reset-password"


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    proxies = (ip_network("127.0.0.0/8"),)
    async with http_service(database_url, tmp_path, trusted_proxies=proxies) as running:
        yield running


async def signed_in(service: Service, login: str = "ann") -> Browser:
    browser = Browser(service)
    assert (await browser.sign_in(login))[0] == 201
    service.authenticator.forget()
    return browser


async def gone(browser: Browser) -> bool:
    """Whether the browser is not signed in any more; a process hears of it, here it is told."""
    browser.service.authenticator.forget()
    return (await browser.ask("GET", "/v2/users/current"))[0] == 401


async def test_ones_own_new_password_ends_every_other_session(service: Service) -> None:
    await person(service, "ann")
    desk, phone = await signed_in(service), await signed_in(service)
    wrong = await desk.ask("PUT", OWN, {"currentPassword": "wrong", "newPassword": BETTER})
    assert code_of(wrong) == (403, "password-wrong")
    assert (await desk.ask("PUT", OWN, {"currentPassword": PASSWORD, "newPassword": BETTER}))[0] == 204
    assert await gone(phone)
    assert not await gone(desk)
    assert (await phone.sign_in("ann", BETTER))[0] == 201
    assert code_of(await phone.sign_in("ann", PASSWORD)) == (401, "sign-in-failed")


async def test_an_old_password_does_not_undo_a_new_one_that_came_meanwhile(service: Service) -> None:
    await person(service, "ann")
    desk = await signed_in(service)
    asked = [
        desk.ask("PUT", OWN, {"currentPassword": PASSWORD, "newPassword": f"{BETTER} {number}"}) for number in range(3)
    ]
    answers = sorted((status, (body or {}).get("code")) for status, body in await asyncio.gather(*asked))
    assert answers == [(204, None), (403, "password-wrong"), (403, "password-wrong")]


async def test_guessing_at_the_current_password_is_slowed_down(service: Service) -> None:
    await person(service, "ann")
    desk = await signed_in(service)
    statuses = [
        (await desk.ask("PUT", OWN, {"currentPassword": f"wrong {number}", "newPassword": BETTER}))[0]
        for number in range(8)
    ]
    assert statuses[0] == 403
    assert statuses[-1] == 429


async def test_a_link_that_is_used_ends_every_session(service: Service) -> None:
    ann = await person(service, "ann")
    desk = await signed_in(service)
    key = {"X_API_Key": service.made.admin_auth_key}
    _, link = await Browser(service).ask("PUT", f"/v2/users/{ann}/reset-password", **key)
    assert link["purpose"] == "reset"
    assert not await gone(desk), "the old password is good until then"
    token = link["url"].partition("#token=")[2]
    redeemed = await Browser(service).ask("POST", "/v2/password-links/redeem", {"token": token, "password": BETTER})
    assert redeemed[0] == 204
    assert await gone(desk)
    assert (await desk.sign_in("ann", BETTER))[0] == 201


@pytest.mark.parametrize(("method", "body"), [("DELETE", None), ("PATCH", {"status": "inactive"})])
async def test_who_is_sent_away_is_signed_out(service: Service, method: str, body: object) -> None:
    ann = await person(service, "ann")
    desk = await signed_in(service)
    key = {"X_API_Key": service.made.admin_auth_key}
    assert (await Browser(service).ask(method, f"/v2/users/{ann}", body, **key))[0] in (200, 204)
    assert await gone(desk)
    assert await service.pool.fetchval("SELECT count(*) FROM sessions") == 0
