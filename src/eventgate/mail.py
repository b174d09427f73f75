"""Mail that EventGate sends to people: handed to a mail server in the background, again and again for a while.

Touches the network, through aiosmtplib. What waits is in memory alone: a mail carries a link whose token is kept
nowhere else, and a link that never arrives is asked for again.
"""

import asyncio
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import StrEnum
from ssl import SSLContext
from types import TracebackType
from typing import Literal, NamedTuple, Protocol, Self

import aiosmtplib
import structlog

from eventgate.background import end
from eventgate.telemetry import MAILS

WAITS = (2.0, 10.0, 30.0, 120.0, 300.0)
"""Seconds between attempts: a mail is given up after about eight minutes."""

_AT_ONCE = 2
_MOST_WAITING = 200
_PATIENCE_SECONDS = 2.0
_DRAIN_SECONDS = 2.0

_log = structlog.get_logger()

Tls = Literal["none", "starttls", "implicit"]


class Mail(NamedTuple):
    """A message of plain text. ``to`` is one address; none of the three holds a control character but line ends."""

    to: str
    subject: str
    text: str


class Handed(StrEnum):
    """How far a mail has come when its request is answered."""

    SENT = "sent"
    QUEUED = "queued"
    FAILED = "failed"


class MailRefused(Exception):
    """The mail server will never take this message."""


class MailDeferred(Exception):
    """The mail server cannot be reached, or says that it takes the message later."""


class Transport(Protocol):
    """What takes one mail to where it is delivered from; SMTP, and in tests a list."""

    async def send(self, mail: Mail) -> None:
        """Raise MailRefused or MailDeferred; their words are for the log and hold nothing of the mail."""
        ...


class Smtp:
    """One SMTP server (RFC 5321): a connection for each mail, encrypted as ``tls`` says."""

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        tls: Tls,
        context: SSLContext | None = None,
        login: tuple[str, str] | None = None,
        timeout: float = 10,
    ) -> None:
        self._server = (host, port)
        self._sender = sender
        self._tls = tls
        self._context = context
        self._login = login or (None, None)
        self._timeout = timeout

    async def send(self, mail: Mail) -> None:
        host, port = self._server
        try:
            await aiosmtplib.send(
                _message(self._sender, mail),
                sender=self._sender,
                recipients=[mail.to],
                hostname=host,
                port=port,
                username=self._login[0],
                password=self._login[1],
                timeout=self._timeout,
                use_tls=self._tls == "implicit",
                start_tls=self._tls == "starttls",
                tls_context=self._context,
                local_hostname=_domain(self._sender),
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal([recipient.code for recipient in error.recipients]) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal([error.code]) from None
        except aiosmtplib.SMTPNotSupported:
            raise MailRefused("the server cannot do what this mail needs") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailDeferred(type(error).__name__) from None
        except (ValueError, IndexError):  # of an address that no message can carry
            raise MailRefused("the message cannot be written down") from None


class Outbox:
    """Sends mails in the background; an async context manager, whose end waits a moment and then drops the rest."""

    def __init__(
        self, transport: Transport, *, waits: Sequence[float] = WAITS, patience: float = _PATIENCE_SECONDS
    ) -> None:
        self._transport = transport
        self._waits = tuple(waits)
        self._patience = patience
        self._tasks: set[asyncio.Task[bool]] = set()
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._tasks:
            return
        _, unsent = await asyncio.wait(self._tasks, timeout=_DRAIN_SECONDS)
        await end(*unsent)
        if unsent:
            _log.warning("mails dropped at the end", mails=len(unsent))

    async def hand_over(self, mail: Mail) -> Handed:
        """Begin to send a mail and say after two seconds at most how far it has come; the rest goes on by itself."""
        if len(self._tasks) >= _MOST_WAITING:
            MAILS.labels("dropped").inc()
            return Handed.FAILED
        task = asyncio.create_task(self._deliver(mail), name="mail")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        done, _ = await asyncio.wait([task], timeout=self._patience)
        if not done or task.cancelled():
            return Handed.QUEUED
        return Handed.SENT if task.result() else Handed.FAILED

    async def _deliver(self, mail: Mail) -> bool:
        for wait in (*self._waits, None):
            try:
                async with self._free:
                    await self._transport.send(mail)
            except MailRefused as error:
                _log.warning("mail refused", subject=mail.subject, reason=str(error))
                MAILS.labels("refused").inc()
                return False
            except MailDeferred as error:
                _log.warning("mail deferred", subject=mail.subject, reason=str(error), again_in_seconds=wait)
                if wait is None:
                    break
                await asyncio.sleep(wait)
            else:
                MAILS.labels("sent").inc()
                return True
        MAILS.labels("given up").inc()
        return False


def _message(sender: str, mail: Mail) -> EmailMessage:
    """The message's bytes-to-be. The library refuses line ends in header fields, so nobody can add a field."""
    message = EmailMessage()
    message["From"] = Address("EventGate", addr_spec=sender) if sender.isascii() else sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=_domain(sender))
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834, section 5: nobody's absence answers this
    message.set_content(mail.text)
    return message


def _refusal(codes: Sequence[int]) -> MailRefused | MailDeferred:
    """By the reply's first digit: 4 is for later, 5 for never (RFC 5321, section 4.2.1)."""
    said = "the server answered " + ", ".join(map(str, codes))
    return MailDeferred(said) if any(code < 500 for code in codes) else MailRefused(said)


def _domain(address: str) -> str:
    return address.rpartition("@")[2] or "localhost"
