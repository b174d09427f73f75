"""The shapes that answers and bodies about sinks have, for the OpenAPI document.

Pure.
"""

from eventgate.api.schemas import COUNT, TEXT, TIME, UUID, Schema, closed, or_null, ref
from eventgate.sinks.definition import State

_DEFINITION: Schema = {
    "type": ["object", "null"],
    "description": "Every key as configured, a secret as its salted hash: the operator's alone.",
}
_OWN_COUNT: Schema = {
    **or_null(COUNT),
    "description": "The operator sees every event counted, a company its own.",
}
_FOREIGN: Schema = {
    **or_null(COUNT),
    "description": "Other companies' events that a company's sink passed over: the operator's alone.",
}
_OPERATORS_COUNT: Schema = {**or_null(COUNT), "description": "Counts every company's events: the operator's alone."}
_SECONDS_AT_RATE: Schema = {
    "type": ["number", "null"],
    "minimum": 0,
    "description": "How long that takes at the sink's rate at most; null where it is unbounded.",
}

SINK_SCHEMAS: dict[str, Schema] = {
    "Sink": closed(
        {
            "name": TEXT,
            "companyId": {**or_null(UUID), "description": "Null: the operator's, sees every company."},
            "filter": {"type": "array", "items": TEXT},
            "format": TEXT,
            "transport": TEXT,
            "guarantee": {"enum": ["exactly once", "confirmed", "written", "best effort"]},
            "definition": _DEFINITION,
            "configured": {
                "type": "boolean",
                "description": "False: removed from the configuration. It keeps its cursor, and with it the journal's"
                " list of what it has not finished, until it comes back or is forgotten.",
            },
            "state": {
                "enum": [state.value for state in State],
                "description": "disabled: its receiver wants nothing more, ever (a webhook's 410); resume brings it"
                " back. cursor-lost: rewind it.",
            },
            "stateSince": TIME,
            "lastError": or_null(TEXT),
            "lastErrorAt": or_null(TIME),
            "cursor": closed({"position": COUNT, "index": COUNT}),
            "generation": {**COUNT, "description": "One more each time something is delivered again."},
            "nextAttemptAt": {**or_null(TIME), "description": "When the receiver is tried again, after a failure."},
            "replayEventsPerSecond": {**COUNT, "description": "How fast events are delivered again; 0: unbounded."},
            "lagEvents": _OWN_COUNT,
            "lagSeconds": {"type": "number", "description": "Age of the oldest event that is not finished."},
            "stored": _OWN_COUNT,
            "before": _OWN_COUNT,
            "delivered": _OWN_COUNT,
            "filtered": _OWN_COUNT,
            "dead": _OWN_COUNT,
            "expired": _OWN_COUNT,
            "pending": _OWN_COUNT,
            "foreign": _FOREIGN,
            "balances": {"type": "boolean", "description": "False: an alarm; events are unaccounted for."},
            "alarms": {
                "type": "array",
                "items": closed({"code": TEXT, "detail": TEXT, "since": TIME}),
                "description": "What is wrong with it now, by the code of its system alert.",
            },
            "replay": {
                "description": "What is, or last was, delivered again beside what is new. Null: nothing ever was.",
                "oneOf": [ref("Replay"), {"type": "null"}],
            },
        }
    ),
    "Replay": closed(
        {
            "generation": {**COUNT, "description": "The generation that delivers it, as each event's mark says."},
            "kind": {"enum": ["replay", "redrive"], "description": "A range of the journal, or dead letters."},
            "from": {**COUNT, "description": "What came after this position of the journal is delivered again."},
            "until": {**COUNT, "description": "Up to this position: where the sink stood when it was asked for."},
            "position": {**COUNT, "description": "How far it has come."},
            "beganAt": TIME,
            "stored": {**_OWN_COUNT, "description": "Events in its range: the sum of the counts below."},
            "delivered": _OWN_COUNT,
            "filtered": _OWN_COUNT,
            "dead": _OWN_COUNT,
            "expired": _OWN_COUNT,
            "pending": _OWN_COUNT,
            "foreign": _FOREIGN,
            "secondsLeft": {
                "type": ["number", "null"],
                "minimum": 0,
                "description": "At the sink's rate; null where it is unbounded, or not yours to know.",
            },
        }
    ),
    "SinkGenerations": closed(
        {
            "name": TEXT,
            "generations": {
                "type": "array",
                "items": closed(
                    {
                        "generation": COUNT,
                        "kind": {
                            "enum": ["moved", "replay", "redrive"],
                            "description": "The live lane began elsewhere; a range of the journal; dead letters.",
                        },
                        "from": {**or_null(COUNT), "description": "After this position of the journal."},
                        "until": {**COUNT, "description": "Up to this position."},
                        "beganAt": TIME,
                        "endedAt": {**or_null(TIME), "description": "When the next began; null for the present one."},
                        "stored": _OPERATORS_COUNT,
                        "delivered": or_null(COUNT),
                        "dead": or_null(COUNT),
                        "filtered": _OPERATORS_COUNT,
                        "expired": _OPERATORS_COUNT,
                        "foreign": _OPERATORS_COUNT,
                    }
                ),
            },
        }
    ),
    "SinkMinutes": closed(
        {
            "name": TEXT,
            "minutes": {
                "type": "array",
                "items": closed(
                    {
                        "minute": {**TIME, "description": "When it began; the counts are those at its end."},
                        "generation": COUNT,
                        "stored": _OWN_COUNT,
                        "before": _OWN_COUNT,
                        "delivered": _OWN_COUNT,
                        "filtered": _OWN_COUNT,
                        "dead": _OWN_COUNT,
                        "expired": _OWN_COUNT,
                        "pending": _OWN_COUNT,
                        "foreign": _FOREIGN,
                        "balances": {"type": "boolean"},
                    }
                ),
            },
        }
    ),
    "SinkAnswer": closed(
        {
            "name": TEXT,
            "verb": {"enum": ["pause", "resume", "test"]},
            "detail": TEXT,
            "eventId": {**UUID, "description": "Of a test: the event that was sent."},
            "receipt": {**or_null({"type": "object"}), "description": "Of a test: what the receiver said of it."},
        },
        optional=("eventId", "receipt"),
    ),
    "Rewound": closed(
        {
            "name": TEXT,
            "verb": {"enum": ["rewind"]},
            "detail": TEXT,
            "generation": {**COUNT, "description": "The one that was opened."},
            "events": {**COUNT, "description": "How many events are in its range, before the filter."},
            "seconds": _SECONDS_AT_RATE,
        }
    ),
    "RewindTo": {
        "type": "object",
        "properties": {
            "to": {
                "type": ["string", "integer"],
                "description": "RFC 3339, `YYYY-MM-DD HH:mm` or `YYYY-MM-DD HH:mm:ss.fff` (UTC), or a position of the"
                " journal; 0 is its beginning.",
            },
            "dryRun": {"type": "boolean", "default": False, "description": "Only say what would be repeated."},
            "replace": {
                "type": "boolean",
                "default": False,
                "description": "Even if something is being delivered again already, which then ends where it is.",
            },
        },
        "required": ["to"],
        "additionalProperties": False,
    },
    "Rewind": closed({"events": COUNT, "seconds": _SECONDS_AT_RATE}),
}
