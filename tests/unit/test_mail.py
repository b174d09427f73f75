"""The outbox: tries again, gives up, never lets its caller wait; and messages that nobody can add a field to."""

import asyncio

import pytest

from eventgate.mail import Handed, Mail, MailDeferred, MailRefused, Outbox, _message, _refusal

MAIL = Mail("ann@example.org", "Hello", "https://gate.example/#token=secret\n")


class Server:
    """A transport that answers by a list: an exception, or None for taken. At its end it takes everything."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.taken: list[Mail] = []
        self.attempts = 0
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, mail: Mail) -> None:
        await self.open.wait()
        self.attempts += 1
        if self.answers and (answer := self.answers.pop(0)) is not None:
            raise answer
        self.taken.append(mail)


async def test_a_mail_that_is_taken_is_sent():
    server = Server()
    async with Outbox(server) as outbox:
        assert await outbox.hand_over(MAIL) is Handed.SENT
    assert server.taken == [MAIL]


async def test_a_mail_that_is_refused_has_failed_and_is_not_tried_again():
    server = Server(MailRefused("550"))
    async with Outbox(server) as outbox:
        assert await outbox.hand_over(MAIL) is Handed.FAILED
    assert (server.attempts, server.taken) == (1, [])


async def test_a_mail_that_is_deferred_is_tried_again_until_it_is_given_up():
    server = Server(MailDeferred("421"), MailDeferred("421"))
    async with Outbox(server, waits=(0, 0)) as outbox:
        assert await outbox.hand_over(MAIL) is Handed.SENT
    assert server.attempts == 3
    server = Server(*[MailDeferred("421")] * 3)
    async with Outbox(server, waits=(0, 0)) as outbox:
        assert await outbox.hand_over(MAIL) is Handed.FAILED
    assert (server.attempts, server.taken) == (3, [])


async def test_nobody_waits_for_a_dead_server():
    server = Server()
    server.open.clear()
    async with Outbox(server, patience=0) as outbox:
        assert await outbox.hand_over(MAIL) is Handed.QUEUED
        server.open.set()
    assert server.taken == [MAIL], "its end waits a moment for what is under way"


async def test_more_than_can_wait_are_not_taken():
    server = Server()
    server.open.clear()
    async with Outbox(server, patience=0) as outbox:
        handed = [await outbox.hand_over(MAIL) for _ in range(201)]
        assert handed == [Handed.QUEUED] * 200 + [Handed.FAILED]
        server.open.set()


@pytest.mark.parametrize(
    "mail",
    [
        MAIL._replace(to="ann@example.org\r\nBcc: eve@example.org"),
        MAIL._replace(subject="Hello\nBcc: eve@example.org"),
    ],
)
def test_nobody_adds_a_header_field(mail):
    with pytest.raises(ValueError):
        _message("gate@example.org", mail)


def test_a_message_says_that_a_program_wrote_it():
    message = _message("gate@example.org", MAIL._replace(text="Grüße\n"))
    assert message["From"] == "EventGate <gate@example.org>"
    assert message["To"] == "ann@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.org>")
    assert message.get_content() == "Grüße\n"


def test_what_a_reply_means_is_told_by_its_first_digit():
    assert isinstance(_refusal([550]), MailRefused)
    assert isinstance(_refusal([451]), MailDeferred)
    assert isinstance(_refusal([550, 450]), MailDeferred)
