"""One-time codes: the vectors of RFC 6238 and the window in which a code is taken once."""

import pytest

from eventgate.access.signin import totp

SECRET = b"12345678901234567890"  # RFC 6238, appendix B
STEP_MS = 30_000


@pytest.mark.parametrize(
    ("seconds", "code"),  # the last six of the eight digits that the RFC prints
    [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")],
)
def test_the_vectors_of_rfc_6238(seconds, code):
    assert totp.matching_counter(SECRET, code, seconds * 1000, 0) == seconds // 30


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_taken_one_step_around(steps, taken):
    now = 1_234_567_890_000
    counter = 1_234_567_890 // 30
    assert totp.matching_counter(SECRET, "005924", now - steps * STEP_MS, 0) == (counter if taken else None)


def test_a_code_is_taken_once():
    counter = 1_234_567_890 // 30
    assert totp.matching_counter(SECRET, "005924", 1_234_567_890_000, counter - 1) == counter
    assert totp.matching_counter(SECRET, "005924", 1_234_567_890_000, counter) is None


@pytest.mark.parametrize("code", ["", "00592", "0059245", "abcdef", "٠٠٥٩٢٤", "-05924", "005924x"])
def test_what_is_no_code(code):
    assert totp.matching_counter(SECRET, code, 1_234_567_890_000, 0) is None


def test_blanks_do_not_matter():
    assert totp.matching_counter(SECRET, " 005 924", 1_234_567_890_000, 0)


def test_an_app_reads_the_address():
    uri = totp.provisioning_uri(SECRET, "ann@example.org", "EventGate")
    assert uri.startswith("otpauth://totp/EventGate:ann%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    assert "issuer=EventGate" in uri


def test_recovery_codes_are_read_as_people_copy_them():
    code = totp.new_recovery_code()
    assert len(code) == 19
    plain = totp.canonical_recovery_code(code)
    assert totp.canonical_recovery_code(code.lower().replace("-", " ")) == plain
    assert totp.canonical_recovery_code("0000-1111-8888-abcd") == "OOOOIIIIBBBBABCD"
    assert len({totp.new_recovery_code() for _ in range(100)}) == 100
