"""Mail to a real SMTP server: encrypted or not, signed in or not, and what becomes of what it says."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

from eventgate.access.people.links import Link
from eventgate.access.people.user import User
from eventgate.app.people import links_of
from eventgate.clock import SystemClock
from eventgate.config import Configuration
from eventgate.mail import Mail, MailDeferred, MailRefused, Smtp

LINK = "https://gate.example/console/set-password#token=" + "x" * 43
MAIL = Mail("ann@example.org", "You are invited", f"Hello Ännchen,\n\n{LINK}\n")
LOGIN = ("gate", "let me send")


class Mailbox:
    """Takes mail, and answers to each recipient what it is told to."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(self, server: SMTP, _session: Any, envelope: Envelope, address: str, _options: Any) -> str:  # noqa: N802 - the library's name
        if self.answer == "hang up":
            server.transport.abort()
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - as above
        self.envelopes.append(envelope)
        return "250 taken"

    def message(self) -> EmailMessage:
        (envelope,) = self.envelopes
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message


def knows(_server: SMTP, _session: Any, _envelope: Any, mechanism: str, given: Any) -> AuthResult:
    right = mechanism in {"LOGIN", "PLAIN"} and given == LoginPassword(*(text.encode() for text in LOGIN))
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def listening(mailbox: Mailbox, tls: ssl.SSLContext | None = None, **settings: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        return SMTP(mailbox, hostname="mail.test", loop=loop, **settings)

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def smtp(port: int, **settings: Any) -> Smtp:
    return Smtp("127.0.0.1", port, "gate@example.org", **{"tls": "none", "timeout": 5, **settings})


async def test_a_mail_arrives_as_it_was_written() -> None:
    mailbox = Mailbox()
    async with listening(mailbox) as port:
        await smtp(port).send(MAIL)
    (envelope,) = mailbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("gate@example.org", ["ann@example.org"])
    assert mailbox.message()["Subject"] == "You are invited"
    assert mailbox.message().get_content_type() == "text/plain"
    assert mailbox.message().get_content().replace("\r\n", "\n") == MAIL.text
    assert LINK in mailbox.message().get_content(), "the link is in one piece"


async def test_encrypted_from_the_start(tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    mailbox = Mailbox()
    async with listening(mailbox, tls, authenticator=knows, auth_require_tls=False) as port:
        await smtp(port, tls="implicit", context=trusting, login=LOGIN).send(MAIL)
    assert len(mailbox.envelopes) == 1


async def test_encrypted_after_the_greeting(tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    mailbox = Mailbox()
    async with listening(mailbox, tls_context=tls, require_starttls=True, authenticator=knows) as port:
        await smtp(port, tls="starttls", context=trusting, login=LOGIN).send(MAIL)
    assert len(mailbox.envelopes) == 1


async def test_a_server_that_is_not_trusted_gets_nothing(tls: ssl.SSLContext) -> None:
    mailbox = Mailbox()
    stranger = ssl.create_default_context()
    async with listening(mailbox, tls_context=tls) as port:
        with pytest.raises(MailDeferred):
            await smtp(port, tls="starttls", context=stranger, login=LOGIN).send(MAIL)
    async with listening(mailbox) as port:  # and one that does not encrypt, neither
        with pytest.raises((MailDeferred, MailRefused)):
            await smtp(port, tls="starttls", context=stranger, login=LOGIN).send(MAIL)
    assert mailbox.envelopes == []


@pytest.mark.parametrize(
    ("answer", "raised"),
    [("550 nobody here", MailRefused), ("451 later", MailDeferred), ("hang up", MailDeferred)],
)
async def test_what_the_server_says_decides(answer: str, raised: Callable[..., Exception]) -> None:
    async with listening(Mailbox(answer)) as port:
        with pytest.raises(raised) as caught:  # type: ignore[call-overload]
            await smtp(port).send(MAIL)
    assert "ann@" not in str(caught.value)
    assert "token" not in str(caught.value)


async def test_a_wrong_password_is_refused_and_not_repeated(tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    async with listening(Mailbox(), tls_context=tls, require_starttls=True, authenticator=knows) as port:
        with pytest.raises(MailRefused) as caught:
            await smtp(port, tls="starttls", context=trusting, login=("gate", "hunter2")).send(MAIL)
    assert "hunter2" not in str(caught.value)


async def test_a_server_that_is_away_or_silent_is_deferred() -> None:
    async with listening(Mailbox()) as port:
        pass
    with pytest.raises(MailDeferred):
        await smtp(port).send(MAIL)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailDeferred):  # accepts, and never greets
        await smtp(silent.getsockname()[1], timeout=0.2).send(MAIL)


@pytest.mark.parametrize("address", ["ann@example.org\r\nRCPT TO:<eve@example.org>", "a@b\nBcc: eve@example.org"])
async def test_an_address_that_is_more_than_one_is_not_sent(address: str) -> None:
    mailbox = Mailbox()
    async with listening(mailbox) as port:
        with pytest.raises(MailRefused):
            await smtp(port).send(MAIL._replace(to=address))
    assert mailbox.envelopes == []


async def test_a_configured_server_brings_links() -> None:
    now = datetime.now(UTC)
    ann = User(
        uuid4(), uuid4(), "ann", "ann@example.org", "Ann", "analyst", "active", False, now, now, None, None
    )  # fmt: skip
    mailbox = Mailbox()
    async with listening(mailbox) as port, AsyncExitStack() as stack:
        told = {"host": "127.0.0.1", "port": port, "tls": "none", "sender": "gate@example.org"}
        configuration = Configuration.model_validate({"mail": told, "http": {"public_url": "https://gate.example"}})
        links = await links_of(stack, configuration, SystemClock())
        delivery = await links.deliver(ann, Link("reset", 0, "the-token"))
    assert (delivery.how, delivery.url) == ("sent", None)
    assert "https://gate.example/console/set-password#token=the-token" in mailbox.message().get_content()
    assert "the-token" not in repr(delivery)
