"""The way back in for whoever runs EventGate and has lost the password: a link, made on the database itself.

Touches PostgreSQL (users, password_links, audit). Whoever reaches the database could do as much; here it is audited.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from eventgate.access.actor import Actor
from eventgate.access.audit.record import Audit, Change
from eventgate.access.people.links import Delivery, Links
from eventgate.access.people.logins import folded
from eventgate.access.people.user import COLUMNS, User
from eventgate.db.pool import transaction
from eventgate.errors import CallerError

_FIND = f"""
SELECT {COLUMNS} FROM users
WHERE deleted_at IS NULL AND deactivated_at IS NULL
  AND CASE WHEN $1::text IS NULL THEN role = 'operator' ELSE lower(login) = lower($1) END
ORDER BY id LIMIT 1 FOR UPDATE
"""  # noqa: S608 - columns of our own


async def recover(
    pool: asyncpg.Pool,
    audit: Audit,
    links: Links,
    login: str | None,
    *,
    besides: Callable[[Any, Actor, User], Awaitable[None]] | None = None,
) -> tuple[User, Delivery]:
    """Make a link for whoever signs in as ``login``, or for the first operator.

    ``besides`` does what else is to be done for the user, in the same transaction.

    Raises CallerError 404 ``not-found`` where there is none who may sign in, Unavailable.
    """
    async with transaction(pool) as connection:
        row = await connection.fetchrow(_FIND, None if login is None else folded(login))
        if row is None:
            raise CallerError(404, "not-found", f"Nobody who may sign in has the login {login!r}.")
        user = User.of(row)
        link = await links.issue_within(connection, user)
        actor = Actor("the command line, offline", user.company, None, None, None, "", "")
        change = Change.of("user.recover", user.company, None, user)
        await audit.record_within(connection, actor, change)
        if besides is not None:
            await besides(connection, actor, user)
    return user, await links.deliver(user, link)
