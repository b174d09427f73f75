"""What an HTTP answer means for the delivery loop, and its words in a form that harms nobody who reads them.

Pure.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from eventgate.errors import Deferred, DeliveryError, Refused
from eventgate.outbound import Answer

_MOST_WORDS = 500
_LONGEST_WAIT = 3600.0
_PICTURES = {**{code: chr(0x2400 + code) for code in range(0x20)}, 0x7F: "\u2421"}
_PICTURES |= dict.fromkeys(map(ord, "\t\r\n"), " ")


class TooLarge(Refused):
    """The request was longer than the receiver takes (413); a shorter one may be welcome."""


def readable(text: str) -> str:
    """A stranger's text, bounded, with control and formatting characters made visible."""
    shown = " ".join(text.translate(_PICTURES).split())
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown)
    return shown if len(shown) <= _MOST_WORDS else f"{shown[:_MOST_WORDS]}…"


def words(answer: Answer, name: str) -> str:
    """Who answered what, in its own words."""
    said = readable(answer.body[: 4 * _MOST_WORDS].decode("utf-8", "replace"))
    return f"{name} answered {answer.status}" + (f": {said}" if said else "")


def failure_of(answer: Answer, name: str, now_ms: int) -> DeliveryError | None:
    """None for 2xx. Only what is about the request's content is Refused; what an operator must mend waits for that."""
    status = answer.status
    if 200 <= status < 300:
        return None
    said = words(answer, name)
    if status == 413:
        return TooLarge(said)
    if status in (400, 422):
        return Refused(said)
    if 300 <= status < 400:
        return Deferred(f"{said}; redirects are not followed: let url be the address it points to")
    if status in (401, 403, 407):
        return Deferred(f"{said}; it does not accept our credentials", patience(answer.headers, now_ms))
    return Deferred(said, patience(answer.headers, now_ms))


def patience(headers: Mapping[str, str], now_ms: int) -> float | None:
    """The seconds that ``Retry-After`` asks for (RFC 9110, section 10.2.3), an hour at most; None where it does not."""
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return min(float(told[:9]), _LONGEST_WAIT)
    try:
        seconds = parsedate_to_datetime(told).timestamp() - now_ms / 1000
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)
