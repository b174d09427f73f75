"""The shapes of people: users, their roles, and the links by which they set a password.

Pure.
"""

from eventgate.access import ROLES, SCOPES
from eventgate.api.schemas import TEXT, TIME, UUID, Schema, closed, or_null

_ROLE: Schema = {"enum": sorted(ROLES)}

_USER: dict[str, Schema] = {
    "id": UUID,
    "companyId": UUID,
    "login": {**TEXT, "description": "What the user signs in with; unique over all companies, whatever its case."},
    "email": {**or_null(TEXT), "description": "Where links are sent. Null: they are shown to whoever asks for them."},
    "name": or_null(TEXT),
    "role": _ROLE,
    "status": {
        "enum": ["invited", "active", "inactive"],
        "description": "Invited: has no password yet. Inactive: kept out, or deleted.",
    },
    "secondFactor": {"type": "boolean", "description": "Whether signing in asks for more than the password."},
    "createdAt": TIME,
    "updatedAt": TIME,
    "deletedAt": or_null(TIME),
    "lastLoginAt": or_null(TIME),
}
_LINK = closed(
    {
        "purpose": {"enum": ["invitation", "reset"]},
        "delivery": {
            "enum": ["sent", "queued", "failed", "shown"],
            "description": "Sent: the mail server has it. Queued: it is being tried. Failed: the mail server "
            "refused it; mend the address and reset the password again. Shown: there is no mail or no address, so "
            "`url` is for you to pass on.",
        },
        "url": {"type": ["string", "null"], "format": "uri", "description": "The link where it is shown, once."},
        "expiresAt": TIME,
    }
)

USER_SCHEMAS: dict[str, Schema] = {
    "User": closed(_USER),
    "PasswordLink": _LINK,
    "InvitedUser": closed({**_USER, "link": _LINK}),
    "UserRole": closed(
        {
            "role": _ROLE,
            "scopes": {"type": "array", "items": {"enum": list(SCOPES)}},
            "assignable": {"type": "boolean", "description": "Whether you may give it."},
        }
    ),
}
