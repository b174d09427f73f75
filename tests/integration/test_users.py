"""People over HTTP: made, invited, changed, sent away; and what nobody may do to whom."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from eventgate.mail import Handed, Mail
from eventgate.signing.authkey import AuthKey
from tests.integration.http_service import Service, http_service, other_company
from tests.patience import PATIENCE

GOOD, BETTER = "gravel otter nineteen lamps", "nine lampposts sing quietly"


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


async def call(service: Service, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
    headers = {"X-API-Key": key or service.made.admin_auth_key}
    async with service.session.request(method, service.url + path, json=body, headers=headers) as answer:
        text = await answer.read()
        return answer.status, (await answer.json(content_type=None) if text else None)


async def invited(service: Service, **members: Any) -> dict[str, Any]:
    status, made = await call(service, "POST", "/v2/users", {"role": "analyst", **members})
    assert status == 201, made
    return made


def token_of(link: dict[str, Any]) -> str:
    address, _, token = link["url"].partition("#token=")
    assert address == "https://gate.example/console/set-password"
    return token


async def joined(service: Service, password: str = GOOD, **members: Any) -> dict[str, Any]:
    """A user who has set a password."""
    made = await invited(service, **members)
    body = {"token": token_of(made["link"]), "password": password}
    assert await call(service, "POST", "/v2/password-links/redeem", body) == (204, None)
    return made


async def key_of(service: Service, user: str, *scopes: str, edge: UUID | None = None) -> str:
    key = AuthKey.mint()
    await service.pool.execute(
        """INSERT INTO api_keys (id, company, user_id, public_id, hash, scopes, api_version, edge)
           SELECT $1, company, id, $3, $4, $5, '2026-11-22', $6 FROM users WHERE id = $2""",
        uuid4(), user, key.public_id, key.hash, list(scopes), edge,
    )  # fmt: skip
    return key.whole


async def admin_id(service: Service) -> str:
    return str((await call(service, "GET", "/v2/users/current"))[1]["id"])


async def audited(service: Service) -> list[tuple[str, str]]:
    service.authenticator.forget()
    rows = await service.pool.fetch("SELECT action, object_id FROM audit ORDER BY id")
    return [(row["action"], row["object_id"]) for row in rows]


async def test_the_first_admin_is_a_user_as_others_are(service: Service) -> None:
    status, admin = await call(service, "GET", "/v2/users/current")
    assert status == 200
    assert {name: admin[name] for name in ("login", "email", "name", "role", "status", "secondFactor")} == {
        "login": "admin", "email": None, "name": None, "role": "operator", "status": "active", "secondFactor": False,
    }  # fmt: skip
    assert (await call(service, "GET", f"/v2/users/{admin['id']}"))[1] == admin


async def test_an_invitation_shown_once_leads_to_a_password(service: Service) -> None:
    made = await invited(service, email="Ann@Example.org", name="Ann Lee")
    assert (made["login"], made["email"], made["status"]) == ("ann@example.org", "Ann@Example.org", "invited")
    assert (made["link"]["purpose"], made["link"]["delivery"]) == ("invitation", "shown")
    token = token_of(made["link"])
    weak = {"token": token, "password": "AnnLeeAnnLee"}
    assert (await call(service, "POST", "/v2/password-links/redeem", weak))[1]["code"] == "password-guessable"
    good = {"token": token, "password": GOOD}
    assert await call(service, "POST", "/v2/password-links/redeem", good) == (204, None)
    status, problem = await call(service, "POST", "/v2/password-links/redeem", good)
    assert (status, problem["code"]) == (422, "link-invalid")
    _, user = await call(service, "GET", f"/v2/users/{made['id']}")
    assert user["status"] == "active"
    assert await audited(service) == [("user.create", made["id"]), ("user.set-password", made["id"])]
    everything = str(await service.pool.fetch("SELECT before, after FROM audit"))
    assert token not in everything
    assert GOOD not in everything


async def test_of_several_who_use_a_link_at_once_one_does(service: Service) -> None:
    body = {"token": token_of((await invited(service, login="bob"))["link"]), "password": GOOD}
    asked = [call(service, "POST", "/v2/password-links/redeem", body) for _ in range(5)]
    assert sorted(status for status, _ in await asyncio.gather(*asked)) == [204, 422, 422, 422, 422]


async def test_a_newer_link_takes_the_place_of_the_old_and_all_end(service: Service) -> None:
    made = await invited(service, login="bob")
    old = token_of(made["link"])
    status, link = await call(service, "PUT", f"/v2/users/{made['id']}/reset-password")
    assert (status, link["purpose"]) == (200, "invitation")
    _, problem = await call(service, "POST", "/v2/password-links/redeem", {"token": old, "password": GOOD})
    assert problem["code"] == "link-invalid"
    await service.pool.execute("UPDATE password_links SET expires_at = now() - interval '1 second'")
    body = {"token": token_of(link), "password": GOOD}
    assert (await call(service, "POST", "/v2/password-links/redeem", body))[1]["code"] == "link-invalid"
    await service.pool.execute("UPDATE password_links SET expires_at = now() + interval '1 hour'")
    await call(service, "PATCH", f"/v2/users/{made['id']}", {"email": "bob@example.org"})
    assert (await call(service, "POST", "/v2/password-links/redeem", body))[1]["code"] == "link-invalid"


async def test_a_login_is_taken_whatever_its_case_and_company(service: Service) -> None:
    await other_company(service)  # whose user signs in as eve
    for login in ("EVE", "Admin", "\uff41dmin"):
        status, problem = await call(service, "POST", "/v2/users", {"role": "analyst", "login": login})
        assert (status, problem["code"]) == (409, "login-taken")
        assert "Other" not in str(problem)
    bob = await invited(service, login="bob")
    status, problem = await call(service, "PATCH", f"/v2/users/{bob['id']}", {"login": "eve"})
    assert (status, problem["code"]) == (409, "login-taken")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"role": "analyst"}, "/login"),
        ({"role": "analyst", "login": "  "}, "/login"),
        ({"login": "bob"}, "/role"),
        ({"role": "king", "login": "bob"}, "/role"),
        ({"role": "analyst", "email": "bob@example.org\r\nBcc: eve@example.org"}, "/email"),
        ({"role": "analyst", "email": "no address"}, "/email"),
        ({"role": "analyst", "login": "bob", "name": "a\nb"}, "/name"),
        ({"role": "analyst", "login": "bob", "password": GOOD}, "/password"),
    ],
)
async def test_what_is_wrong_with_a_new_user_is_said_by_its_pointer(service: Service, body: Any, pointer: str) -> None:
    status, problem = await call(service, "POST", "/v2/users", body)
    assert (status, problem["code"]) == (422, "body-invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_users_are_listed_newest_first_and_links_lead_on(service: Service) -> None:
    made = [(await invited(service, login=f"user-{number}"))["id"] for number in range(4)]
    everybody = [*made[::-1], await admin_id(service)]
    status, page = await call(service, "GET", f"/v2/users?limit=2&customerid={service.company}")
    assert (status, page["total"], page["count"], page["previousUrl"]) == (200, 5, 2, None)
    found = [user["id"] for user in page["data"]]
    while page["nextUrl"]:
        _, page = await call(service, "GET", page["nextUrl"].replace(service.url, ""))
        found += [user["id"] for user in page["data"]]
    assert found == everybody
    _, page = await call(service, "GET", page["previousUrl"].replace(service.url, ""))
    assert [user["id"] for user in page["data"]] == everybody[2:4]
    assert (await call(service, "GET", f"/v2/users?customerid={uuid4()}"))[1]["code"] == "customerid-mismatch"


async def test_deleting_a_user_ends_its_keys_and_link(service: Service) -> None:
    bob = await invited(service, login="bob")
    key = await key_of(service, bob["id"], "alerts:read")
    assert (await call(service, "GET", "/v2/alerts", key=key))[0] == 200
    for _ in range(2):  # also again
        assert await call(service, "DELETE", f"/v2/users/{bob['id']}") == (204, None)
    service.authenticator.forget()
    assert (await call(service, "GET", "/v2/alerts", key=key))[1]["code"] == "key-revoked"
    _, user = await call(service, "GET", f"/v2/users/{bob['id']}")
    assert user["status"] == "inactive"
    assert user["deletedAt"] is not None
    assert await service.pool.fetchval("SELECT count(*) FROM password_links") == 0
    assert bob["id"] not in str((await call(service, "GET", "/v2/users"))[1]["data"])
    assert (await call(service, "PATCH", f"/v2/users/{bob['id']}", {"name": "B"}))[1]["code"] == "user-deleted"
    status, problem = await call(service, "PUT", f"/v2/users/{bob['id']}/reset-password", {})
    assert (status, problem["code"]) == (409, "user-inactive")
    assert (await invited(service, login="bob"))["id"] != bob["id"], "the login is free again"
    lines = await audited(service)
    assert [action for action, _ in lines] == ["user.create", "user.delete", "key.delete", "user.create"]
    assert [object_id for _, object_id in lines[:2]] == [bob["id"], bob["id"]]


async def test_whoever_is_kept_out_comes_back_as_it_was(service: Service) -> None:
    bob = await joined(service, login="bob")
    key = await key_of(service, bob["id"], "alerts:read")
    _, user = await call(service, "PATCH", f"/v2/users/{bob['id']}", {"status": "inactive"})
    assert user["status"] == "inactive"
    assert (await call(service, "GET", "/v2/alerts", key=key))[1]["code"] == "key-revoked"
    _, user = await call(service, "PATCH", f"/v2/users/{bob['id']}", {"status": "active", "name": "Bob"})
    assert (user["status"], user["name"]) == ("active", "Bob")
    service.authenticator.forget()
    assert (await call(service, "GET", "/v2/alerts", key=key))[0] == 200


async def test_every_process_hears_of_it(service: Service) -> None:
    bob = await joined(service, login="bob")
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with service.pool.acquire() as connection:
        await connection.add_listener("eventgate_access", lambda *told: heard.put_nowait(told[2]))
        for body in ({"role": "sensor"}, {"status": "inactive"}):
            await call(service, "PATCH", f"/v2/users/{bob['id']}", body)
            await asyncio.wait_for(heard.get(), PATIENCE)
        while not heard.empty():
            heard.get_nowait()
        await call(service, "DELETE", f"/v2/users/{bob['id']}")
        await asyncio.wait_for(heard.get(), PATIENCE)
        await connection.reset()


async def test_a_weak_key_makes_nobody_stronger_than_itself(service: Service) -> None:
    bob = await joined(service, login="bob", role="admin")
    weak = await key_of(service, bob["id"], "users:manage", "events:write")
    admin = await admin_id(service)
    for method, path, body in (
        ("POST", "/v2/users", {"role": "admin", "login": "mallory"}),
        ("POST", "/v2/users", {"role": "operator", "login": "mallory"}),
        ("PATCH", f"/v2/users/{bob['id']}", {"name": "me"}),
        ("PUT", f"/v2/users/{bob['id']}/reset-password", None),
        ("PUT", f"/v2/users/{admin}/reset-password", None),
        ("DELETE", f"/v2/users/{admin}", None),
        ("PATCH", "/v2/users/current", {"email": "mallory@example.org"}),
        ("PATCH", "/v2/users/current", {"login": "mallory"}),
    ):
        status, problem = await call(service, method, path, body, weak)
        assert (status, problem["code"]) == (403, "role-beyond-yours"), (method, path)
    made = (await call(service, "POST", "/v2/users", {"role": "sensor", "login": "probe"}, weak))[1]
    status, problem = await call(service, "PATCH", f"/v2/users/{made['id']}", {"role": "admin"}, weak)
    assert (status, problem["errors"][0]["pointer"]) == (403, "/role")
    _, roles = await call(service, "GET", "/v2/users/roles", key=weak)
    assert [role["role"] for role in roles["data"] if role["assignable"]] == ["sensor"]
    assert [role["role"] for role in roles["data"]] == ["admin", "analyst", "operator", "sensor"]


async def test_only_an_operator_makes_or_touches_an_operator(service: Service) -> None:
    bob = await joined(service, login="bob", role="admin")
    strong = await key_of(
        service, bob["id"], "users:manage", *(await call(service, "GET", "/v2/users/roles"))[1]["data"][0]["scopes"]
    )
    admin = await admin_id(service)
    for method, path, body in (
        ("POST", "/v2/users", {"role": "operator", "login": "mallory"}),
        ("PATCH", f"/v2/users/{bob['id']}", {"role": "operator"}),
        ("PUT", f"/v2/users/{admin}/reset-password", None),
        ("DELETE", f"/v2/users/{admin}", None),
    ):
        status, problem = await call(service, method, path, body, strong)
        assert (status, problem["code"]) == (403, "role-beyond-yours"), (method, path)
    assert (await call(service, "POST", "/v2/users", {"role": "admin", "login": "carol"}, strong))[0] == 201


async def test_the_last_who_can_run_it_stays(service: Service) -> None:
    admin = await admin_id(service)
    for method, body in (("DELETE", None), ("PATCH", {"role": "admin"}), ("PATCH", {"status": "inactive"})):
        status, problem = await call(service, method, f"/v2/users/{admin}", body)
        assert (status, problem["code"]) == (409, "last-operator")
    second = await invited(service, login="second", role="operator")
    assert (await call(service, "DELETE", f"/v2/users/{admin}"))[1]["code"] == "last-operator", "one who never came"
    body = {"token": token_of(second["link"]), "password": GOOD}
    await call(service, "POST", "/v2/password-links/redeem", body)
    assert (await call(service, "PATCH", f"/v2/users/{admin}", {"role": "analyst"}))[0] == 200


async def test_two_admins_who_send_each_other_away_do_not_both_go(service: Service) -> None:
    await service.pool.execute("UPDATE users SET role = 'admin'")
    other = await joined(service, login="other", role="admin")
    service.authenticator.forget()
    gone = [call(service, "DELETE", f"/v2/users/{user}") for user in (other["id"], await admin_id(service))]
    codes = [(status, body and body["code"]) for status, body in await asyncio.gather(*gone)]
    assert (204, None) in codes
    assert await service.pool.fetchval("SELECT count(*) FROM users WHERE deleted_at IS NULL") == 1


async def test_another_companys_users_are_not_there(service: Service) -> None:
    company, _ = await other_company(service)
    eve = await service.pool.fetchval("SELECT id FROM users WHERE company = $1", company)
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("PUT", "/reset-password")):
        status, problem = await call(
            service, method, f"/v2/users/{eve}{path}", {} if method in ("PATCH", "PUT") else None
        )
        assert (status, problem["code"]) == (404, "not-found"), method
    assert (await call(service, "GET", "/v2/users"))[1]["total"] == 1


async def test_oneself(service: Service) -> None:
    bob = await joined(service, login="bob", role="analyst")
    key = await key_of(service, bob["id"], "alerts:read", "inventory:read", "edges:read", "sinks:read")
    _, user = await call(service, "PATCH", "/v2/users/current", {"name": "Bob", "email": "bob@example.org"}, key)
    assert (user["name"], user["email"], user["login"]) == ("Bob", "bob@example.org", "bob")
    status, problem = await call(service, "PATCH", "/v2/users/current", {"role": "admin"}, key)
    assert (status, problem["errors"][0]["pointer"]) == (422, "/role")
    assert (await call(service, "GET", "/v2/users", key=key))[1]["code"] == "scope-missing"
    sensors = await call(service, "PATCH", "/v2/users/current", {"name": "x"}, service.made.auth_key)
    assert (sensors[0], sensors[1]["code"]) == (403, "sensor-key")


async def test_a_new_password_takes_the_current_one(service: Service) -> None:
    bob = await joined(service, login="bob")
    key = await key_of(service, bob["id"], "alerts:read")
    path = "/v2/users/current/reset-password"
    status, problem = await call(service, "PUT", path, {"currentPassword": "wrong", "newPassword": BETTER}, key)
    assert (status, problem["code"], problem["errors"][0]["pointer"]) == (403, "password-wrong", "/currentPassword")
    status, problem = await call(service, "PUT", path, {"currentPassword": GOOD, "newPassword": "short"}, key)
    assert (status, problem["code"], problem["errors"][0]["pointer"]) == (422, "password-length", "/newPassword")
    assert await call(service, "PUT", path, {"currentPassword": GOOD, "newPassword": BETTER}, key) == (204, None)
    assert (await call(service, "PUT", path, {"currentPassword": GOOD, "newPassword": BETTER}, key))[0] == 403
    assert (await audited(service))[-1] == ("user.set-password", bob["id"])


class Outgoing:
    """Mails handed over, in their order; and what is said of them."""

    def __init__(self) -> None:
        self.mails: asyncio.Queue[Mail] = asyncio.Queue()
        self.says = Handed.SENT

    async def post(self, mail: Mail) -> Handed:
        self.mails.put_nowait(mail)
        return self.says


@pytest.fixture
async def outgoing() -> Outgoing:
    return Outgoing()


@pytest.fixture
async def mailing(database_url: str, tmp_path: Path, outgoing: Outgoing) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path, post=outgoing.post) as running:
        yield running


async def forgotten(service: Service, login: str, **headers: str) -> int:
    body, url = {"login": login}, service.url + "/v2/password-links"
    async with service.session.post(url, json=body, headers=headers) as answer:
        assert answer.status == 429 or await answer.read() == b""
        return answer.status


async def test_with_mail_a_link_is_sent_and_not_shown(mailing: Service, outgoing: Outgoing) -> None:
    for handed in Handed:
        outgoing.says = handed
        made = await invited(mailing, email=f"{handed}@example.org", name="Ann")
        assert (made["link"]["delivery"], made["link"]["url"]) == (handed.value, None)
        mail = await outgoing.mails.get()
        assert mail.to == f"{handed}@example.org"
        assert mail.text.startswith("Hello Ann,\n")
        assert "for 7 days" in mail.text
        assert "\n\nhttps://gate.example/console/set-password#token=" in mail.text
    nowhere_to_send = await invited(mailing, login="bob")
    assert nowhere_to_send["link"]["delivery"] == "shown"


async def test_a_forgotten_password_is_heard_whoever_asks_and_mailed_to_who_is_there(
    mailing: Service, outgoing: Outgoing
) -> None:
    ann = await joined_by_mail(mailing, outgoing, "ann@example.org")
    for login in ("nobody", "admin", "ANN@example.org"):
        assert await forgotten(mailing, login) == 202
    mail = await asyncio.wait_for(outgoing.mails.get(), PATIENCE)
    assert (mail.to, outgoing.mails.empty()) == ("ann@example.org", True)
    assert "for 1 hour" in mail.text
    token = mail.text.partition("#token=")[2].split()[0]
    body = {"token": token, "password": BETTER}
    assert await call(mailing, "POST", "/v2/password-links/redeem", body) == (204, None)
    assert ("user.forgot-password", ann) in await audited(mailing)


async def test_asking_again_and_again_sends_three_mails_and_then_none(mailing: Service, outgoing: Outgoing) -> None:
    await joined_by_mail(mailing, outgoing, "ann@example.org")
    statuses = [await forgotten(mailing, "ann@example.org") for _ in range(21)]
    assert statuses == [202] * 20 + [429]
    for _ in range(3):
        await asyncio.wait_for(outgoing.mails.get(), PATIENCE)
    assert outgoing.mails.empty()
    await mailing.pool.execute("UPDATE password_link_requests SET since = since - interval '61 minutes'")
    assert await forgotten(mailing, "ann@example.org") == 202
    await asyncio.wait_for(outgoing.mails.get(), PATIENCE)


async def joined_by_mail(service: Service, outgoing: Outgoing, email: str) -> str:
    made = await invited(service, email=email)
    token = (await outgoing.mails.get()).text.partition("#token=")[2].split()[0]
    body = {"token": token, "password": GOOD}
    assert await call(service, "POST", "/v2/password-links/redeem", body) == (204, None)
    return str(made["id"])


async def test_without_mail_a_forgotten_password_is_heard_all_the_same(service: Service) -> None:
    assert await forgotten(service, "admin") == 202
    assert await service.pool.fetchval("SELECT count(*) FROM password_links") == 0
