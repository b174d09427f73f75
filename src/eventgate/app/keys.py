"""The addresses of API keys, put together.

Touches nothing itself.
"""

import asyncpg

from eventgate.access import Audit
from eventgate.access.keys.api_keys import Keys
from eventgate.access.keys.verify_keys import VerifyKeys
from eventgate.api.access.keys import ApiKeys
from eventgate.api.access.user_keys import UserKeys
from eventgate.api.access.verify_keys import KeysVerifyKeys
from eventgate.api.routes import Route
from eventgate.clock import Clock
from eventgate.sensors import Directory


def key_routes(pool: asyncpg.Pool, clock: Clock, directory: Directory) -> list[Route]:
    audit = Audit(pool, clock)
    keys = Keys(pool, clock, audit, directory.has_active)
    return [
        *ApiKeys(keys).routes(),
        *UserKeys(keys).routes(),
        *KeysVerifyKeys(keys, VerifyKeys(pool, clock, audit)).routes(),
    ]
