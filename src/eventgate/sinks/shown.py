"""A definition as people may see it, and what differs between two of them. A secret is shown by a slow salted hash.

Pure but for the operating system's random source.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Any

import orjson

from eventgate.sinks.definition import SinkDefinition

_VEIL = "scrypt"
"""The one member of what stands for a secret: salt and hash, in hexadecimal."""

_SECRET = re.compile(r"password|secret|token|headers|credential|(^|_)key$", re.IGNORECASE)
_WITH_PASSWORD = re.compile(r"://([^/@\s]*@|\S*\?)")
"""An address with a user's password in it, or with a query, where tokens like to stand."""


def members(definition: SinkDefinition) -> dict[str, Any]:
    """Every key of a definition but its name, as JSON can hold it."""
    told = {
        "transport": definition.transport,
        "format": definition.format,
        "filter": list(definition.filters),
        "company": definition.company,
        "begin": definition.begin,
        "replay_events_per_second": definition.replay_events_per_second,
        **definition.options,
    }
    plain: dict[str, Any] = orjson.loads(orjson.dumps(told, default=str))
    return plain


def shown(definition: SinkDefinition) -> dict[str, Any]:
    """As ``members``, with a veil over each secret: who knows the secret can tell whether it is the same."""
    return {
        key: _veiled(value, os.urandom(16)) if _is_secret(key, value) else value
        for key, value in members(definition).items()
    }


def changed(before: Mapping[str, Any], after: SinkDefinition) -> list[str]:
    """The keys that differ between what ``members`` or ``shown`` told of a definition, and another one."""
    now = members(after)
    return [key for key in sorted({*before, *now}) if not _same(before.get(key), now.get(key))]


def _is_secret(key: str, value: object) -> bool:
    if isinstance(value, str) and _WITH_PASSWORD.search(value):
        return True
    return _SECRET.search(key) is not None and not key.endswith("_file")


def _same(before: Any, now: Any) -> bool:
    if isinstance(before, dict) and before.keys() == {_VEIL}:
        salt, _, _hash = str(before[_VEIL]).partition("$")
        return now is not None and _veiled(now, bytes.fromhex(salt)) == before
    return bool(before == now)


def _veiled(value: Any, salt: bytes) -> dict[str, str]:
    secret = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return {_VEIL: f"{salt.hex()}${hashlib.scrypt(secret, salt=salt, n=1 << 14, r=8, p=1, dklen=32).hex()}"}
