"""Passwords: what is taken, what is kept, and what checking one costs."""

import asyncio
import unicodedata
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from eventgate.access import Passwords
from eventgate.access.people.logins import folded
from eventgate.errors import CallerError, Unavailable

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD = "gravel otter nineteen lamps"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(QUICK)
    yield made
    made.close()


async def test_the_right_password_and_no_other(passwords):
    kept = await passwords.hash(GOOD)
    assert kept.startswith("$argon2id$")
    assert await passwords.verify(kept, GOOD)
    assert not await passwords.verify(kept, GOOD + " ")
    assert not await passwords.verify(kept, "")
    assert not await passwords.verify("not a hash", GOOD)


async def test_nobodys_password_is_wrong_whatever_it_is(passwords):
    assert not await passwords.verify(None, "nobody")


async def test_the_same_characters_composed_otherwise_are_the_same_password(passwords):
    composed = "sechzehn Löwen gähnen"
    kept = await passwords.hash(composed)
    assert await passwords.verify(kept, unicodedata.normalize("NFD", composed))


async def test_more_characters_than_a_password_has_are_never_right(passwords):
    kept = await passwords.hash("x" * 128)
    assert not await passwords.verify(kept, "x" * 129)
    assert not await passwords.verify(kept, "x" * 100_000)


async def test_a_hash_of_other_settings_is_outdated(passwords):
    assert not passwords.outdated(await passwords.hash(GOOD))
    assert passwords.outdated(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(GOOD))
    assert passwords.outdated("not a hash")


@pytest.mark.parametrize("password", ["elevenchars", "x" * 129, ""])
async def test_a_password_has_twelve_to_128_characters(passwords, password):
    with pytest.raises(CallerError) as caught:
        await passwords.check_new(password, [], "/password")
    assert (caught.value.status, caught.value.code) == (422, "password-length")
    assert caught.value.errors[0].pointer == "/password"


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "P@ssw0rd1234", "passwordpassword", "letmeinletmein", "qwertyuiop12", "1qaz2wsx3edc",
        "iloveyouforever", "aaaaaaaaaaaaaaa", "abcdefghijklmnop", "trustno1trustno1", "123456789012",
        "ann.lee@gate.test", "Annabel-Lee-1", "AnnabelLee2024", "eventgate1234",
    ],
)  # fmt: skip
async def test_what_everybody_thinks_of_is_refused(passwords, password):
    with pytest.raises(CallerError) as caught:
        await passwords.check_new(password, ["ann.lee@gate.test", "Annabel Lee", None], "/newPassword")
    assert (caught.value.status, caught.value.code) == (422, "password-guessable")
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    [GOOD, "Sommerregen-im-April", "4$Lp!q9ZvT@2Xk", "{;^_~&)=-}#:", "密码不应该容易被别人猜到啊", "ä" * 6 + GOOD],
)
async def test_what_nobody_thinks_of_is_taken(passwords, password):
    await passwords.check_new(password, ["ann.lee@gate.test", "Annabel Lee"], "/password")


async def test_the_queue_is_bounded(passwords):
    kept = await passwords.hash(GOOD)
    answers = await asyncio.gather(*(passwords.verify(kept, GOOD) for _ in range(80)), return_exceptions=True)
    busy = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert 0 < len(busy) <= 16
    assert {error.code for error in busy} == {"busy"}
    assert await passwords.verify(kept, GOOD), "and empties again"


def test_a_login_is_one_whatever_its_case_and_composition():
    assert folded(" Ann.LEE@Example.org ") == "ann.lee@example.org"
    assert folded("STRASSE") == folded("straße")
    assert folded("Äpfel") == folded(unicodedata.normalize("NFD", "äpfel"))
    assert folded(folded("ΣΊΣΥΦΟΣ")) == folded("σίσυφος")
