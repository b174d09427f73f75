"""How strong a key may be, by who makes it and whose it is."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest

from eventgate.access import READ_SCOPES, SCOPES, Principal
from eventgate.access.keys.grants import Grantor, check_grant, with_defaults
from eventgate.errors import CallerError

NOW = datetime(2026, 11, 26, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def grantor(*scopes: str, expires_at: datetime | None = None, **more: Any) -> Grantor:
    return Grantor(Principal(uuid4(), uuid4(), uuid4(), frozenset(scopes or SCOPES), **more), expires_at)


def told(by: Grantor, role: str = "admin", **wanted: Any) -> tuple[int, list[tuple[str, str]]] | None:
    """What is refused of a new key, None where nothing is."""
    try:
        check_grant(by, role, wanted, with_defaults(by, role, wanted), NOW)
    except CallerError as error:
        return error.status, [(each.code, each.pointer) for each in error.errors]
    return None


def test_a_key_takes_from_its_maker_what_it_is_not_told():
    by = grantor("keys:manage", "alerts:read", expires_at=LATER, networks=(ip_network("192.0.2.0/24"),), rate_limit=5)
    key = with_defaults(by, "admin", {})
    assert (key["scopes"], key["whitelisted_ips"], key["expires_at"], key["rate_limit"]) == (
        ["alerts:read"], ["192.0.2.0/24"], LATER, 5
    )  # fmt: skip
    assert told(by) is None


def test_the_default_is_what_both_maker_and_user_may_read():
    assert set(with_defaults(grantor(), "admin", {})["scopes"]) == READ_SCOPES
    assert "audit:read" not in with_defaults(grantor(), "analyst", {})["scopes"]
    assert with_defaults(grantor(), "sensor", {})["scopes"] == []


def test_everything_stronger_is_named_at_once():
    by = grantor("keys:manage", expires_at=NOW, networks=(ip_network("192.0.2.0/24"),), rate_limit=5)
    refused = told(
        by,
        scopes=["events:write"],
        whitelisted_ips=None,
        expires_at=LATER,
        rate_limit=None,
        registers_edges=True,
        edge=uuid4(),
    )
    assert refused is not None
    status, errors = refused
    assert status == 403
    assert errors == [
        ("key-too-strong", pointer)
        for pointer in ("/scopes", "/edgeId", "/registersEdges", "/whitelistedIPs", "/expiresAt", "/rateLimit")
    ]


def test_who_may_register_sensors_gives_that_away():
    assert told(grantor("keys:manage", "edges:manage"), registers_edges=True) is None
    assert told(grantor("keys:manage", registers_sensors=True), registers_edges=True) is None


def test_what_no_key_of_this_user_can_be():
    assert told(grantor(), "analyst", scopes=["keys:manage"]) == (422, [("scope-beyond-role", "/scopes")])
    assert told(grantor(), edge=uuid4(), scopes=["sinks:manage"]) == (422, [("scope-not-for-bound-key", "/scopes")])
    assert told(grantor(), expires_at=NOW) == (422, [("body-invalid", "/expiresAt")])
    assert told(grantor(), expires_at=LATER) is None


def test_a_change_is_held_to_what_it_changes():
    strong = {"scopes": list(SCOPES), "edge": None}
    weak = grantor("keys:manage")
    check_grant(weak, "admin", {"description": "x"}, strong | {"description": "x"}, NOW)
    with pytest.raises(CallerError):
        check_grant(weak, "admin", {"edge": None}, strong, NOW)
