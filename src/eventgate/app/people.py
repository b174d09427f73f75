"""The addresses of people, put together: companies, users, their passwords, and the mail that brings them links.

Touches what its rooms touch; wires them.
"""

from contextlib import AsyncExitStack
from typing import NamedTuple

import asyncpg

from eventgate.access import Audit, Passwords
from eventgate.access.companies import Companies
from eventgate.access.people.forgotten import Forgotten
from eventgate.access.people.links import Links, Post
from eventgate.access.people.password_changes import Demand, PasswordChanges
from eventgate.access.people.user import EndSessions
from eventgate.access.people.users import Users
from eventgate.api.access.companies import CompanyRoutes
from eventgate.api.access.current_user import CurrentUser
from eventgate.api.access.password_links import PasswordLinks
from eventgate.api.access.users import UserRoutes
from eventgate.api.addresses import Addresses
from eventgate.api.routes import OpenRoute, Route
from eventgate.app.tls import mail_context
from eventgate.clock import Clock
from eventgate.config import Configuration, Mail
from eventgate.mail import Outbox, Smtp


class Signing(NamedTuple):
    """What people's rooms need of those where one signs in."""

    passwords: Passwords
    demand: Demand
    end_sessions: EndSessions


def people_routes(
    stack: AsyncExitStack, pool: asyncpg.Pool, clock: Clock, *, links: Links, signing: Signing, addresses: Addresses
) -> list[Route | OpenRoute]:
    audit = Audit(pool, clock)
    users = Users(pool, clock, audit, links, signing.end_sessions)
    changes = PasswordChanges(
        pool, clock, audit, links, signing.passwords, end_sessions=signing.end_sessions, demand=signing.demand
    )
    forgotten = Forgotten(pool, clock, audit, links)
    stack.push_async_callback(forgotten.close)
    companies = Companies(pool, clock, audit, users, links)
    return [
        *CompanyRoutes(companies).routes(),
        *UserRoutes(users).routes(),
        *CurrentUser(users, changes).routes(),
        *PasswordLinks(forgotten, changes, addresses).routes(),
    ]


async def links_of(stack: AsyncExitStack, configuration: Configuration, clock: Clock) -> Links:
    """Links as configured, with mail where there is a mail server."""
    told = configuration.people
    return Links(
        clock,
        configuration.http.base_url,
        await _post(stack, configuration.mail),
        invitation_hours=told.invitation_hours,
        reset_hours=told.reset_hours,
    )


async def _post(stack: AsyncExitStack, mail: Mail) -> Post | None:
    if not mail.host:
        return None
    transport = Smtp(
        mail.host,
        mail.port,
        mail.sender,
        tls=mail.tls,
        context=mail_context(mail, "configuration"),
        login=(mail.username, mail.password) if mail.username else None,
        timeout=mail.timeout_seconds,
    )
    return (await stack.enter_async_context(Outbox(transport))).hand_over
