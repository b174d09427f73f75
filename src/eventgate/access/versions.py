"""The dated versions of the HTTP interface, oldest first. Each key is pinned to one.

Pure. What differs between them stands in ``api/versions.py``.
"""

from datetime import datetime, timedelta

from eventgate.errors import CallerError
from eventgate.journal.times import rfc3339_of

VERSIONS = ("2026-11-22", "2026-11-26")
NEWEST_VERSION = VERSIONS[-1]
"""What a new key is pinned to."""

DOWNGRADE_HOURS = 72
"""For how long a key may go back to an older version after it was made or went to a newer one."""


def downgrade_ends(moment: datetime) -> datetime:
    """The end of the window that opens at ``moment``."""
    return moment + timedelta(hours=DOWNGRADE_HOURS)


def check_repin(pinned: str, wanted: str, allowed_until: datetime, now: datetime) -> None:
    """Raise CallerError unless a key may go from one version to another.

    422 ``version-unknown`` with the ``versions`` there are; 409 ``version-downgrade-too-late`` once the window for
    going back has closed, with its end as ``apiVersionDowngradeNotAllowedAfter``.
    """
    if wanted not in VERSIONS:
        detail = f"There is no API version {wanted}; there are {', '.join(VERSIONS)}."
        raise CallerError.of_field(422, "version-unknown", detail, "/apiVersion", members={"versions": VERSIONS})
    if wanted < pinned and now > allowed_until:
        until = rfc3339_of(allowed_until)
        raise CallerError(
            409,
            "version-downgrade-too-late",
            f"This key is pinned to {pinned} and could go back to {wanted} until {until}. "
            f"Send EventGate-Version: {wanted} with the calls that still need it.",
            members={"apiVersionDowngradeNotAllowedAfter": until},
        )
