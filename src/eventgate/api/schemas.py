"""The shapes that answers and bodies have, for the OpenAPI document (JSON Schema 2020-12).

Pure. What a route answers is described here beside nothing else, so that tests can hold real answers against it.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}


def or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def closed(properties: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object of just these members, all of them present but for the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def answer(description: str, schema: Schema, media_type: str = "application/json") -> dict[str, Any]:
    """A response object."""
    return {"description": description, "content": {media_type: {"schema": schema}}}


def one(name: str, description: str = "Found") -> dict[str, Any]:
    """A response object: one bare object."""
    return answer(description, ref(name))


def listed(name: str) -> dict[str, Any]:
    """A response object: a page of a list."""
    return answer("One page", {**_PAGE, "properties": {**_PAGE["properties"], "data": _array(ref(name))}})


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_URL: Schema = {"type": ["string", "null"], "format": "uri"}

_PAGE = closed(
    {
        "status": {"const": 200},
        "total": {**COUNT, "description": "How many match, over all pages."},
        "totalRelation": {
            "enum": ["exact", "atLeast"],
            "description": "Whether total is exact, or was not counted to its end.",
        },
        "count": {**COUNT, "description": "How many are on this page."},
        "complete": {
            "type": "boolean",
            "description": "False: the search stopped at its deadline; nextUrl goes on from where it stopped.",
        },
        "nextUrl": {**_URL, "description": "The page after this one; null at the end."},
        "previousUrl": {**_URL, "description": "The page before this one; null at the beginning."},
        "data": _array({}),
    }
)

_ALERT: dict[str, Schema] = {
    "id": UUID,
    "categoryId": or_null({"type": "integer"}),
    "alertCode": or_null(TEXT),
    "edgeId": UUID,
    "timestamp": TIME,
    "message": or_null(TEXT),
    "data": {"type": "object"},
    "serial": or_null(TEXT),
    "edgeName": {**or_null(TEXT), "description": "What the sensor is called today."},
    "severity": {"type": ["integer", "null"], "minimum": 0, "maximum": 10, "description": "10 is worst."},
    "receivedAt": TIME,
    "companyId": UUID,
}
_PROBLEM_FIELD = closed(
    {
        "pointer": {**TEXT, "description": "A JSON pointer into the body (RFC 6901), or a parameter's name."},
        "code": TEXT,
        "detail": TEXT,
    }
)
_OUTCOME = {
    "index": {**COUNT, "description": "The event's place in the write."},
    "id": or_null(UUID),
    "status": {"enum": ["accepted", "duplicate", "rejected"]},
    "position": {"type": "integer", "minimum": 1, "description": "The journal's position of its first storing."},
    "positionIndex": {**COUNT, "description": "Its place in the batch at that position."},
    "error": ref("FieldProblem"),
    "errors": _array(ref("FieldProblem")),
}
_RECEIPT = closed(
    {"position": {"type": "integer", "minimum": 1}, "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
)

SCHEMAS: dict[str, Schema] = {
    "Problem": {
        "type": "object",
        "description": "A problem document (RFC 9457).",
        "properties": {
            "status": {"type": "integer"},
            "title": TEXT,
            "code": {**TEXT, "description": "Stable; docs/status-codes.md lists them."},
            "detail": TEXT,
            "requestId": TEXT,
            "errors": _array(ref("FieldProblem")),
        },
        "required": ["status", "title", "code", "detail", "requestId"],
    },
    "FieldProblem": _PROBLEM_FIELD,
    "Alert": closed(_ALERT),
    "Event": closed(
        {
            **_ALERT,
            "kind": {"enum": ["alert", "sighting", "heartbeat"]},
            "origin": {"enum": ["sensor", "system"]},
            "eventId": or_null(TEXT),
            "sequence": or_null({"type": "integer"}),
            "keyId": or_null(UUID),
            "verifyKeyId": or_null(UUID),
            "contentDigest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        }
    ),
    "AlertMeta": closed(
        {
            "total": COUNT,
            "totalRelation": {"enum": ["exact", "atLeast"]},
            "complete": {"type": "boolean"},
            "countedFrom": or_null(TIME),
            "firstTimestamp": or_null(TIME),
            "lastTimestamp": or_null(TIME),
            "byCategory": _array(closed({"categoryId": {"type": "integer"}, "count": COUNT})),
            "byCode": _array(closed({"alertCode": TEXT, "count": COUNT})),
            "bySeverity": _array(closed({"severity": {"type": "integer"}, "count": COUNT})),
            "byEdge": _array(
                closed({"edgeId": UUID, "serial": or_null(TEXT), "edgeName": or_null(TEXT), "count": COUNT})
            ),
            "histogram": closed(
                {
                    "bucketSeconds": {"type": "integer", "minimum": 1},
                    "buckets": _array(closed({"from": TIME, "count": COUNT})),
                }
            ),
        }
    ),
    "AlertCategory": closed({"id": {"type": "integer"}, "name": TEXT, "description": TEXT}),
    "AlertCode": closed(
        {
            "alertCode": TEXT,
            "categoryId": {"type": "integer"},
            "severity": {"type": "integer", "minimum": 0, "maximum": 10, "description": "Where a sensor gives none."},
            "title": or_null(TEXT),
            "description": or_null(TEXT),
            "source": {"enum": ["catalogue", "observed"]},
            "lastSeenAt": {**or_null(TIME), "description": "The time of your newest alert with this code."},
            "lastSeen": {
                **or_null(TIME),
                "deprecated": True,
                "description": "lastSeenAt, as 2026-11-22 calls it.",
            },
        },
        optional=("lastSeenAt", "lastSeen"),
    ),
    "NewEvent": {
        "type": "object",
        "properties": {
            "id": {**UUID, "description": "A UUIDv7 of the sensor's choice; its milliseconds are timestamp's."},
            "eventId": {"type": "string", "maxLength": 128, "description": "The sensor's own id."},
            "kind": {"enum": ["alert", "sighting", "heartbeat"], "default": "alert"},
            "timestamp": {**TIME, "description": "RFC 3339, any offset; at most 5 minutes ahead, 30 days old."},
            "edgeId": {**UUID, "description": "Which sensor; may be left out where the key is bound to one."},
            "serial": {**TEXT, "description": "Which sensor, by its serial number."},
            "alertCode": {**TEXT, "description": "From the catalogue, or the company's own."},
            "categoryId": {"type": "integer", "minimum": 1, "maximum": 6},
            "severity": {"type": "integer", "minimum": 0, "maximum": 10, "description": "10 is worst."},
            "message": {"type": "string", "maxLength": 4096},
            "sequence": {"type": "integer", "minimum": 0, "description": "A counter of the sensor's own."},
            "data": {"type": "object", "description": "At most 64 KiB, nested 16 deep."},
        },
        "required": ["timestamp"],
    },
    "Written": closed(
        {
            "accepted": COUNT,
            "duplicates": COUNT,
            "rejected": COUNT,
            "events": _array(closed(_OUTCOME, optional=("position", "positionIndex", "error", "errors"))),
            "receipt": {"anyOf": [_RECEIPT, {"type": "null"}]},
        }
    ),
    "Edge": closed(
        {
            "id": UUID,
            "companyId": UUID,
            "serial": TEXT,
            "name": or_null(TEXT),
            "state": {"enum": ["active", "deactivated"]},
            "registeredAt": TIME,
        }
    ),
    "Reject": closed(
        {
            "id": UUID,
            "rejectedAt": TIME,
            "keyId": UUID,
            "requestId": TEXT,
            "index": {**COUNT, "description": "The event's place in its write."},
            "errors": _array(ref("FieldProblem")),
            "body": {**TEXT, "description": "The event's beginning, as it was sent."},
        }
    ),
    "AuditLine": closed(
        {
            "id": UUID,
            "timestamp": TIME,
            "action": {**TEXT, "description": "`<noun>.<verb>`, as in `key.create`."},
            "objectId": {**TEXT, "description": "What was changed: its id, or a sink's name."},
            "companyId": {**UUID, "description": "Whose object it is."},
            "actor": {**TEXT, "description": "Who, in words; `operator` where the operator did it in your company."},
            "userId": or_null(UUID),
            "keyId": or_null(UUID),
            "sessionId": or_null(UUID),
            "remote": {**TEXT, "description": "The address it came from; empty where there was none."},
            "requestId": TEXT,
            "before": {
                **or_null({"type": "object"}),
                "description": "The object as it was; null: there was none.",
            },
            "after": {
                **or_null({"type": "object"}),
                "description": "The object as it was afterwards; null: it was gone.",
            },
        }
    ),
    "Session": closed(
        {
            "id": UUID,
            "userId": UUID,
            "remote": {**TEXT, "description": "The address it was begun from."},
            "userAgent": {**TEXT, "description": "What the browser says it is."},
            "createdAt": TIME,
            "lastUsedAt": {**TIME, "description": "To the minute."},
            "expiresAt": {**TIME, "description": "When it ends, however much it is used."},
            "current": {"type": "boolean", "description": "Whether it is the one that asks."},
        }
    ),
}
