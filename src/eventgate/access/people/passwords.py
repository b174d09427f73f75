"""Passwords: which are good enough, how they are kept, whether one is right.

Touches the processor: argon2id takes tens of milliseconds and as many mebibytes by intent, so it works on a few threads
of its own, with a bounded queue before them. Never puts a password into an error or a log line.
"""

import asyncio
import unicodedata
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from eventgate.errors import CallerError, Unavailable

LEAST_CHARACTERS, MOST_CHARACTERS = 12, 128

HASHER = PasswordHasher(time_cost=1, memory_cost=46 << 10, parallelism=1, type=Type.ID)
"""argon2id with 46 MiB and one pass: the first of the settings that OWASP's Password Storage Cheat Sheet names."""

_ESTIMATED = 24
"""Characters of a password that are estimated; more only make it better. The work grows with the square of them, times
the hundreds of ways to read one that is made of signs which stand for letters: at 48 it held a core for seconds.
"""
_GOOD_ENOUGH = 3
"""Of 0 to 4. At least 10^8 guesses, which the estimator calls safely unguessable."""
_LEAST_BESIDE_A_NAME = 6
"""Letters and digits that are left of a password when everything personal is taken out of it."""

_MOST_WAITING = 64

Result = TypeVar("Result")


class Passwords:
    """Hashes and checks on ``threads`` threads. One in each process; ``close`` it at the end."""

    def __init__(self, hasher: PasswordHasher = HASHER, *, threads: int = 2) -> None:
        self._hasher = hasher
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._waiting = 0
        # Nobody knows its password; checking against it makes an unknown login cost what a known one does.
        self._nobody = hasher.hash("nobody")

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """What is kept of a password. Raises Unavailable ``busy`` where too many wait."""
        return await self._work(partial(self._hasher.hash, _canonical(password)))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether the password is the one that ``kept`` is of.

        None, for nobody's or for who has none yet, is False and costs the same. Raises Unavailable ``busy``.
        """
        right = await self._work(partial(self._matches, kept or self._nobody, password))
        return right and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether it was hashed by other settings than today's: hash again, now that the password is at hand."""
        try:
            return self._hasher.check_needs_rehash(kept)
        except InvalidHashError:
            return True

    async def check_new(self, password: str, personal: Collection[str | None], pointer: str) -> None:
        """Raise CallerError 422 unless a password is good enough for somebody.

        ``password-length``: it has 12 to 128 characters. ``password-guessable``: it is one of the most common ones, is
        made of those, of words, names, rows of keys or dates in ways that everybody thinks of, or of what is
        ``personal``: login, address, name. ``pointer`` is its place in the body.
        """
        if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
            detail = (
                f"A password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters; this one has {len(password)}. "
                "A few words that do not belong together are easy to remember."
            )
            raise CallerError.of_field(422, "password-length", detail, pointer)
        if await self._work(partial(_guessable, _canonical(password), _words(personal))):
            detail = (
                "This password is too easy to guess: it is a common one, or made of common ones, or of your own name "
                "or address. A few words that do not belong together make a better one."
            )
            raise CallerError.of_field(422, "password-guessable", detail, pointer)

    def _matches(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, _canonical(password[: MOST_CHARACTERS + 1]))
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, task: Callable[[], Result]) -> Result:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("busy", "Too many passwords are being checked at the moment. Try again shortly.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, task)
        finally:
            self._waiting -= 1


def _canonical(password: str) -> bytes:
    """The bytes that are hashed: keyboards compose the same character in several ways (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode()


def _guessable(password: bytes, personal: list[str]) -> bool:
    # Imported where it is used: its lists take 15 MiB, in a process that may never see a new password.
    from zxcvbn import zxcvbn  # noqa: PLC0415 - see above

    text = password.decode()
    left = whole = "".join(_pieces(text.lower()))
    for word in sorted(personal, key=len, reverse=True):
        left = left.replace(word, "")
    if left != whole and len(left) < _LEAST_BESIDE_A_NAME:
        return True
    return bool(zxcvbn(text[:_ESTIMATED], user_inputs=personal)["score"] < _GOOD_ENOUGH)


def _words(personal: Collection[str | None]) -> list[str]:
    """What is personal, whole and in pieces: of ``ann.lee@example.org`` somebody takes ``annlee`` or ``example``."""
    found = {"eventgate"}
    for text in filter(None, personal):
        pieces = [piece for piece in _pieces(text.lower()) if len(piece) > 2]
        found.update([text.lower(), "".join(pieces), *pieces])
    return sorted(found)


def _pieces(text: str) -> list[str]:
    return "".join(character if character.isalnum() else " " for character in text).split()
