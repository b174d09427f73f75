"""What a principal may do."""

from uuid import uuid4

import pytest

from eventgate.access import ROLES, SCOPES, Principal
from eventgate.errors import CallerError


def test_requires_a_scope_by_name():
    principal = Principal(uuid4(), uuid4(), uuid4(), frozenset({"alerts:read"}))
    principal.require("alerts:read")
    with pytest.raises(CallerError) as caught:
        principal.require("events:write")
    assert (caught.value.status, caught.value.code) == (403, "scope-missing")
    assert caught.value.members == {"requiredScope": "events:write"}


def test_no_role_has_a_scope_that_does_not_exist():
    assert all(scopes <= set(SCOPES) for scopes in ROLES.values())


def test_a_secret_is_not_printed():
    assert "id_secret" not in repr(Principal(uuid4(), uuid4(), uuid4(), frozenset(), id_secret=b"secret"))
