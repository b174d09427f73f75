"""Somebody stays who can run the place: the last operator, and the last admin of a company, are not unmade.

Touches PostgreSQL, inside the transaction that would.
"""

from typing import Any

from eventgate.access.people.user import User
from eventgate.errors import CallerError

_RUNNING = {"admin", "operator"}

# Two who unmake one another at once would each find the other still there; from here on they come one after the other.
# (A lock on the table would wait for somebody who signs in, who may wait for the row that we hold.)
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock($1)"
_LOCK = int.from_bytes(b"remains", "big")

# Somebody who was invited counts as long as the one who goes has not signed in either.
_OTHERS = """
SELECT count(*) FILTER (WHERE company = $2 AND role IN ('admin', 'operator')) AS admins,
       count(*) FILTER (WHERE role = 'operator') AS operators
FROM users
WHERE id <> $1 AND deleted_at IS NULL AND deactivated_at IS NULL AND (password_hash IS NOT NULL OR $3)
"""


async def demand_remaining(connection: Any, user: User, role: str | None) -> None:
    """Raise CallerError 409 where a user that gets ``role``, or goes (None), leaves nobody with the one it had.

    ``last-operator``: of this EventGate; ``last-admin``: of its company, which an operator of that company is as well.
    """
    if user.status == "inactive" or user.role not in _RUNNING or role in (user.role, "operator"):
        return
    await connection.execute(_ONE_AT_A_TIME, _LOCK)
    others = await connection.fetchrow(_OTHERS, user.id, user.company, user.status == "invited")
    if user.role == "operator" and not others["operators"]:
        detail = "This is the last operator of this EventGate. Make another one first, and let that one set a password."
        raise CallerError(409, "last-operator", detail)
    if role not in _RUNNING and not others["admins"]:
        detail = "This is the last admin of the company. Make another one first, and let that one set a password."
        raise CallerError(409, "last-admin", detail)
