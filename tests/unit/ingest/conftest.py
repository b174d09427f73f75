"""A key that signs, and writes as they stand once their signature holds."""

from dataclasses import replace
from uuid import UUID

import pytest

from eventgate.access import Principal
from eventgate.ingest.limits import Limits
from eventgate.ingest.write import Write
from eventgate.signing.base import SignedRequest
from eventgate.signing.keys import SigningKey, load_verify_key
from eventgate.signing.sign import sign
from eventgate.signing.verify import Freshness, verify
from tests.unit.ingest.house import COMPANY, NOW, SENSOR, VERIFY_KEY, MakeWrite, SensorList


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return SigningKey.generate("P-256")


@pytest.fixture(scope="session")
def principal(signing_key: SigningKey) -> Principal:
    """A key bound to SENSOR."""
    return Principal(
        company=COMPANY,
        user=UUID(int=1),
        key=UUID(int=2),
        scopes=frozenset({"events:write"}),
        edge=SENSOR.id,
        verify_keys={VERIFY_KEY: load_verify_key(signing_key.verify_key_pem, VERIFY_KEY)},
        id_secret=b"s" * 32,
    )


@pytest.fixture
def unbound(principal: Principal) -> Principal:
    return replace(principal, edge=None)


@pytest.fixture
def sensors() -> SensorList:
    return SensorList(SENSOR)


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture(scope="session")
def make_write(signing_key: SigningKey, principal: Principal) -> MakeWrite:
    """Sign a body and verify it, as nothing else makes VerifiedBytes."""

    def make(body: bytes, media: str = "json", coding: str | None = None, by: Principal = principal) -> Write:
        created = NOW // 1000
        headers = sign("POST", "/v2/events", body, signing_key, keyid=VERIFY_KEY, created=created)
        request = SignedRequest(
            "POST", "http", "gate.example", "/v2/events", [(k.lower(), v) for k, v in headers.items()], body
        )
        return Write(verify(request, by.verify_keys, created, Freshness()), media, coding, by, NOW)  # type: ignore[arg-type]

    return make
