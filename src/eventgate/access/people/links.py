"""One-time links by which people set a password: invitations, and resets of a forgotten one.

Touches PostgreSQL (owns password_links). Only a token's SHA-256 is kept. A user has one link: a new one takes the place
of the old, one that was used is gone. The token travels behind the ``#`` of a link, which browsers send to nobody.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import UUID

from eventgate.access.people.user import COLUMNS, User
from eventgate.clock import Clock
from eventgate.formats.times import rfc3339
from eventgate.journal.times import timestamp_of
from eventgate.mail import Handed, Mail

Purpose = Literal["invitation", "reset"]
Post = Callable[[Mail], Awaitable[Handed]]
"""Hands a mail over, and says how far it has come."""

_HOUR_MS = 3_600_000

_PUT = """
INSERT INTO password_links (user_id, purpose, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id) DO UPDATE
    SET purpose = excluded.purpose, hash = excluded.hash, created_at = excluded.created_at,
        expires_at = excluded.expires_at
"""
_FIND = f"""
SELECT {COLUMNS} FROM users
WHERE id = (SELECT user_id FROM password_links WHERE hash = $1 AND expires_at > $2)
  AND deleted_at IS NULL AND deactivated_at IS NULL
  AND EXISTS (SELECT FROM companies c WHERE c.id = users.company AND c.retired_at IS NULL)
"""  # noqa: S608 - put together of our own SQL
_USE = "DELETE FROM password_links WHERE hash = $1 AND expires_at > $2 RETURNING user_id"
_DROP = "DELETE FROM password_links WHERE user_id = $1"


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was just made; nobody can make its token out again later."""

    purpose: Purpose
    expires_ms: int
    token: str = field(repr=False)


class Delivery(NamedTuple):
    """Where a link went. ``how`` is how far its mail has come, or ``shown``: ``url`` is for whoever asked for it."""

    link: Link
    how: str
    url: str | None

    def shown(self) -> dict[str, Any]:
        return {
            "purpose": self.link.purpose,
            "delivery": self.how,
            "url": self.url,
            "expiresAt": rfc3339(self.link.expires_ms),
        }


class Links:
    """Makes links, delivers them, and finds whose they are.

    ``base_url`` is the configured public address, never what a caller names as ``Host``. ``post`` is None where no mail
    is configured.
    """

    def __init__(
        self,
        clock: Clock,
        base_url: str,
        post: Post | None = None,
        *,
        invitation_hours: float = 7 * 24,
        reset_hours: float = 1,
    ) -> None:
        self._clock = clock
        self._base_url = base_url.rstrip("/")
        self._post = post
        self._hours: dict[Purpose, float] = {"invitation": invitation_hours, "reset": reset_hours}

    @property
    def has_post(self) -> bool:
        """Whether mail is configured."""
        return self._post is not None

    async def issue_within(self, connection: Any, user: User) -> Link:
        """Make a user's link inside a transaction: to be delivered once that is committed.

        It invites whoever has no password yet, and resets the password of everybody else.
        """
        purpose: Purpose = "invitation" if user.status == "invited" else "reset"
        now = self._clock.now_ms()
        link = Link(purpose, now + int(self._hours[purpose] * _HOUR_MS), secrets.token_urlsafe(32))
        await connection.execute(
            _PUT, user.id, purpose, _hash(link.token), timestamp_of(now), timestamp_of(link.expires_ms)
        )
        return link

    async def deliver(self, user: User, link: Link) -> Delivery:
        """Send a link to its user, or hand it back to be shown once where there is no mail or no address."""
        url = f"{self._base_url}/console/set-password#token={link.token}"
        if self._post is None or user.email is None:
            return Delivery(link, "shown", url)
        handed = await self._post(_mail(user, user.email, link, url, self._hours[link.purpose]))
        return Delivery(link, handed.value, None)

    async def find(self, connection: Any, token: str) -> User | None:
        """Whose link that is, unless it is no longer good."""
        row = await connection.fetchrow(_FIND, _hash(token), timestamp_of(self._clock.now_ms()))
        return None if row is None else User.of(row)

    async def use_within(self, connection: Any, token: str) -> UUID | None:
        """Use a link up: of several who do so at once, one gets the user's id."""
        found: UUID | None = await connection.fetchval(_USE, _hash(token), timestamp_of(self._clock.now_ms()))
        return found

    async def drop_within(self, connection: Any, user: UUID) -> None:
        """Make a user's link worthless."""
        await connection.execute(_DROP, user)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _mail(user: User, address: str, link: Link, url: str, hours: float) -> Mail:
    name = user.name or user.login
    if link.purpose == "invitation":
        subject = "You are invited to EventGate"
        why = f"You are invited to EventGate. Your login is {user.login}. Choose your password here:"
    else:
        subject = "Set a new EventGate password"
        why = f"Somebody asked for a new password for your login {user.login}. If it was you, choose it here:"
    otherwise = "If you did not expect this, do nothing: without the link nothing changes."
    return Mail(
        address,
        subject,
        f"Hello {name},\n\n{why}\n\n{url}\n\nThe link works once, for {_duration(hours)}. {otherwise}\n",
    )


def _duration(hours: float) -> str:
    if hours >= 48 and hours % 24 == 0:
        return f"{hours / 24:g} days"
    return "1 hour" if hours == 1 else f"{hours:g} hours"
