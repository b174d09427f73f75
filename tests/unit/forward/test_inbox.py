"""The inbox: each request once, in whatever order they are seen."""

from eventgate.forward.inbox import Inbox
from eventgate.sinks.requests import Request, Verb


def request(number: int) -> Request:
    return Request(number, "out", Verb.TEST, None, None)


def test_a_request_that_is_seen_late_is_taken_too_and_none_twice() -> None:
    """Numbers are drawn before the commit: the lower one may be committed after the higher."""
    inbox = Inbox()
    for number in (2, 1, 2, 1, 3):
        inbox.put(request(number))
    assert [inbox.take(), inbox.take(), inbox.take(), inbox.take()] == [request(2), request(1), request(3), None]
    inbox.put(request(1))
    assert inbox.take() is None
    assert not inbox.urgent
