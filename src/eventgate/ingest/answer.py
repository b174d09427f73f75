"""Say what became of each event of a write, in the words of the wire contract.

Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from eventgate.errors import CallerError, FieldError
from eventgate.ingest.write import Decoded
from eventgate.journal.outcome import Appended, Status
from eventgate.journal.rejects import Rejected


def conflicts(decoded: Decoded, appended: Appended) -> list[Rejected]:
    """The events whose id belongs to another event already."""
    return [
        Rejected(
            index,
            event.raw,
            [FieldError("/id" if event.event_id is None else "/eventId", "id-conflict", _CONFLICT)],
        )
        for index, event, outcome in zip(decoded.indexes, decoded.events, appended.outcomes, strict=True)
        if outcome.status is Status.CONFLICT
    ]


_CONFLICT = "Another event with other content is stored under this id. Send a changed event under a new id."


def answer(decoded: Decoded, appended: Appended, rejects: Sequence[Rejected]) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer: 201 where something was stored, 200 where all that is good was there before.

    Raises CallerError 422 with the same members where every event was rejected.
    """
    entries: list[dict[str, Any]] = []
    accepted = duplicates = 0
    for index, event, (status, position, place) in zip(decoded.indexes, decoded.events, appended.outcomes, strict=True):
        if status is Status.CONFLICT:
            continue
        if status is Status.ACCEPTED:
            accepted += 1
        else:
            duplicates += 1
        entries.append(
            {"index": index, "id": event.id, "status": status.value, "position": position, "positionIndex": place}
        )
    ids = (
        {index: str(event.id) for index, event in zip(decoded.indexes, decoded.events, strict=True)} if rejects else {}
    )
    entries.extend(
        {"index": reject.index, "id": ids.get(reject.index), "status": "rejected", **_why(reject.problems)}
        for reject in rejects
    )
    if rejects:
        entries.sort(key=_index)
    receipt = appended.receipt
    body = {
        "accepted": accepted,
        "duplicates": duplicates,
        "rejected": len(rejects),
        "events": entries,
        "receipt": None if receipt is None else {"position": receipt.position, "digest": receipt.digest.hex()},
    }
    if not accepted and not duplicates:
        raise _all_rejected(decoded.array, rejects, body)
    return (201 if accepted else 200), body


def _why(problems: Sequence[FieldError]) -> dict[str, Any]:
    """The first problem as ``error``, all of them as ``errors`` where there are several."""
    shown = [asdict(problem) for problem in problems]
    return {"error": shown[0]} if len(shown) == 1 else {"error": shown[0], "errors": shown}


def _all_rejected(array: bool, rejects: Sequence[Rejected], body: Mapping[str, Any]) -> CallerError:
    codes = {problem.code for reject in rejects for problem in reject.problems}
    errors = [
        FieldError(f"/{reject.index}{problem.pointer}" if array else problem.pointer, problem.code, problem.detail)
        for reject in rejects
        for problem in reject.problems
    ]
    detail = errors[0].detail if len(errors) == 1 else "No event of the write was accepted; errors says why of each."
    return CallerError(422, codes.pop() if len(codes) == 1 else "events-rejected", detail, errors, members=body)


def _index(entry: Mapping[str, Any]) -> int:
    index: int = entry["index"]
    return index
