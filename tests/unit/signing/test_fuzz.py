"""Whatever the headers say, verify answers with bytes it verified or with a CallerError, and with nothing else."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from eventgate.errors import CallerError
from eventgate.signing.authkey import AuthKey
from eventgate.signing.base import SignedRequest
from eventgate.signing.keys import load_verify_key
from tests.unit.signing.writes import BODY, KEYS, check, write

_GOOD = dict(write(fields={"content-type": "application/json"}).headers)
_text = st.one_of(st.text(max_size=200), st.text('eg=();,":ab1 \\?.-*@\t', max_size=80))


@st.composite
def _spoiled(draw: st.DrawFn, good: str) -> str:
    """A good value with a piece replaced by anything."""
    start = draw(st.integers(0, len(good)))
    end = draw(st.integers(start, min(len(good), start + 12)))
    return good[:start] + draw(st.text('eg=();,":ab1 \\?.-*@\0\n\x80\ud800', max_size=6)) + good[end:]


def _error(call: Callable[[], object]) -> CallerError | None:
    try:
        call()
    except CallerError as error:
        return error
    return None


@given(st.data())
def test_a_good_write_spoiled_in_one_field(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["signature", "signature-input", "content-digest", "content-type"]))
    value = data.draw(_spoiled(_GOOD[name]))
    request = SignedRequest("POST", "http", "a", "/v2/events", list({**_GOOD, name: value}.items()), BODY)
    error = _error(lambda: check(request))
    if error is not None:
        assert error.status in {400, 401}
    elif name == "content-type":
        assert value.strip(" \t") == _GOOD[name]  # a covered field may change by its outer blanks alone


@given(st.lists(st.tuples(st.sampled_from([*_GOOD, "x"]), _text), max_size=6), st.binary(max_size=20), _text, _text)
def test_any_headers_at_all(headers: list[tuple[str, str]], body: bytes, path: str, authority: str) -> None:
    error = _error(lambda: check(SignedRequest("POST", "https", authority, path, headers, body)))
    assert error is not None
    assert error.status in {400, 401}


@given(st.binary(max_size=160))
def test_any_signature_bytes(signature: bytes) -> None:
    assert not any(key.verify(signature, b"message") for key in KEYS.values())


@given(st.one_of(_text, st.binary(max_size=200)))
def test_any_verify_key(text: str | bytes) -> None:
    error = _error(lambda: load_verify_key(text, "k"))
    assert error is not None
    assert error.code == "verify-key-malformed"


@given(_text)
def test_any_auth_key(text: str) -> None:
    error = _error(lambda: AuthKey.parse(text))
    assert error is not None
    assert error.code == "key-malformed"
