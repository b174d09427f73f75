"""Content-Digest: RFC 9530's own examples, and what is refused."""

import pytest

from eventgate.errors import CallerError
from eventgate.signing.digest import check_content_digest, content_digest

BODY = b'{"hello": "world"}'
SHA256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
SHA512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"


def test_the_published_digest_is_made() -> None:
    assert content_digest(BODY) == SHA256


@pytest.mark.parametrize("field", [SHA256, SHA512, f"{SHA256}, {SHA512}", f"md5=:AAAA:, {SHA512}, x=::"])
def test_a_digest_that_fits_is_accepted_and_unknown_algorithms_are_ignored(field: str) -> None:
    check_content_digest(field, BODY)


@pytest.mark.parametrize(
    "field", [SHA256, SHA512, "sha-256=::", f"sha-256=:AAAA:, {SHA512}", f"{SHA256}, sha-512=:AAAA:"]
)
def test_every_known_digest_must_fit(field: str) -> None:
    with pytest.raises(CallerError) as caught:
        check_content_digest(field, BODY if "AAAA" in field else b"other")
    assert (caught.value.status, caught.value.code) == (401, "digest-mismatch")


@pytest.mark.parametrize(
    "field", [None, "", "sha-256", "sha-256=X48E", "md5=:AAAA:", "sha=:AAAA:", f"{SHA256}, {SHA256}"]
)
def test_without_a_known_digest_the_field_is_malformed(field: str | None) -> None:
    with pytest.raises(CallerError) as caught:
        check_content_digest(field, BODY)
    assert (caught.value.status, caught.value.code) == (400, "digest-malformed")
