"""``/keys`` over HTTP on a real database: what each call answers, and what no key can make of itself."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from eventgate.access import SCOPES
from eventgate.signing.keys import SigningKey
from tests.integration.http_service import Service, http_service, other_company

PUBLISHED = {
    "id", "companyId", "userId", "key", "whitelistedIPs", "status", "description", "createdAt", "updatedAt",
    "deletedAt", "apiVersion", "apiVersionUpdatedAt", "apiVersionDowngradeNotAllowedAfter",
}  # fmt: skip
PEM = SigningKey.generate().verify_key_pem
OURS = {"scopes", "edgeId", "registersEdges", "expiresAt", "rateLimit", "lastUsedAt"}


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with http_service(database_url, tmp_path) as running:
        yield running


@pytest.fixture
async def user(service: Service) -> UUID:
    return await service.pool.fetchval("SELECT id FROM users WHERE login = $1", service.made.admin_user)


async def a_user(service: Service, role: str) -> UUID:
    user = uuid4()
    await service.pool.execute(
        "INSERT INTO users (id, company, login, role) VALUES ($1, $2, $3, $4)", user, service.company, str(user), role
    )
    return user


async def made(service: Service, user: UUID, key: str | None = None, **members: Any) -> dict[str, Any]:
    status, answer = await service.post("/keys", {"userId": str(user), **members}, key)
    assert status == 201, answer
    return answer


async def refused(service: Service, body: dict, key: str | None = None, path: str = "/keys", method: str = "POST"):
    status, problem = await service.ask(method, path, body, key)
    return status, problem["code"], [error["pointer"] for error in problem.get("errors", ())]


async def audited(service: Service, action: str) -> list[dict[str, Any]]:
    rows = await service.pool.fetch("SELECT * FROM audit WHERE action = $1 ORDER BY id", action)
    return [
        {**row, "before": orjson.loads(row["before"] or "null"), "after": orjson.loads(row["after"])} for row in rows
    ]


async def test_a_key_is_told_once_and_works(service, user):
    async with service.session.post(
        f"{service.url}/keys", json={"userId": str(user)}, headers={"X-API-Key": service.made.admin_auth_key}
    ) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
        key = await answer.json()
    assert set(key) == PUBLISHED | OURS
    assert (key["status"], key["deletedAt"], key["whitelistedIPs"], key["description"]) == ("active", None, None, None)
    assert (key["companyId"], key["userId"]) == (service.made.company_id, str(user))
    status, again = await service.get(f"/keys/{key['id']}", key["key"])
    assert status == 200
    assert re.fullmatch(r"egk_[0-9A-Za-z]{12}\.{3}", again["key"])
    assert key["key"].startswith(again["key"].rstrip("."))
    assert again == {**key, "key": again["key"]}
    kept = await service.pool.fetchrow("SELECT * FROM api_keys WHERE id = $1", UUID(key["id"]))
    assert key["key"].rsplit("_", 2)[1] not in str(kept)
    (line,) = await audited(service, "key.create")
    assert (line["object_id"], line["after"]["key"], line["actor"]) == (key["id"], again["key"], "admin")
    assert key["key"] not in str(line)


async def test_the_default_scopes_are_those_of_reading(service, user):
    key = await made(service, user)
    assert key["scopes"] == [scope for scope in SCOPES if scope.endswith(":read")]
    assert (await made(service, await a_user(service, "analyst")))["scopes"] == [
        "alerts:read", "inventory:read", "edges:read", "sinks:read"
    ]  # fmt: skip


async def test_pages_lead_through_all_keys_and_back(service, user):
    keys = [(await made(service, user, description=f"number {number}"))["id"] for number in range(7)]
    everything = [key["id"] for key in (await service.get("/keys", service.made.admin_auth_key))[1]["data"]]
    assert everything[:7] == keys[::-1]
    assert len(everything) == 9  # and the two of the first start
    status, page = await service.get("/keys?limit=2&status=active", service.made.admin_auth_key)
    assert (status, page["status"], page["total"], page["count"], page["previousUrl"]) == (200, 200, 9, 2, None)
    found, last = [key["id"] for key in page["data"]], page
    while last["nextUrl"]:
        _, last = await service.get(last["nextUrl"], service.made.admin_auth_key)
        found += [key["id"] for key in last["data"]]
    assert found == everything
    back = []
    while last["previousUrl"]:
        _, last = await service.get(last["previousUrl"], service.made.admin_auth_key)
        back = [key["id"] for key in last["data"]] + back
    assert back == everything[: len(back)]
    assert len(back) == 8
    _, page = await service.get(f"/keys?endingBefore={keys[0]}&limit=3", service.made.admin_auth_key)
    assert [key["id"] for key in page["data"]] == [keys[3], keys[2], keys[1]]
    _, page = await service.get("/keys?offset=1&limit=1", service.made.admin_auth_key)
    assert [key["id"] for key in page["data"]] == [keys[5]]
    assert (await service.get(f"/keys?offset=1&startingAfter={keys[0]}", service.made.admin_auth_key))[0] == 400


async def test_a_change_keeps_what_is_absent_and_clears_what_is_null(service, user):
    key = await made(service, user, description="one", whitelistedIPs=["192.0.2.1"])
    path = f"/keys/{key['id']}"
    status, changed = await service.ask("PUT", path, {"description": "two"})
    assert (status, changed["description"], changed["whitelistedIPs"]) == (200, "two", ["192.0.2.1"])
    assert changed["updatedAt"] >= key["updatedAt"]
    _, changed = await service.ask("PUT", path, {"whitelistedIPs": None, "description": None})
    assert (changed["description"], changed["whitelistedIPs"]) == (None, None)
    _, unchanged = await service.ask("PUT", path, {})
    assert unchanged == changed
    assert await refused(service, {"whitelistedIPs": []}, path=path, method="PUT") == (
        422, "body-invalid", ["/whitelistedIPs"]
    )  # fmt: skip
    assert await refused(service, {"description": ""}, path=path, method="PUT") == (
        422, "body-invalid", ["/description"]
    )  # fmt: skip
    lines = await audited(service, "key.update")
    assert [(line["before"]["description"], line["after"]["description"]) for line in lines] == [
        ("one", "two"), ("two", None)
    ]  # fmt: skip


async def test_a_deleted_key_is_inactive_refused_and_stays_so(service, user):
    key = await made(service, user)
    path = f"/keys/{key['id']}"
    assert (await service.get("/v2/alerts", key["key"]))[0] == 200
    assert [await service.ask("DELETE", path) for _ in range(3)] == [(204, None)] * 3
    service.authenticator.forget()
    status, problem = await service.get("/v2/alerts", key["key"])
    assert (status, problem["code"]) == (401, "key-revoked")
    assert await refused(service, {"description": "x"}, path=path, method="PUT") == (409, "key-inactive", [])
    assert await refused(service, {"verifyKey": PEM}, path=f"{path}/verify-keys") == (409, "key-inactive", [])
    _, deleted = await service.get(path, service.made.admin_auth_key)
    assert (deleted["status"], bool(deleted["deletedAt"])) == ("inactive", True)
    _, page = await service.get("/keys?status=inactive", service.made.admin_auth_key)
    assert [found["id"] for found in page["data"]] == [key["id"]]
    _, page = await service.get("/keys", service.made.admin_auth_key)
    assert key["id"] not in [found["id"] for found in page["data"]]
    (line,) = await audited(service, "key.delete")
    assert (line["before"]["status"], line["after"]["status"]) == ("active", "inactive")


async def test_everything_that_is_wrong_is_said_at_once(service, user):
    body = {
        "userId": "x", "whitelistedIPs": ["192.0.2.1", "192.0.2.1/24", "nonsense"], "description": "x" * 201,
        "scopes": ["alerts:read", "root"], "edgeId": 7, "registersEdges": "yes", "expiresAt": 3, "rateLimit": 0,
        "key": "mine",
    }  # fmt: skip
    status, code, pointers = await refused(service, body)
    assert (status, code) == (422, "body-invalid")
    assert set(pointers) == {
        "/userId", "/whitelistedIPs/1", "/whitelistedIPs/2", "/description", "/scopes/1", "/edgeId", "/registersEdges",
        "/expiresAt", "/rateLimit", "/key",
    }  # fmt: skip
    assert await refused(service, {}) == (422, "body-invalid", ["/userId"])


async def test_what_is_not_the_companys_cannot_be_named(service, user):
    company, stranger = await other_company(service)
    theirs = await service.pool.fetchval("SELECT id FROM users WHERE company = $1", company)
    for unknown in (theirs, uuid4()):
        assert await refused(service, {"userId": str(unknown)}) == (422, "user-unknown", ["/userId"])
    body = {"userId": str(user), "edgeId": str(uuid4())}
    assert await refused(service, body) == (422, "edge-unknown", ["/edgeId"])
    gone = await a_user(service, "analyst")
    await service.pool.execute("UPDATE users SET deleted_at = now() WHERE id = $1", gone)
    assert await refused(service, {"userId": str(gone)}) == (422, "user-unknown", ["/userId"])
    await service.pool.execute("UPDATE api_keys SET scopes = scopes || '{keys:manage}' WHERE company = $1", company)
    path = f"/keys/{service.made.key_id}"
    for method, address, sent in (
        ("GET", path, None), ("PUT", path, {"description": "x"}), ("DELETE", path, None),
        ("GET", f"{path}/verify-keys", None), ("POST", f"{path}/verify-keys", {"verifyKey": PEM}),
        ("DELETE", f"{path}/verify-keys/{service.made.verify_key_id}", None),
        ("GET", f"/v2/users/{user}/api-keys", None),
        ("DELETE", f"/v2/users/{user}/api-keys/{service.made.key_id}", None),
    ):  # fmt: skip
        status, problem = await service.ask(method, address, sent, stranger)
        assert (status, problem["code"]) == (404, "not-found"), (method, address)
    _, page = await service.get("/keys", stranger)
    assert (page["total"], {key["companyId"] for key in page["data"]}) == (1, {str(company)})


async def test_a_key_never_makes_a_stronger_one(service, user):
    end = datetime.now(UTC) + timedelta(days=1)
    weak = (await made(
        service, user, scopes=["keys:manage", "alerts:read"], whitelistedIPs=["127.0.0.0/8"], rateLimit=50,
        expiresAt=end.isoformat(),
    ))["key"]  # fmt: skip
    base = {"userId": str(user)}
    late = (end + timedelta(days=1)).isoformat()
    for more, pointer in (
        ({"scopes": ["users:manage"]}, "/scopes"),
        ({"scopes": ["alerts:read", "events:write"]}, "/scopes"),
        ({"whitelistedIPs": None}, "/whitelistedIPs"),
        ({"whitelistedIPs": ["127.0.0.1", "192.0.2.1"]}, "/whitelistedIPs"),
        ({"whitelistedIPs": ["::/0"]}, "/whitelistedIPs"),
        ({"expiresAt": None}, "/expiresAt"),
        ({"expiresAt": late}, "/expiresAt"),
        ({"rateLimit": None}, "/rateLimit"),
        ({"rateLimit": 51}, "/rateLimit"),
        ({"registersEdges": True}, "/registersEdges"),
    ):
        assert await refused(service, base | more, weak) == (403, "key-too-strong", [pointer]), more
    child = await made(service, user, weak)
    assert (child["scopes"], child["whitelistedIPs"], child["rateLimit"]) == (["alerts:read"], ["127.0.0.0/8"], 50)
    assert child["expiresAt"] == end.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    path = f"/keys/{child['id']}"
    for more in ({"scopes": list(SCOPES)}, {"whitelistedIPs": None}, {"expiresAt": late}, {"rateLimit": None}):
        assert (await refused(service, more, weak, path, "PUT"))[:2] == (403, "key-too-strong")
    assert (await service.ask("PUT", path, {"scopes": ["keys:manage"], "rateLimit": 5}, weak))[0] == 200
    reader = (await made(service, user))["key"]
    for method, address in (("POST", "/keys"), ("PUT", path), ("DELETE", path), ("POST", f"{path}/verify-keys")):
        assert (await refused(service, base, reader, address, method))[:2] == (403, "scope-missing")


async def test_a_key_is_never_more_than_its_users_role_and_only_an_operator_makes_an_operators(service, user):
    analyst, admin = await a_user(service, "analyst"), await a_user(service, "admin")
    body = {"userId": str(analyst), "scopes": ["alerts:read", "keys:manage"]}
    assert await refused(service, body) == (422, "scope-beyond-role", ["/scopes"])
    key = await made(service, analyst)
    sent = {"scopes": ["events:write"]}
    assert await refused(service, sent, path=f"/keys/{key['id']}", method="PUT") == (
        422, "scope-beyond-role", ["/scopes"]
    )  # fmt: skip
    admins = (await made(service, admin, scopes=["keys:manage"]))["key"]
    assert await refused(service, {"userId": str(user)}, admins) == (403, "key-too-strong", ["/userId"])
    # An admin who holds a weak key of an operator's, a sensor's say, is not to make an operator of it.
    weak = await made(service, user, scopes=["alerts:read"])
    strong = (await made(service, admin, scopes=list(SCOPES)))["key"]
    for more in ({"scopes": list(SCOPES)}, {"edgeId": None}, {"description": "mine"}):
        assert await refused(service, more, strong, f"/keys/{weak['id']}", "PUT") == (403, "key-too-strong", []), more


async def test_a_weak_key_does_not_lift_the_bounds_of_a_stronger_one(service, user):
    manager = (await made(service, user, scopes=["keys:manage"]))["key"]
    bound = await made(service, user, scopes=["alerts:read"], whitelistedIPs=["192.0.2.1"], rateLimit=5)
    path = f"/keys/{bound['id']}"
    for member in ("whitelistedIPs", "expiresAt", "rateLimit"):
        found = await refused(service, {member: None}, manager, path, "PUT")
        assert found == (403, "key-too-strong", [f"/{member}"]), member
    assert (await service.ask("PUT", path, {"description": "a reader"}, manager))[0] == 200
    changes = {"whitelistedIPs": None, "scopes": ["keys:manage"]}
    assert (await service.ask("PUT", path, changes, manager))[0] == 200, "what it then may is not more"


async def test_a_key_bound_to_a_sensor_manages_nothing(service, user):
    bound = {"userId": str(user), "edgeId": service.made.edge_id}
    assert await refused(service, bound | {"scopes": ["keys:manage"]}) == (422, "scope-not-for-bound-key", ["/scopes"])
    key = await made(service, user, edgeId=service.made.edge_id, scopes=["events:write", "alerts:read"])
    assert (key["edgeId"], key["scopes"]) == (service.made.edge_id, ["events:write", "alerts:read"])
    path = f"/keys/{key['id']}"
    assert (await refused(service, {"scopes": ["keys:manage"]}, path=path, method="PUT"))[0] == 422
    _, free = await service.ask("PUT", path, {"scopes": ["keys:manage"], "edgeId": None})
    assert (free["edgeId"], free["scopes"]) == (None, ["keys:manage"])
    assert (await refused(service, {"edgeId": service.made.edge_id}, path=path, method="PUT"))[0] == 422


async def test_an_end_that_has_passed_is_refused(service, user):
    body = {"userId": str(user), "expiresAt": "2020-01-01T00:00:00Z"}
    assert await refused(service, body) == (422, "body-invalid", ["/expiresAt"])
    for odd in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "soon", ""):
        assert (await refused(service, body | {"expiresAt": odd}))[2] == ["/expiresAt"]


async def test_who_may_not_manage_sees_the_keys_of_their_own_user(service, user):
    analyst = await a_user(service, "analyst")
    own = await made(service, analyst)
    for path in (
        "/keys",
        "/v2/users/current/api-keys",
        f"/v2/users/{analyst}/api-keys",
        "/v2/users/current/api-keys?customerid",
    ):
        _, page = await service.get(path, own["key"])
        assert [key["id"] for key in page["data"]] == [own["id"]], path
    for path in (
        f"/keys/{service.made.key_id}",
        f"/keys/{service.made.key_id}/verify-keys",
        f"/v2/users/{user}/api-keys",
    ):
        assert (await service.get(path, own["key"]))[0] == 404
    status, _ = await service.get(f"/keys/{own['id']}/verify-keys", own["key"])
    assert status == 200


async def test_the_keys_of_a_user_and_of_the_current_one(service, user):
    analyst = await a_user(service, "analyst")
    theirs = await made(service, analyst)
    status, own = await service.post("/v2/users/current/api-keys")
    assert (status, own["userId"], own["key"][:4]) == (201, str(user), "egk_")
    status, described = await service.post("/v2/users/current/api-keys", {"description": "mine", "rateLimit": 3})
    assert (status, described["description"], described["rateLimit"]) == (201, "mine", 3)
    assert (await refused(service, {"userId": str(user)}, path="/v2/users/current/api-keys"))[0] == 422
    _, page = await service.get(f"/v2/users/{analyst}/api-keys", service.made.admin_auth_key)
    assert [key["id"] for key in page["data"]] == [theirs["id"]]
    assert (await service.get(f"/v2/users/{uuid4()}/api-keys", service.made.admin_auth_key))[0] == 404
    for path in (f"/v2/users/{user}/api-keys/{theirs['id']}", f"/v2/users/current/api-keys/{theirs['id']}"):
        assert (await service.ask("DELETE", path))[0] == 404
    for path in (f"/v2/users/{analyst}/api-keys/{theirs['id']}", f"/v2/users/current/api-keys/{own['id']}"):
        assert [(await service.ask("DELETE", path))[0] for _ in range(2)] == [204, 204]


async def test_a_key_made_while_its_user_is_deleted_is_deleted_or_never_made(service, user):
    for _ in range(5):
        leaver = await a_user(service, "admin")
        kept = await made(service, leaver)

        async def delete(leaver: UUID = leaver) -> None:
            async with service.pool.acquire() as connection, connection.transaction():
                await connection.execute("UPDATE users SET deleted_at = now() WHERE id = $1", leaver)
                await asyncio.sleep(0.01)
                await connection.execute("UPDATE api_keys SET deleted_at = now() WHERE user_id = $1", leaver)

        _, *answers = await asyncio.gather(
            delete(),
            *(service.post("/keys", {"userId": str(leaver)}) for _ in range(3)),
            *(service.ask("PUT", f"/keys/{kept['id']}", {"description": "changed"}) for _ in range(3)),
        )
        assert {status for status, _ in answers} <= {200, 201, 409, 422}
        live = "SELECT count(*) FROM api_keys WHERE user_id = $1 AND deleted_at IS NULL"
        assert await service.pool.fetchval(live, leaver) == 0


async def test_many_at_once_meet_no_mistake_of_ours(service, user):
    key = await made(service, user)
    path = f"/keys/{key['id']}"
    calls = [
        *(service.post("/keys", {"userId": str(user), "edgeId": service.made.edge_id}) for _ in range(20)),
        *(service.ask("PUT", path, {"description": f"{number}"}) for number in range(20)),
        *(service.ask("DELETE", path) for _ in range(10)),
        *(service.post(f"{path}/verify-keys", {"verifyKey": PEM}) for _ in range(10)),
        service.pool.execute("UPDATE users SET updated_at = now() WHERE id = $1", user),
    ]
    answers = [found for found in await asyncio.gather(*calls) if isinstance(found, tuple)]
    assert {status for status, _ in answers} <= {200, 201, 204, 409}
    assert sum(status == 201 for status, answer in answers if "verifyKey" in (answer or {})) <= 1
