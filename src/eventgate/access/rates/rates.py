"""Rate limits of keys and companies, counted once for all workers of this gate.

Touches one file in the data directory, which every worker maps into its memory. What is in it is worth two seconds: it
needs no care after a crash, and none between versions of its layout but another name.
"""

import os
from collections.abc import Mapping, Sequence
from math import ceil
from mmap import mmap
from pathlib import Path
from struct import Struct
from typing import NamedTuple
from zlib import crc32

import structlog

from eventgate.access.principal import Principal
from eventgate.access.rates.file_lock import FileLocks
from eventgate.clock import Clock
from eventgate.errors import CallerError
from eventgate.telemetry import REQUESTS_LIMITED

FILE = "rates.1"
"""Its name in the data directory. The number is that of the layout below."""

_ROW = Struct("<16sdII")  # whose, when the second began, requests of the second before, requests of this second
_WAYS = 8
_GROUPS = 2048
_NOBODY = bytes(16)

_log = structlog.get_logger()


class Second(NamedTuple):
    """The requests of one caller in a second that began with a request, and in the second before.

    What came before counts less and less as this second goes on. So a whole second's worth may come at once, and
    whoever always sends more than it may is let through as often as its limit says, from the first second on; a bucket
    of tokens would let twice as many through in that one.
    """

    began: float
    before: int = 0
    spent: int = 0

    def at(self, now: float) -> "Second":
        """The second that ``now`` falls into."""
        age = now - self.began
        if not 0 <= age < 2:  # before: another start of the machine, whose clock was another
            return Second(now)
        return self if age < 1 else Second(self.began + 1, self.spent)

    def left(self, limit: int, now: float) -> float:
        """A request is within the limit while this is above 0."""
        return limit - self.before * (1 - (now - self.began)) - self.spent

    def spend(self) -> "Second":
        return self._replace(spent=self.spent + 1)


class _Quota(NamedTuple):
    name: str
    holder: bytes
    limit: int


class Rates:
    """Decides whether a request is one too many. One in each worker; ``path`` names the file that they share.

    ``clock`` must be the machine's own, which tells all processes the same. Raises OSError.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._clock = clock
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._rows = _shared(descriptor, _GROUPS * _WAYS * _ROW.size)
        self._locks = FileLocks(descriptor)

    def close(self) -> None:
        self._rows.close()
        self._locks.close()

    def spend(self, principal: Principal) -> Mapping[str, str]:
        """Count one request against its key and its company; the header fields that tell what is left.

        {} and no cost where neither has a limit. A request that is refused counts nowhere.
        Raises CallerError 429 ``rate-limited``. The fields are those of draft-ietf-httpapi-ratelimit-headers-10.
        """
        if principal.rate_limit is None and principal.company_rate_limit is None:
            return {}
        quotas = []
        if principal.rate_limit is not None and principal.key is not None:
            quotas.append(_Quota("key", principal.key.bytes, principal.rate_limit))
        if principal.company_rate_limit is not None:
            quotas.append(_Quota("company", principal.company.bytes, principal.company_rate_limit))
        with self._locks.held(sorted({_group(quota.holder) for quota in quotas})):
            return self._spend(quotas, self._clock.monotonic())

    def _spend(self, quotas: Sequence[_Quota], now: float) -> Mapping[str, str]:
        offsets = [self._find(quota.holder, now) for quota in quotas]
        seconds = [Second(*_ROW.unpack_from(self._rows, offset)[1:]).at(now) for offset in offsets]
        for quota, second in zip(quotas, seconds, strict=True):
            if second.left(quota.limit, now) <= 0:
                REQUESTS_LIMITED.labels(quota.name).inc()
                raise _refusal(quota, second, _fields(quotas, seconds, now))
        seconds = [second.spend() for second in seconds]
        for quota, offset, second in zip(quotas, offsets, seconds, strict=True):
            _ROW.pack_into(self._rows, offset, quota.holder, *second)
        return _fields(quotas, seconds, now)

    def _find(self, holder: bytes, now: float) -> int:
        """The offset of a holder's row: its own, or one that is free, or the one that rested longest.

        The last takes a caller's count away. It takes nine busy callers in one group: of a thousand busy ones, the odds
        are six in a million.
        """
        first = _group(holder) * _WAYS * _ROW.size
        oldest, rested = first, -1.0
        for offset in range(first, first + _WAYS * _ROW.size, _ROW.size):
            whose, began, _, _ = _ROW.unpack_from(self._rows, offset)
            if whose == holder:
                return offset
            rest = float("inf") if whose == _NOBODY or began > now else now - began
            if rest > rested:
                oldest, rested = offset, rest
        _ROW.pack_into(self._rows, oldest, holder, now, 0, 0)
        return oldest


def _shared(descriptor: int, size: int) -> mmap:
    """The file in memory. What is new in it reads as zeros, and what is there stays.

    Its blocks are allocated at once: a write into a hole of a file on a full disk would end the process.
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        _log.warning("no room for the rates' file: each worker counts for itself", error=error.strerror)
        return mmap(-1, size)
    return mmap(descriptor, size)


def _group(holder: bytes) -> int:
    return crc32(holder) % _GROUPS


def _fields(quotas: Sequence[_Quota], seconds: Sequence[Second], now: float) -> Mapping[str, str]:
    left = [max(0, ceil(second.left(quota.limit, now))) for quota, second in zip(quotas, seconds, strict=True)]
    return {
        "RateLimit-Policy": ", ".join(f'"{quota.name}";q={quota.limit};w=1' for quota in quotas),
        "RateLimit": ", ".join(f'"{quota.name}";r={count};t=1' for quota, count in zip(quotas, left, strict=True)),
    }


def _refusal(quota: _Quota, second: Second, fields: Mapping[str, str]) -> CallerError:
    whose = "This API key" if quota.name == "key" else "Your company"
    wait = 1 if second.spent <= quota.limit else 2  # the limit was higher when they came
    return CallerError(
        429,
        "rate-limited",
        f"{whose} may send {quota.limit} requests a second. Wait, or put more into each request.",
        headers={"Retry-After": str(wait), **fields},
    )
