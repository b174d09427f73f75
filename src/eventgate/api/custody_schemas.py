"""The shapes of custody, dead letters and previews, for the OpenAPI document (JSON Schema 2020-12).

Pure.
"""

from eventgate.api.schemas import COUNT, TEXT, TIME, UUID, Schema, closed, or_null, ref

_DIGEST: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}

_LETTER: dict[str, Schema] = {
    "eventId": UUID,
    "companyId": UUID,
    "position": COUNT,
    "index": COUNT,
    "generation": COUNT,
    "diedAt": TIME,
    "reason": {**TEXT, "description": "In the receiver's words."},
    "redrivenIn": {**or_null(COUNT), "description": "The generation that last brought it again."},
}

CUSTODY_SCHEMAS: dict[str, Schema] = {
    "Custody": closed(
        {
            "id": UUID,
            "kind": {"enum": ["alert", "sighting", "heartbeat"]},
            "alertCode": or_null(TEXT),
            "timestamp": TIME,
            "edgeId": UUID,
            "serial": or_null(TEXT),
            "signedBy": closed(
                {"keyId": or_null(UUID), "verifyKeyId": or_null(UUID), "contentDigest": _DIGEST},
            ),
            "receivedAt": TIME,
            "committed": closed(
                {
                    "at": TIME,
                    "position": {"type": "integer", "minimum": 1},
                    "index": COUNT,
                    "digest": {**_DIGEST, "description": "The chain's at that position."},
                }
            ),
            "sinks": {"type": "array", "items": ref("CustodyOfSink")},
        }
    ),
    "CustodyOfSink": closed(
        {
            "name": TEXT,
            "configured": {"type": "boolean", "description": "False: it was removed from the configuration since."},
            "transport": TEXT,
            "guarantee": TEXT,
            "fate": {
                "enum": ["pending", "before", "filtered", "delivered", "dead"],
                "description": "before: the sink began after it.",
            },
            "detail": {**TEXT, "description": "A sentence for people."},
            "condition": {**or_null(TEXT), "description": "The first condition of the filter that did not hold."},
            "filterChanged": {"type": "boolean", "description": "Whether the sink has another filter by now."},
            "comesAgain": {"type": "boolean", "description": "A replay is on its way to it."},
            "deliveries": {
                "type": "array",
                "items": closed(
                    {
                        "at": TIME,
                        "generation": COUNT,
                        "lane": {"enum": ["live", "replay"]},
                        "receipt": {
                            "type": "object",
                            "description": "What the receiver said: topic, partition and offset; transaction; status.",
                        },
                    }
                ),
            },
            "deaths": {
                "type": "array",
                "items": closed(
                    {"at": TIME, "generation": COUNT, "reason": TEXT, "redrivenIn": or_null(COUNT)},
                ),
            },
        }
    ),
    "DeadLetter": closed(_LETTER),
    "DeadLetterWhole": closed(
        {
            **_LETTER,
            "event": {"anyOf": [ref("Event"), {"type": "null"}], "description": "Null: it is gone by now."},
            "preview": {
                "anyOf": [ref("Preview"), {"type": "null"}],
                "description": "Null: the delivery loop did not answer.",
            },
        }
    ),
    "Preview": closed(
        {
            "text": {**or_null(TEXT), "description": "The bytes as UTF-8; null where they are not."},
            "body": {"type": "string", "contentEncoding": "base64"},
            "contentType": TEXT,
            "bytes": COUNT,
            "limitBytes": {**or_null(COUNT), "description": "The longest that the transport carries."},
            "fits": {"type": "boolean"},
            "wanted": {"type": "boolean", "description": "Whether the sink's filter lets it through."},
            "condition": {**or_null(TEXT), "description": "The first condition of the filter that does not hold."},
        }
    ),
    "Redriven": closed(
        {
            "generation": {**or_null(COUNT), "description": "Null: nothing was done."},
            "events": COUNT,
            "seconds": {**or_null({"type": "number"}), "description": "At the sink's rate; null: nothing bounds it."},
        }
    ),
}
