"""What can go wrong, sorted by whose fault it is; the message is a sentence a person can act on.

Touches nothing. One middleware turns these into answers (RFC 9457), the delivery loop reads DeliveryError.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self


class EventGateError(Exception):
    """The root of everything EventGate raises on purpose."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field of a request body, or with one parameter.

    ``pointer`` is a JSON pointer into the body (RFC 6901); for a parameter it is the parameter's name.
    """

    pointer: str
    code: str
    detail: str


@dataclass(eq=False)
class CallerError(EventGateError):
    """The caller can mend this: a 4xx answer.

    ``code`` is stable and documented in docs/status-codes.md, ``detail`` names the field, what was expected, what came.
    ``members`` are further members of the problem document, ``headers`` further headers of the answer.
    """

    status: int
    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_field(
        cls, status: int, code: str, detail: str, pointer: str, *, members: Mapping[str, Any] | None = None
    ) -> Self:
        """What is wrong is one field, or one parameter, and ``pointer`` says which (see FieldError)."""
        return cls(status, code, detail, [FieldError(pointer, code, detail)], members=members or {})

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"


@dataclass(eq=False)
class Unavailable(EventGateError):
    """EventGate cannot do this now: 503 with ``Retry-After`` in seconds. Nothing was acknowledged."""

    code: str
    detail: str
    retry_after: int = 1

    def __str__(self) -> str:
        return f"503 {self.code}: {self.detail}"


class DeliveryError(EventGateError):
    """A sink's receiver did not take what it was sent. Which kind says what the delivery loop does next."""


class Disconnected(DeliveryError):
    """The connection is gone or was never made: reconnect, then send again from the cursor."""


class Deferred(DeliveryError):
    """The receiver asks for patience: retry the same events later, in order, after ``retry_after`` seconds if named."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Refused(DeliveryError):
    """The receiver will never take this: to the dead letters with its words, and the cursor goes on."""


class Gone(DeliveryError):
    """The receiver wants nothing more from us, ever: the sink is disabled until somebody resumes it."""


@dataclass(eq=False)
class ConfigurationError(EventGateError):
    """A mistake in the configuration: names the source (file or variable), the key, what was expected and what came."""

    source: str
    problems: Sequence[FieldError]

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {p.pointer}: {p.detail}" for p in self.problems)


def spelled(pattern: str, expected: str) -> Callable[[str], str]:
    """Takes a setting that matches the whole pattern, and says of another one in words what was expected.

    The check raises ValueError.
    """
    whole = re.compile(pattern)

    def checked(text: str) -> str:
        if whole.fullmatch(text) is None:
            raise ValueError(f"expected {expected}")
        return text

    return checked
