"""Who may make, change and unmake whom: nobody gives more than it has, or takes over somebody who has more.

Pure.
"""

from eventgate.access.keys.grants import Grantor
from eventgate.access.principal import Principal
from eventgate.access.scopes import ROLES
from eventgate.errors import CallerError


def demand_authority(principal: Principal, role: str, pointer: str | None = None) -> None:
    """Raise CallerError 403 ``role-beyond-yours`` unless this caller may give that role, or manage who has it.

    Otherwise a key with nothing but users:manage could make itself an admin, or reset one's password and sign in.
    ``pointer`` is the role's place in the body, where it was asked for.
    """
    if role == "operator" and not principal.operator:
        raise _beyond("Only an operator makes or manages an operator.", role, pointer)
    missing = ROLES[role] - principal.scopes
    if missing:
        detail = f"The role {role} may do more than you ({', '.join(sorted(missing))}); you cannot give or manage it."
        raise _beyond(detail, role, pointer)


def demand_own_strength(by: Grantor, role: str, what: str = "The login and the email lead to signing in") -> None:
    """Raise CallerError 403 ``role-beyond-yours`` unless the caller's credential may do all that its user may.

    For changes that lead to signing in as that user, or keep it from it: where its links are sent, and what it signs in
    with. ``what`` says so. A session has no addresses that it is bound to, and no end that somebody set; so a key that
    has either may do less.
    """
    lacks = sorted(ROLES[role] - by.principal.scopes)
    if by.principal.networks is not None:
        lacks.append("any address")
    if by.expires_at is not None:
        lacks.append("an open end")
    if lacks:
        detail = (
            f"{what}, and this credential may do less than its user (it lacks {', '.join(lacks)}). "
            "Use one that may do as much."
        )
        raise _beyond(detail, role, None)


def _beyond(detail: str, role: str, pointer: str | None) -> CallerError:
    if pointer is None:
        return CallerError(403, "role-beyond-yours", detail, members={"role": role})
    return CallerError.of_field(403, "role-beyond-yours", detail, pointer, members={"role": role})
