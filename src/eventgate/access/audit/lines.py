"""A line of the audit log, and what can be asked of one in the filter language.

Pure.
"""

from typing import Any, NamedTuple
from uuid import UUID

from eventgate.query import Field, FieldTable
from eventgate.query.fieldtypes import CanonicalJson, Identifier, OwnId, Text
from eventgate.query.shown import canonical_text, shown_json
from eventgate.query.times import OwnTime


class AuditLine(NamedTuple):
    """One change as a reader may see it.

    ``at`` is in milliseconds since the epoch; ``before`` and ``after`` are JSON texts. Of a change that the operator
    made in another company, that company sees ``actor`` "operator" and neither its ids nor where it was.
    """

    id: UUID
    company: UUID
    at: int
    action: str
    object_id: str
    actor: str
    user: UUID | None
    key: UUID | None
    session: UUID | None
    remote: str
    request_id: str
    before: str | None
    after: str | None


def _decoded(text: str | None) -> Any:
    return None if text is None else shown_json(text.encode())


def _canonical(text: str | None) -> str | None:
    return None if text is None else canonical_text(_decoded(text))


AUDIT_LINES = FieldTable(
    (
        Field("id", OwnId(), lambda line: line.id, "id"),
        Field("timestamp", OwnTime(), lambda line: line.at, "id"),
        Field("action", Text(), lambda line: line.action, "action"),
        Field("objectId", Text(), lambda line: line.object_id, "object_id"),
        Field("companyId", Identifier(), lambda line: line.company, "company"),
        Field("actor", Text(), lambda line: line.actor, "actor"),
        Field("userId", Identifier(), lambda line: line.user, "user_id"),
        Field("keyId", Identifier(), lambda line: line.key, "key"),
        Field("sessionId", Identifier(), lambda line: line.session, "session"),
        Field("remote", Text(), lambda line: line.remote, "remote"),
        Field("requestId", Text(), lambda line: line.request_id, "request_id"),
        Field("before", CanonicalJson(), lambda line: _canonical(line.before), "before::text", decodes=True),
        Field("after", CanonicalJson(), lambda line: _canonical(line.after), "after::text", decodes=True),
    ),
    documents={"before": lambda line: _decoded(line.before), "after": lambda line: _decoded(line.after)},
    example_key="status",
)
