"""How many writes an API key may send: a bucket of tokens for each key that has a limit.

Pure but for the clock. Each process counts for itself.
"""

from math import ceil
from uuid import UUID

from eventgate.clock import Clock
from eventgate.errors import CallerError


class RateLimits:
    """The buckets of one process. A bucket holds one second's worth of writes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[UUID, tuple[float, float]] = {}

    def spend(self, key: UUID, limit: int) -> None:
        """Count one write of a key that may send ``limit`` of them a second.

        Raises CallerError 429 ``rate-limited`` with Retry-After and the fields of draft-ietf-httpapi-ratelimit-headers.
        """
        now = self._clock.monotonic()
        tokens, since = self._buckets.get(key, (float(limit), now))
        tokens = min(float(limit), tokens + (now - since) * limit)
        if tokens < 1:
            self._buckets[key] = tokens, now
            wait = ceil((1 - tokens) / limit)
            raise CallerError(
                429,
                "rate-limited",
                f"This API key may send {limit} writes a second. Wait, or put more events into each write.",
                headers={
                    "Retry-After": str(wait),
                    "RateLimit-Policy": f'"key";q={limit};w=1',
                    "RateLimit": f'"key";r=0;t={wait}',
                },
            )
        self._buckets[key] = tokens - 1, now
