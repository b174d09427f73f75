"""What verify accepts, and every way a write is refused: the table of the wire contract, row by row."""

import base64
import json
from pathlib import Path

import pytest

from eventgate.signing.base import SignedRequest, combine, signature_base
from eventgate.signing.fields import parse_lists
from eventgate.signing.keys import CURVES, SigningKey, VerifyKey, load_verify_key
from eventgate.signing.verify import Freshness, VerifiedBytes, verify
from tests.unit.signing.writes import BODY, KEY_ID, KEYS, NOW, check, header, refusal, sign_text, write

VECTORS = {
    path.stem: json.loads(path.read_text())
    for path in sorted((Path(__file__).parents[2] / "vectors" / "signatures").glob("*.json"))
}
vectors = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
REQUIRED_LINES = ['"@method": POST', '"@path": /v2/events']


def _request(vector: dict) -> SignedRequest:
    headers = [(name, value) for name, value in vector["headers"]]
    names = ("method", "scheme", "authority", "path")
    return SignedRequest(*(vector[name] for name in names), headers, vector["body"].encode())


def _keys(vector: dict) -> dict[str, VerifyKey]:
    return {vector["keyid"]: load_verify_key(vector["key"], vector["keyid"])}


def test_the_vectors_are_there() -> None:
    assert list(VECTORS) == ["openssl-p-256", "openssl-p-384", "openssl-p-521", "rfc9421-4.3"]


@vectors
def test_a_vector_holds(vector: dict) -> None:
    verified = verify(_request(vector), _keys(vector), vector["created"] + 10, Freshness())
    assert verified.body == vector["body"].encode()
    assert (verified.verify_key_id, verified.created) == (vector["keyid"], vector["created"])


@vectors
def test_the_base_of_a_vector_is_made_letter_for_letter(vector: dict) -> None:
    request = _request(vector)
    fields = combine(request.headers)
    (member,) = parse_lists(fields["signature-input"]).values()
    base = signature_base(request, fields, member.components, member.text)
    assert base.decode().split("\n") == vector["base"]


@vectors
def test_a_vector_breaks_with_anything_it_covers(vector: dict) -> None:
    request = _request(vector)
    changed = [request._replace(authority="example.org"), request._replace(path=request.path + "/")]
    for name in {"content-type", "content-length", "x-site"} & dict(request.headers).keys():
        headers = [(n, f"{v}x" if n == name else v) for n, v in request.headers]
        changed += [request._replace(headers=headers), request._replace(headers=[*request.headers, (name, "more")])]
    for other in changed:
        assert refusal(other, _keys(vector), vector["created"]).code == "signature-invalid"
    assert len(changed) >= 4


@pytest.mark.parametrize("curve", list(CURVES))
def test_every_curve_signs_and_verifies(curve: str) -> None:
    key = SigningKey.generate(curve)
    request = write(key=key)
    assert ("alg=" in header(request, "signature-input")) == (curve != "P-521")
    assert check(request, {KEY_ID: key.verify_key(KEY_ID)}).body == BODY


def test_der_as_openssl_writes_it_is_accepted() -> None:
    request = write()
    raw = base64.b64decode(header(request, "signature")[4:-1])
    der = _der(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    spelled = f"eg=:{base64.b64encode(der).decode()}:"
    assert check(write_with(request, signature=spelled)).body == BODY


def test_the_mirrored_signature_verifies_too_so_signatures_identify_nothing() -> None:
    """ECDSA is malleable: (r, n - s) holds where (r, s) does. Identity comes from the events' ids, never from here."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    request = write()
    raw = base64.b64decode(header(request, "signature")[4:-1])
    mirrored = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    assert mirrored != raw
    spelled = f"eg=:{base64.b64encode(mirrored).decode()}:"
    assert check(write_with(request, signature=spelled)).body == BODY


def write_with(request: SignedRequest, **changes: str) -> SignedRequest:
    headers = dict(request.headers) | {name.replace("_", "-"): value for name, value in changes.items()}
    return request._replace(headers=list(headers.items()))


def _der(r: int, s: int) -> bytes:
    def integer(value: int) -> bytes:
        encoded = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return b"\x02" + bytes([len(encoded)]) + encoded

    inner = integer(r) + integer(s)
    return b"\x30" + bytes([len(inner)]) + inner


def test_components_may_come_in_any_order_and_split_over_lines() -> None:
    request = write(content_type=None)
    digest = header(request, "content-digest")
    parameters = f'("content-digest" "@path" "@method" "x-twice");keyid="{KEY_ID}";created={NOW}'
    lines = [f'"content-digest": {digest}', '"@path": /v2/events', '"@method": POST', '"x-twice": one, two']
    signed = sign_text(request, parameters, lines)
    assert check(signed._replace(headers=[*signed.headers, ("x-twice", " one "), ("x-twice", "two\t")])).body == BODY


@pytest.mark.parametrize(
    ("component", "value"),
    [
        ("@authority", "127.0.0.1:8080"),
        ("@scheme", "http"),
        ("@target-uri", "http://127.0.0.1:8080/v2/events"),
        ("@request-target", "/v2/events"),
        ("@query", "?"),
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("x-raw", "caf\udcc3\udca9"),
    ],
)
def test_what_else_is_covered_is_checked(component: str, value: str) -> None:
    request = write(content_encoding="gzip", x_raw="caf\udcc3\udca9")
    names = f'"@method" "@path" "content-digest" "{component}"'
    parameters = f'({names});created={NOW};keyid="{KEY_ID}"'
    lines = [*REQUIRED_LINES, f'"content-digest": {header(request, "content-digest")}']
    assert check(sign_text(request, parameters, [*lines, f'"{component}": {value}'])).body == BODY
    assert refusal(sign_text(request, parameters, [*lines, f'"{component}": {value}x'])).code == "signature-invalid"


@pytest.mark.parametrize(
    ("scheme", "authority", "covered"),
    [
        ("https", "Gate.Example:443", "gate.example"),
        ("http", "gate.example:80", "gate.example"),
        ("https", "gate.example:80", "gate.example:80"),
        ("https", "[::1]:8443", "[::1]:8443"),
    ],
)
def test_authority_is_lower_case_without_the_default_port(scheme: str, authority: str, covered: str) -> None:
    request = write()._replace(scheme=scheme, authority=authority)
    parameters = f'("@method" "@path" "content-digest" "@authority");created={NOW};keyid="{KEY_ID}"'
    lines = [*REQUIRED_LINES, f'"content-digest": {header(request, "content-digest")}', f'"@authority": {covered}']
    assert check(sign_text(request, parameters, lines)).created == NOW


def test_of_several_signatures_the_first_by_a_known_key_counts() -> None:
    request = write()
    label = header(request, "signature-input").removeprefix("eg=")
    both = write_with(
        request,
        signature_input=f'proxy=("@method" "signature";key="eg");created=1;keyid="proxy", own={label}',
        signature=f"proxy=:AAAA:, {header(request, 'signature').replace('eg=', 'own=', 1)}",
    )
    assert check(both).verify_key_id == KEY_ID


def test_while_keys_rotate_either_signs() -> None:
    new = SigningKey.generate("P-384")
    keys = {**KEYS, "new": new.verify_key("new")}
    assert check(write(), keys).verify_key_id == KEY_ID
    assert check(write(key=new, keyid="new"), keys).verify_key_id == "new"


REFUSED = {
    "no signature": (write(signature=None), 401, "unsigned"),
    "no signature fields at all": (write(signature=None, signature_input=None), 401, "unsigned"),
    "no signature-input": (write(signature_input=None), 400, "signature-malformed"),
    "empty signature-input": (write(signature_input=""), 400, "signature-malformed"),
    "label without signature": (write(signature="other=:AAAA:"), 400, "signature-malformed"),
    "broken base64": (write(signature="eg=:AAA:"), 400, "signature-malformed"),
    "signature is a string": (write(signature='eg="AAAA"'), 400, "signature-malformed"),
    "no digest": (write(content_digest=None), 400, "digest-malformed"),
    "digest is no dictionary": (write(content_digest="sha-256"), 400, "digest-malformed"),
    "md5 alone": (write(content_digest="md5=:AAAAAAAAAAAAAAAAAAAAAA==:"), 400, "digest-malformed"),
    "another body's digest": (write()._replace(body=b"{}"), 401, "digest-mismatch"),
    "digest cut short": (write(content_digest="sha-256=:AAAA:"), 401, "digest-mismatch"),
    "keyid of nobody": (write(keyid="nobody"), 401, "keyid-unknown"),
    "another key signed": (write(key=SigningKey.generate()), 401, "signature-invalid"),
    "empty signature": (write(signature="eg=::"), 401, "signature-invalid"),
    "zeros": (write(signature=f"eg=:{base64.b64encode(bytes(64)).decode()}:"), 401, "signature-invalid"),
    "half a signature": (write(signature=f"eg=:{base64.b64encode(bytes(32)).decode()}:"), 401, "signature-invalid"),
    "another method": (write()._replace(method="PUT"), 401, "signature-invalid"),
    "another path": (write()._replace(path="/v2/events/"), 401, "signature-invalid"),
    "stale": (write(created=NOW - 301), 401, "created-stale"),
    "ahead": (write(created=NOW + 61), 401, "created-ahead"),
    "covered field taken away": (
        write(fields={"content-type": "application/json"}, content_type=None),
        401,
        "signature-invalid",
    ),
    "covered field changed": (
        write(fields={"content-encoding": "gzip"}, content_encoding="zstd"),
        401,
        "signature-invalid",
    ),
}


@pytest.mark.parametrize(("request_", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_refused(request_: SignedRequest, status: int, code: str) -> None:
    error = refusal(request_)
    assert (error.status, error.code) == (status, code)
    assert error.detail.endswith((".", "?"))


ALL = '"@method" "@path" "content-digest"'
INPUTS = {
    "duplicate labels": (f'eg=({ALL});created={NOW};keyid="{KEY_ID}", eg=({ALL})', 400, "signature-malformed"),
    "duplicate parameter": (f'eg=({ALL});created={NOW};created=1;keyid="{KEY_ID}"', 400, "signature-malformed"),
    "component twice": (f'eg=({ALL} "@path");created={NOW};keyid="{KEY_ID}"', 400, "signature-malformed"),
    "unknown derived component": (
        f'eg=({ALL} "@client-cert");created={NOW};keyid="{KEY_ID}"',
        400,
        "signature-malformed",
    ),
    "query parameter": (
        f'eg=({ALL} "@query-param";name="a");created={NOW};keyid="{KEY_ID}"',
        400,
        "signature-malformed",
    ),
    "a response's component": (f'eg=({ALL} "@status");created={NOW};keyid="{KEY_ID}"', 400, "signature-malformed"),
    "component parameter": (f'eg=({ALL} "host";sf);created={NOW};keyid="{KEY_ID}"', 400, "signature-malformed"),
    "a token as component": (f'eg=({ALL} host);created={NOW};keyid="{KEY_ID}"', 400, "signature-malformed"),
    "not canonical": (f'eg=( {ALL} );created={NOW};keyid="{KEY_ID}"', 400, "signature-malformed"),
    "trailing comma": (f'eg=({ALL});created={NOW};keyid="{KEY_ID}",', 400, "signature-malformed"),
    "trailing garbage": (f'eg=({ALL});created={NOW};keyid="{KEY_ID}" x', 400, "signature-malformed"),
    "no inner list": (f'eg="x";created={NOW};keyid="{KEY_ID}"', 400, "signature-malformed"),
    "created is a string": (f'eg=({ALL});created="{NOW}";keyid="{KEY_ID}"', 400, "signature-malformed"),
    "created is a decimal": (f'eg=({ALL});created={NOW}.0;keyid="{KEY_ID}"', 400, "signature-malformed"),
    "created has no value": (f'eg=({ALL});created;keyid="{KEY_ID}"', 400, "signature-malformed"),
    "expires is a token": (f'eg=({ALL});created={NOW};expires=never;keyid="{KEY_ID}"', 400, "signature-malformed"),
    "no created": (f'eg=({ALL});keyid="{KEY_ID}"', 401, "coverage-missing"),
    "nothing covered": (f'eg=();created={NOW};keyid="{KEY_ID}"', 401, "coverage-missing"),
    "method not covered": (f'eg=("@path" "content-digest");created={NOW};keyid="{KEY_ID}"', 401, "coverage-missing"),
    "path not covered": (f'eg=("@method" "content-digest");created={NOW};keyid="{KEY_ID}"', 401, "coverage-missing"),
    "digest not covered": (f'eg=("@method" "@path");created={NOW};keyid="{KEY_ID}"', 401, "coverage-missing"),
    "no keyid": (f"eg=({ALL});created={NOW}", 401, "keyid-unknown"),
    "keyid is a token": (f"eg=({ALL});created={NOW};keyid=a", 401, "keyid-unknown"),
    "another curve's alg": (
        f'eg=({ALL});created={NOW};keyid="{KEY_ID}";alg="ecdsa-p384-sha384"',
        401,
        "alg-mismatch",
    ),
    "a shared secret's alg": (f'eg=({ALL});created={NOW};keyid="{KEY_ID}";alg="hmac-sha256"', 401, "alg-mismatch"),
    "alg without value": (f'eg=({ALL});created={NOW};keyid="{KEY_ID}";alg', 401, "alg-mismatch"),
    "expired": (f'eg=({ALL});created={NOW};expires={NOW - 1};keyid="{KEY_ID}"', 401, "created-stale"),
    "parameters changed": (f'eg=({ALL});created={NOW + 1};keyid="{KEY_ID}"', 401, "signature-invalid"),
}


@pytest.mark.parametrize(("value", "status", "code"), INPUTS.values(), ids=INPUTS)
def test_refused_signature_input(value: str, status: int, code: str) -> None:
    error = refusal(write(signature_input=value))
    assert (error.status, error.code) == (status, code)


def test_any_alg_is_refused_on_p521() -> None:
    key = SigningKey.generate("P-521")
    spelled = f'eg=({ALL});created={NOW};keyid="{KEY_ID}";alg="ecdsa-p521-sha512"'
    assert refusal(write(key=key, signature_input=spelled), {KEY_ID: key.verify_key(KEY_ID)}).code == "alg-mismatch"


def test_without_verify_keys_nothing_is_written() -> None:
    error = refusal(write(), {})
    assert (error.status, error.code) == (401, "no-verify-key")


def test_a_stale_write_is_told_the_gates_time() -> None:
    error = refusal(write(), now=NOW + 301)
    assert (error.code, error.members) == ("created-stale", {"serverTime": "2025-11-21T12:05:01.000Z"})


@pytest.mark.parametrize("offset", [-300, 0, 60])
def test_freshness_includes_its_ends(offset: int) -> None:
    assert check(write(created=NOW + offset)).created == NOW + offset


def test_freshness_is_configurable() -> None:
    assert check(write(created=NOW - 3000), freshness=Freshness(back_s=3000)).created == NOW - 3000


def test_verified_bytes_are_made_by_verify_alone() -> None:
    with pytest.raises(TypeError, match="only verify"):
        VerifiedBytes(object(), b"", "", 0)


def test_a_line_feed_in_a_value_cannot_forge_a_line() -> None:
    request = write(fields={"x-note": "a"})
    headers = [(name, 'a\n"x-other": b' if name == "x-note" else value) for name, value in request.headers]
    assert refusal(request._replace(headers=headers)).code == "signature-malformed"


def test_text_that_no_bytes_can_spell_is_malformed() -> None:
    request = write(fields={"x-note": "a"})
    headers = [(name, "\ud800" if name == "x-note" else value) for name, value in request.headers]
    assert refusal(request._replace(headers=headers)).code == "signature-malformed"
