"""What may be said of API keys and verify keys.

Pure. A field is called as its column is, and on the wire by its alias.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from eventgate.access import SCOPES
from eventgate.access.keys.whitelist import read_network
from eventgate.access.scopes import in_order
from eventgate.api.bodies import Body, Line, said_as
from eventgate.query.instants import EXPECTED, parse_instant

_MOST_ADDRESSES = 100
_MOST_A_SECOND = 1_000_000
_END_OF_TIME = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp() * 1000)


def _scope(text: str) -> str:
    if text not in SCOPES:
        raise ValueError(f"expected one of {', '.join(SCOPES)}")
    return text


def _moment(text: Any) -> datetime:
    span = parse_instant(text) if isinstance(text, str) else None
    if span is None or not 0 <= span.start < _END_OF_TIME:
        raise ValueError(f"expected {EXPECTED}")
    return datetime.fromtimestamp(span.start / 1000, UTC)


def _key_text(value: Any) -> str:
    if not isinstance(value, str | dict):
        raise ValueError("expected PEM or base64 DER as a string, or a JWK as an object")  # noqa: TRY004 - pydantic's way
    return value if isinstance(value, str) else orjson.dumps(value).decode()


Address = Annotated[str, AfterValidator(read_network), Field(examples=["192.0.2.0/24", "2001:db8::1"])]
Scope = Annotated[str, AfterValidator(_scope), Field(json_schema_extra={"enum": [*SCOPES]})]
Moment = Annotated[datetime, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
KeyText = Annotated[
    str,
    PlainValidator(_key_text),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]

Whitelist = Annotated[
    list[Address] | None,
    Field(
        alias="whitelistedIPs",
        min_length=1,
        max_length=_MOST_ADDRESSES,
        description="Addresses or CIDR blocks that the key may be used from; null: any.",
    ),
]
Purpose = Annotated[Line | None, Field(description="For people: what the key is for.")]
Edge = Annotated[
    UUID | None,
    Field(alias="edgeId", description="The sensor that the key writes for; null: any. A bound key manages nothing."),
]
Registers = Annotated[
    bool, Field(description="Whether a sensor that this key writes for is registered at first sight.")
]
Expires = Annotated[Moment | None, Field(description="From then on the key is refused; null: never.")]
Rate = Annotated[
    int | None, Field(ge=1, le=_MOST_A_SECOND, description="Requests a second; null: no limit of its own.")
]

_SCOPES = "Never more than you have yourself, and than the role of the key's user."


class NewOwnKey(Body):
    """A key of the caller's own user; all of it may be left out."""

    whitelisted_ips: Whitelist = None
    description: Purpose = None
    scopes: Annotated[list[Scope], AfterValidator(in_order)] = Field(
        default_factory=list, min_length=1, description=f"Default: what you may read. {_SCOPES}"
    )
    edge: Edge = None
    registers_edges: Registers = False
    expires_at: Expires = None
    rate_limit: Rate = None


class NewKey(NewOwnKey):
    """A key of a user of the company."""

    user_id: UUID = Field(description="Whose key it is: a user of your company.")


class KeyChanges(Body):
    """What to change; what is left out stays, and null clears."""

    api_version: Annotated[str, said_as("a version as YYYY-MM-DD")] = Field(
        default_factory=str,
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="The version of the API this key is tied to, as YYYY-MM-DD.",
    )
    whitelisted_ips: Whitelist = None
    description: Purpose = None
    scopes: Annotated[list[Scope], AfterValidator(in_order)] = Field(
        default_factory=list, min_length=1, description=_SCOPES
    )
    edge: Edge = None
    registers_edges: Registers = Field(default_factory=bool)
    expires_at: Expires = None
    rate_limit: Rate = None


class NewVerifyKey(Body):
    """The public half of a signing key."""

    verify_key: KeyText = Field(
        description="An ECDSA public key on P-256, P-384 or P-521: PEM (SPKI), base64 of its DER, or a JWK. Keep the "
        "private half where it was made."
    )
