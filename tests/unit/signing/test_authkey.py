"""Auth keys: minted, parsed, and recognised when mistyped."""

import hashlib
import re

import pytest

from eventgate.errors import CallerError
from eventgate.signing.authkey import AuthKey


def test_a_minted_key_parses_to_what_is_stored() -> None:
    whole, public_id, stored = AuthKey.mint()
    assert re.fullmatch(r"egk_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", whole)
    assert AuthKey.parse(whole) == (public_id, stored)
    assert (public_id in whole, stored) == (True, hashlib.sha256(whole.encode()).digest())


def test_no_two_keys_are_alike() -> None:
    keys = [AuthKey.mint() for _ in range(50)]
    assert len({key.public_id for key in keys}) == len({key.whole for key in keys}) == 50


@pytest.mark.parametrize("at", range(4, 4 + 12 + 1 + 43 + 1 + 6))
def test_every_mistyped_character_is_noticed(at: int) -> None:
    whole = AuthKey.mint().whole
    mistyped = whole[:at] + ("x" if whole[at] != "x" else "y") + whole[at + 1 :]
    with pytest.raises(CallerError) as caught:
        AuthKey.parse(mistyped)
    assert (caught.value.status, caught.value.code) == (401, "key-malformed")


@pytest.mark.parametrize("text", ["", "egk_", "egk_a_b_c", "EGK_", "x" * 10_000, "egk_" + "é" * 12, "\ud800"])
def test_other_text_is_malformed(text: str) -> None:
    with pytest.raises(CallerError):
        AuthKey.parse(text)


def test_neither_end_may_carry_more() -> None:
    whole = AuthKey.mint().whole
    for text in (whole + "\n", " " + whole, whole + "x", whole[:-1]):
        with pytest.raises(CallerError):
            AuthKey.parse(text)
