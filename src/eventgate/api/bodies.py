"""Reads the small JSON objects that requests to manage something carry.

Touches the request's body, up to a bound. A body is a ``Body``: a pydantic model that checks what came, says all that
is wrong with it at once, and describes itself in the OpenAPI document.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, TypeVar

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WrapValidator
from pydantic.alias_generators import to_camel

from eventgate.errors import CallerError, FieldError

MOST_BYTES = 64 << 10
_SECONDS = 30.0
"""In which a body must arrive; writes of events have as long."""
_CODE = "body-invalid"
_DEEPEST = 16
"""Objects and arrays inside one another; the parsers that follow give up at depths of their own."""


def said_as(expected: str) -> WrapValidator:
    """Says in words what a member must be, where a pattern alone would be shown to the caller."""

    def read(value: Any, inner: Callable[[Any], Any]) -> Any:
        try:
            return inner(value)
        except ValidationError:
            raise ValueError(f"expected {expected}") from None

    return WrapValidator(read)


NO_CONTROLS = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[
    str,
    Field(min_length=1, max_length=200, pattern=NO_CONTROLS),
    said_as("one line of 1 to 200 characters"),
]
"""One line of text for people: 1 to 200 characters, no control characters."""


class Body(BaseModel):
    """What a request may say; members are camelCase on the wire, and there are no others.

    A member that was not sent keeps its default; ``said`` tells it from one that was sent as null.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, hide_input_in_errors=True)

    def said(self, *but: str) -> dict[str, Any]:
        """The members that were sent, by their names here; but for some."""
        return {name: getattr(self, name) for name in self.model_fields_set if name not in but}


Model = TypeVar("Model", bound=Body)


async def read_body(request: web.Request, model: type[Model]) -> Model:
    """The body as a ``model``; no body at all counts as an empty object.

    Raises CallerError 400 ``json-malformed``, 408, 413, 415, or 422 ``body-invalid`` with everything that is wrong,
    each by its JSON pointer.
    """
    found = await _read_object(request)
    try:
        return model.model_validate_json(orjson.dumps(_whole(found)), strict=True)
    except ValidationError as error:
        errors = [
            FieldError(
                _pointer(each["loc"]), _CODE, f"{_pointer(each['loc']) or 'The body'}: {_sentence(model, each)}."
            )
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise invalid(errors) from None


def invalid(errors: Collection[FieldError]) -> CallerError:
    """422: the body says something that cannot be."""
    return CallerError(422, _CODE, " ".join(error.detail for error in errors), tuple(errors))


def described(model: type[Body]) -> Mapping[str, Any]:
    """The request body object of the OpenAPI document; it may be left out where none of its members must be there."""
    required = any(field.is_required() for field in model.model_fields.values())
    return {"required": required, "content": {"application/json": {"schema": model.model_json_schema()}}}


async def read_object(request: web.Request, members: Collection[str]) -> dict[str, Any]:
    """The body, one JSON object of no other members; {} where there is no body.

    Raises CallerError 400 ``json-malformed``, 408, 413, 415, or 422 ``body-invalid`` that names each unknown member.
    """
    found = await _read_object(request)
    unknown = [_unexpected([name], " or ".join(sorted(members)) or "no members") for name in set(found) - {*members}]
    if unknown:
        raise invalid(unknown)
    return found


NO_BODY: Mapping[str, Any] = {
    "required": False,
    "content": {"application/json": {"schema": {"type": "object", "maxProperties": 0}}},
}
"""The request body object where there is nothing to be said; an empty object may be sent."""


async def read_nothing(request: web.Request) -> None:
    """Raises CallerError as ``read_object`` does where anything was said after all."""
    await read_object(request, ())


async def _read_object(request: web.Request) -> dict[str, Any]:
    body = await _read(request)
    if not body:
        return {}
    if request.content_type != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        raise CallerError(415, "media-type-unsupported", "Send the body as application/json, not compressed.")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        detail = f"The body is not JSON: line {error.lineno}, column {error.colno}."
        raise CallerError(
            400, "json-malformed", detail, members={"line": error.lineno, "column": error.colno}
        ) from error
    if not isinstance(found, dict):
        raise CallerError(422, _CODE, "The body is not a JSON object.", [_unexpected([], "an object")])
    return found


async def _read(request: web.Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > MOST_BYTES:
                    raise CallerError(413, "body-too-large", f"The body is larger than {MOST_BYTES} bytes.")
    except TimeoutError:  # strangers may send to some of these addresses too, and hold nothing for longer
        raise CallerError(408, "body-timeout", f"The body did not arrive within {_SECONDS:g} seconds.") from None
    return bytes(body)


def _whole(value: Any, deeper: int = _DEEPEST) -> Any:
    """JSON has one kind of number: 1.0 is an integer (JSON Schema 2020-12, section 4.2.3).

    Raises CallerError 422 for what is nested deeper than anything that can be meant.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) < 1 << 63 else value
    if not isinstance(value, dict | list):
        return value
    if not deeper:
        raise invalid([_unexpected([], f"no more than {_DEEPEST} objects and arrays inside one another")])
    if isinstance(value, dict):
        return {name: _whole(member, deeper - 1) for name, member in value.items()}
    return [_whole(item, deeper - 1) for item in value]


def _sentence(model: type[Body], error: Any) -> str:
    match error["type"]:
        case "missing":
            return "expected a value, found none"
        case "extra_forbidden":
            members = sorted(field.alias or name for name, field in model.model_fields.items())
            return f"there is no such member here; expected {', '.join(members) or 'no members'}"
        case "uuid_parsing" | "uuid_type":
            return "expected a UUID, as in 0199c1f0-0000-7000-8000-000000000000"
        case "too_short" | "string_too_short" | "too_long" | "string_too_long":
            return _length(error)
        case _:
            sentence = error["msg"].removeprefix("Value error, ").replace("Input should be", "expected", 1)
            return str(sentence).rstrip(".")


def _length(error: Any) -> str:
    bounds, kind = error["ctx"], error["type"]
    bound = f"least {bounds['min_length']}" if "min_length" in bounds else f"most {bounds['max_length']}"
    if kind.startswith("string"):
        return f"expected at {bound} characters" if not bound.endswith(" 1") else f"expected at {bound} character"
    return f"expected at {bound} in the list, found {bounds['actual_length']}"


def _pointer(steps: Collection[int | str]) -> str:
    return "".join("/" + str(step)[:64].replace("~", "~0").replace("/", "~1") for step in steps)  # RFC 6901, section 3


def _unexpected(steps: Collection[str], expected: str) -> FieldError:
    pointer = _pointer(steps)
    return FieldError(pointer, _CODE, f"{pointer or 'The body'}: expected {expected}.")
