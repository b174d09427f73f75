"""Companies over HTTP: made with an admin who comes in, bounded, retired; and by nobody but the operator."""

import asyncio
from ipaddress import ip_network
from typing import Any
from uuid import UUID, uuid4

import pytest

from eventgate.signing.authkey import AuthKey
from tests.integration.http_service import http_service, other_company
from tests.integration.signing_in import Browser

PASSWORD = "gravel otter nineteen lamps"


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path, trusted_proxies=[ip_network("127.0.0.1")]) as running:
        yield running


async def call(service, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
    headers = {"X-API-Key": key or service.made.admin_auth_key}
    async with service.session.request(method, service.url + path, json=body, headers=headers) as answer:
        text = await answer.read()
        return answer.status, (await answer.json(content_type=None) if text else None)


async def found(service, name: str = "Harbour", login: str = "ada", **members: Any) -> dict[str, Any]:
    body = {"name": name, "admin": {"login": login}, **members}
    async with service.session.post(
        f"{service.url}/v2/companies", json=body, headers={"X-API-Key": service.made.admin_auth_key}
    ) as answer:
        made = await answer.json()
        assert answer.status == 201, made
        assert answer.headers["Cache-Control"] == "no-store"
        return made


async def lines(service, company: str) -> list[str]:
    rows = await service.pool.fetch("SELECT action FROM audit WHERE company = $1::text::uuid ORDER BY id", company)
    return [row["action"] for row in rows]


async def test_a_company_from_its_founding_to_its_end(service):
    made = await found(service, rateLimit=50)
    company = made["id"]
    assert (made["name"], made["status"], made["rateLimit"], made["retiredAt"]) == ("Harbour", "active", 50, None)
    assert (made["admin"]["companyId"], made["admin"]["role"], made["admin"]["status"]) == (company, "admin", "invited")
    token = made["admin"]["link"]["url"].partition("#token=")[2]
    assert await call(service, "POST", "/v2/password-links/redeem", {"token": token, "password": PASSWORD}) == (
        204,
        None,
    )
    assert (await lines(service, company))[:2] == ["company.create", "user.create"]

    shown = {name: made[name] for name in made if name != "admin"}
    assert await call(service, "GET", f"/v2/companies/{company}") == (200, shown)
    _, listed = await call(service, "GET", "/v2/companies")
    assert [each["id"] for each in listed["data"]] == [company, service.made.company_id]
    assert listed["data"][0] == shown

    status, changed = await call(service, "PATCH", f"/v2/companies/{company}", {"rateLimit": None})
    assert (status, changed["name"], changed["rateLimit"]) == (200, "Harbour", None)
    assert (await call(service, "PATCH", f"/v2/companies/{company}", {"name": "Quay"}))[1]["name"] == "Quay"
    before = await lines(service, company)
    assert (await call(service, "PATCH", f"/v2/companies/{company}", {"name": "Quay"}))[0] == 200
    assert (await call(service, "PATCH", f"/v2/companies/{company}", {}))[0] == 200
    assert await lines(service, company) == before, "what changes nothing leaves no line"

    for _ in range(2):
        assert await call(service, "DELETE", f"/v2/companies/{company}") == (204, None)
    status, retired = await call(service, "GET", f"/v2/companies/{company}")
    assert (status, retired["status"]) == (200, "retired")
    assert retired["retiredAt"] == retired["updatedAt"]
    assert (await call(service, "PATCH", f"/v2/companies/{company}", {"name": "X"}))[1]["code"] == "company-retired"
    assert (await lines(service, company)).count("company.retire") == 1
    for wanted, ids in (("retired", [company]), ("active", [service.made.company_id])):
        _, listed = await call(service, "GET", f"/v2/companies?status={wanted}")
        assert [each["id"] for each in listed["data"]] == ids


async def test_a_retired_company_is_let_in_nowhere(service):
    company, key = await other_company(service)
    assert (await call(service, "GET", "/v2/edges", key=key))[0] == 200
    assert await call(service, "DELETE", f"/v2/companies/{company}") == (204, None)
    service.authenticator.forget()  # which PostgreSQL tells every worker to do; test_processes_http has them do it
    status, refused = await call(service, "GET", "/v2/edges", key=key)
    assert (status, refused["code"]) == (401, "key-revoked")


async def test_the_first_admin_signs_in_until_the_company_is_retired(service):
    made = await found(service)
    token = made["admin"]["link"]["url"].partition("#token=")[2]
    await call(service, "POST", "/v2/password-links/redeem", {"token": token, "password": PASSWORD})
    ada = Browser(service)
    status, session = await ada.sign_in("ada", PASSWORD)
    assert (status, session["user"]["companyId"], session["user"]["role"]) == (201, made["id"], "admin")
    assert (await ada.ask("GET", "/v2/users"))[1]["total"] == 1

    assert await call(service, "DELETE", f"/v2/companies/{made['id']}") == (204, None)
    service.authenticator.forget()
    assert (await ada.ask("GET", "/v2/users"))[0] == 401
    assert (await Browser(service).sign_in("ada", PASSWORD))[0] == 401


async def test_an_invitation_into_a_retired_company_is_worthless(service):
    made = await found(service)
    assert await call(service, "DELETE", f"/v2/companies/{made['id']}") == (204, None)
    token = made["admin"]["link"]["url"].partition("#token=")[2]
    status, _ = await call(service, "POST", "/v2/password-links/redeem", {"token": token, "password": PASSWORD})
    assert 400 <= status < 500
    assert await service.pool.fetchval("SELECT password_hash FROM users WHERE login = 'ada'") is None


async def test_all_of_it_or_nothing(service):
    await found(service)
    for admin, status, code in (
        ({"login": "ADA"}, 409, "login-taken"),
        ({}, 422, "body-invalid"),
        ({"login": " "}, 422, "body-invalid"),
        ({"login": "x", "role": "operator"}, 422, "body-invalid"),
        ({"email": "nowhere"}, 422, "body-invalid"),
    ):
        answered, refused = await call(service, "POST", "/v2/companies", {"name": "Second", "admin": admin})
        assert (answered, refused["code"]) == (status, code), refused
    for body in ({"name": "Second"}, {"admin": {"login": "x"}}, {"name": "", "admin": {"login": "x"}}):
        assert (await call(service, "POST", "/v2/companies", body))[0] == 422, body
    for limit in (0, -1, 1.5, "9", 1_000_001, True):
        body = {"name": "Second", "rateLimit": limit, "admin": {"login": "x"}}
        assert (await call(service, "POST", "/v2/companies", body))[0] == 422, limit
    assert await service.pool.fetchval("SELECT count(*) FROM companies") == 2
    assert await service.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'company.create'") == 1


async def test_the_operators_own_company_stays(service):
    own = f"/v2/companies/{service.made.company_id}"
    status, refused = await call(service, "DELETE", own)
    assert (status, refused["code"]) == (409, "company-of-operator")
    company, _ = await other_company(service)
    await service.pool.execute("UPDATE users SET role = 'operator' WHERE company = $1", company)
    assert (await call(service, "DELETE", f"/v2/companies/{company}"))[1]["code"] == "company-of-operator"


async def test_nobody_but_the_operator(service):
    company, _ = await other_company(service)
    await service.pool.execute(
        "UPDATE api_keys SET scopes = $1 WHERE company = $2", ["users:manage", "keys:manage"], company
    )
    key = (await other_key(service, company)).whole
    own = f"/v2/companies/{company}"
    asked = [("GET", "/v2/companies", None), ("POST", "/v2/companies", {}), ("GET", own, None), ("PATCH", own, {})]
    for method, path, body in [*asked, ("DELETE", own, None)]:
        status, refused = await call(service, method, path, body, key)
        assert (status, refused["code"]) == (403, "operator-only"), (method, path)
    for method, path, body in asked:  # an operator's key that is bound to a sensor, or may not manage users
        status, refused = await call(service, method, path, body, service.made.auth_key)
        assert (status, refused["code"]) == (403, "scope-missing"), (method, path)
    for method, body in (("GET", None), ("PATCH", {"name": "X"}), ("DELETE", None)):
        assert (await call(service, method, f"/v2/companies/{uuid4()}", body))[0] == 404


async def other_key(service, company: UUID):
    key = AuthKey.mint()
    await service.pool.execute(
        """INSERT INTO api_keys (id, company, user_id, public_id, hash, scopes, api_version)
           SELECT $1, company, id, $3, $4, '{users:manage}', '2026-11-22' FROM users WHERE company = $2""",
        uuid4(), company, key.public_id, key.hash,
    )  # fmt: skip
    return key


async def test_two_who_retire_at_once(service):
    company, _ = await other_company(service)
    answers = await asyncio.gather(*(call(service, "DELETE", f"/v2/companies/{company}") for _ in range(4)))
    assert [status for status, _ in answers] == [204] * 4
    assert await lines(service, str(company)) == ["company.retire"]
