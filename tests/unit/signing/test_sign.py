"""What sign writes, and what it cannot write."""

import pytest

from eventgate.signing.base import SignedRequest
from eventgate.signing.sign import sign
from tests.unit.signing.writes import BODY, KEY, KEY_ID, NOW, check, write


def test_the_fields_read_as_the_wire_contract_prints_them() -> None:
    headers = sign("POST", "/v2/events", BODY, KEY, keyid=KEY_ID, created=NOW, nonce='a"b')
    assert headers["Signature-Input"] == (
        f'eg=("@method" "@path" "content-digest");created={NOW};keyid="{KEY_ID}";alg="ecdsa-p256-sha256";nonce="a\\"b"'
    )
    request = SignedRequest(
        "POST", "http", "h", "/v2/events", [(name.lower(), value) for name, value in headers.items()], BODY
    )
    assert check(request).body == BODY


def test_further_fields_are_covered_once_each() -> None:
    request = write(
        fields={"content-type": "application/json", "content-digest": "ignored", "content-encoding": "gzip"}
    )
    text = dict(request.headers)["signature-input"]
    assert text.startswith('eg=("@method" "@path" "content-digest" "content-type" "content-encoding");')
    assert "ignored" not in dict(request.headers)["content-digest"]


@pytest.mark.parametrize("text", ["é", "a\nb", "\x7f", "\0"])
def test_what_a_header_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        sign("POST", "/", b"", KEY, keyid=text, created=NOW)
