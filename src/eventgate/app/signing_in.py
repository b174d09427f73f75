"""Wires what signing in takes: passwords, the throttle, second factors, sessions, and their addresses.

Touches what its rooms touch, and the file of the sessions' key.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import asyncpg

from eventgate.access import Audit, Passwords
from eventgate.access.sessions.authenticator import SessionAuthenticator
from eventgate.access.sessions.last_used import SessionUse
from eventgate.access.sessions.server_key import load_server_key
from eventgate.access.sessions.sessions import Lifetime, Sessions
from eventgate.access.signin.current_password import CurrentPassword
from eventgate.access.signin.second_factor import SecondFactors
from eventgate.access.signin.signing_in import SigningIn
from eventgate.access.signin.throttle import Throttle
from eventgate.api.access.second_factor import SecondFactorRoutes
from eventgate.api.access.sessions import SessionRoutes
from eventgate.api.addresses import Addresses
from eventgate.api.routes import OpenRoute, Route
from eventgate.clock import Clock
from eventgate.config import Configuration


class Entrance(NamedTuple):
    """What the rest of a worker needs of it."""

    authenticator: SessionAuthenticator
    current_password: CurrentPassword
    routes: Sequence[Route | OpenRoute]


def lifetime_of(configuration: Configuration) -> Lifetime:
    told = configuration.sessions
    return Lifetime(timedelta(minutes=told.idle_minutes), timedelta(hours=told.lifetime_hours))


async def open_entrance(
    stack: AsyncExitStack,
    pool: asyncpg.Pool,
    clock: Clock,
    *,
    passwords: Passwords,
    audit: Audit,
    addresses: Addresses,
    key_file: Path,
    lifetime: Lifetime,
) -> Entrance:
    """Open what ``stack`` closes again. Raises ConfigurationError where ``key_file`` holds no key."""
    key = load_server_key(key_file)
    throttle = Throttle(pool, clock)
    sessions = Sessions(pool, clock, audit, lifetime)
    factors = SecondFactors(pool, clock, key, audit, throttle)
    use = await stack.enter_async_context(SessionUse(pool, clock))
    current_password = CurrentPassword(pool, passwords, throttle)
    signing_in = SigningIn(
        pool,
        clock,
        passwords=passwords,
        throttle=throttle,
        factors=factors,
        sessions=sessions,
        key=key,
        audit=audit,
    )
    return Entrance(
        SessionAuthenticator(pool, clock, key, use, lifetime),
        current_password,
        [
            *SessionRoutes(signing_in, sessions, addresses).routes(),
            *SecondFactorRoutes(factors, current_password).routes(),
        ],
    )
