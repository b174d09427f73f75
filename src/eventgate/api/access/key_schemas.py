"""The shapes of API keys and verify keys, for the OpenAPI document.

Pure.
"""

from eventgate.access import SCOPES, VERSIONS
from eventgate.api.parameters import Parameter, one_of
from eventgate.api.schemas import TEXT, TIME, UUID, Schema, closed, or_null

_STATUS: Schema = {"enum": ["active", "inactive"]}

KEY_SCHEMAS: dict[str, Schema] = {
    "ApiKey": closed(
        {
            "id": UUID,
            "companyId": UUID,
            "userId": UUID,
            "key": {**TEXT, "description": "Whole only in the answer that makes it; later its beginning and dots."},
            "whitelistedIPs": {"type": ["array", "null"], "items": TEXT, "description": "Null: any address."},
            "status": {**_STATUS, "description": "inactive: it was deleted. See expiresAt for one that ran out."},
            "description": or_null(TEXT),
            "createdAt": TIME,
            "updatedAt": TIME,
            "deletedAt": or_null(TIME),
            "apiVersion": {**TEXT, "description": f"The version it is answered in: one of {', '.join(VERSIONS)}."},
            "apiVersionUpdatedAt": {**or_null(TIME), "description": "When it last went to another version."},
            "apiVersionDowngradeNotAllowedAfter": {
                **TIME, "description": "Until then the key may go back to an older version.",
            },
            "scopes": {"type": "array", "items": {"enum": [*SCOPES]}},
            "edgeId": {**or_null(UUID), "description": "The sensor it writes for; null: any of the company."},
            "registersEdges": {"type": "boolean"},
            "expiresAt": or_null(TIME),
            "rateLimit": {"type": ["integer", "null"], "minimum": 1, "description": "Requests a second."},
            "lastUsedAt": {**or_null(TIME), "description": "To the minute."},
        }
    ),
    "VerifyKey": closed(
        {
            "id": {**UUID, "description": "What a signature names as keyid."},
            "keyId": {**UUID, "description": "The API key that it belongs to."},
            "curve": {"enum": ["P-256", "P-384", "P-521"]},
            "algorithm": {**or_null(TEXT), "description": "What a signature names as alg; null: leave it out."},
            "verifyKey": {**TEXT, "description": "PEM (SubjectPublicKeyInfo)."},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "SHA-256 of the DER."},
            "status": _STATUS,
            "createdAt": TIME,
            "deletedAt": or_null(TIME),
        }
    ),
}  # fmt: skip

STATUS = Parameter(
    "status",
    "Which to list: those that work, or those that were deleted.",
    {"type": "string", "enum": ["active", "inactive"], "default": "active"},
    one_of(["active", "inactive"]),
)
