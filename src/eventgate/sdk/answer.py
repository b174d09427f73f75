"""What EventGate answered: the outcome of each event of a write, or the problem document as an exception.

Pure. Reads answers leniently: a newer gate may say more than this library knows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventgate.errors import CallerError, EventGateError, FieldError, Unavailable


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event, by its place in the write.

    ``status`` is accepted, duplicate or rejected; ``error`` is the problem of a rejected one, with ``code``, ``detail``
    and ``pointer``.
    """

    index: int
    id: str | None
    status: str
    position: int | None
    position_index: int | None
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where the new events of a write stand in the journal, and the hash chain's digest there."""

    position: int
    digest: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a write whose events were looked at one by one; what is accepted is committed."""

    accepted: int
    duplicates: int
    rejected: int
    events: tuple[Outcome, ...]
    receipt: Receipt | None


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Read the answer to a write. Raises Unavailable for what may be tried again, CallerError for what may not."""
    said = _object(body)
    if status in {200, 201, 422} and isinstance(said.get("events"), list):
        receipt = said.get("receipt")
        return Answer(
            said["accepted"],
            said["duplicates"],
            said["rejected"],
            tuple(_outcome(event) for event in said["events"]),
            Receipt(receipt["position"], receipt["digest"]) if receipt else None,
        )
    raise problem(status, headers, body)


def problem(status: int, headers: Mapping[str, str], body: bytes) -> EventGateError:
    """The error that a problem document (RFC 9457) tells; ``headers`` have lower-case names."""
    said = _object(body)
    code, detail = str(said.get("code", "")), str(said.get("detail") or said.get("title") or "")
    if status == 429 or status >= 500:
        after = headers.get("retry-after", "")
        detail = detail or f"The answer was {status} without a reason."
        return Unavailable(code or f"http-{status}", detail, int(after) if after.isdigit() else 1)
    errors = [
        FieldError(str(error.get("pointer", "")), str(error.get("code", "")), str(error.get("detail", "")))
        for error in said.get("errors", ())
        if isinstance(error, dict)
    ]
    detail = detail or f"The answer was {status} without a reason; is this address an EventGate's?"
    return CallerError(status, code or f"http-{status}", detail, errors, headers, said)


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _outcome(said: Mapping[str, Any]) -> Outcome:
    return Outcome(
        said["index"],
        said.get("id"),
        said["status"],
        said.get("position"),
        said.get("positionIndex"),
        said.get("error"),
    )
