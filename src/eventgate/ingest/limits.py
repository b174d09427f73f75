"""What one write and all writes of a process may cost.

Pure.
"""

from dataclasses import dataclass

MIB = 1 << 20

MESSAGE_CHARACTERS = 4096
DATA_BYTES = 64 << 10
EVENT_BYTES = 256 << 10
"""The text of one event: above what its parts may add up to, and little enough to look at closely in one turn."""

NESTING = 16
"""Objects and arrays within one another, the event itself counted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that a configuration may move; those of the wire contract by default.

    A body must arrive within ``body_seconds``. Events may be stamped at most ``ahead_ms`` after and ``past_ms`` before
    the gate's clock. ``budget_bytes`` bounds the bodies in flight in this process, ``backlog_events`` the events that
    wait for their commit.
    """

    body_bytes: int = 5 * MIB
    inflated_bytes: int = 8 * MIB
    events: int = 5_000
    ahead_ms: int = 5 * 60_000
    past_ms: int = 30 * 24 * 3_600_000
    body_seconds: float = 30.0
    budget_bytes: int = 16 * MIB
    backlog_events: int = 20_000
