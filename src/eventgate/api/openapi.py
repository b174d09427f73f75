"""The OpenAPI 3.1 document, made from the route table: what is not in the table is not answered, and not described.

Pure.
"""

import re
from collections.abc import Sequence
from typing import Any

from eventgate.access import NEWEST_VERSION, SCOPES
from eventgate.access.credentials import SESSION_COOKIE
from eventgate.access.sessions.authenticator import CSRF_HEADER
from eventgate.api import versions
from eventgate.api.access.companies import COMPANY_SCHEMAS
from eventgate.api.access.key_schemas import KEY_SCHEMAS
from eventgate.api.access.user_schemas import USER_SCHEMAS
from eventgate.api.custody_schemas import CUSTODY_SCHEMAS
from eventgate.api.parameters import Parameter
from eventgate.api.problem import MEDIA_TYPE
from eventgate.api.routes import OpenRoute, Operation, Route, addressed
from eventgate.api.schemas import SCHEMAS, ref
from eventgate.api.sink_schemas import SINK_SCHEMAS

_PROBLEMS = {
    400: "The request cannot be understood, or contradicts itself",
    401: "No credential, or none that is known",
    403: "The credential may not do this",
    404: "There is nothing of yours under this address",
    408: "The body did not arrive in time",
    409: "The object is in no state for this",
    411: "The length of the body is missing",
    413: "The body is too large",
    415: "The body's media type or coding is not taken",
    422: "The body says something that cannot be",
    429: "More requests a second than the API key or its company may send; `Retry-After` says when to go on",
    503: "EventGate cannot do this now; `Retry-After` says when to ask again",
    504: "The sink's delivery loop did not answer in time",
}
_TAGS = {
    "alerts": "What analysts search.",
    "events": "What sensors report: alerts, sightings, heartbeats.",
    "edges": "The registered sensors.",
    "sinks": "Where events go.",
    "companies": "Who shares this EventGate.",
    "people": "Users, their passwords and second factors, and where they are signed in.",
    "audit": "What was changed, and by whom.",
    "keys": "API keys: what may be done with them, from where, and whose signatures they vouch for.",
    "service": "EventGate itself.",
}
_DESCRIPTION = """\
Signed events in, committed before they are acknowledged, searchable, and out again to Kafka and SIEMs.

Times are RFC 3339 in UTC with milliseconds, ids are UUIDs. Errors are problem documents (RFC 9457) with a stable
`code`. Every answer carries `X-Request-Id`. A parameter that is not described is refused with 400.
"""
_CSRF = "The session's `csrfToken`. With a session's cookie it must be sent; with anything else it counts for nothing."
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


def document(routes: Sequence[Route | OpenRoute], server_url: str) -> dict[str, Any]:
    """Describe a table of routes, reached under ``server_url``."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for method, path in addressed(route):
            operation = _open_operation(route) if isinstance(route, OpenRoute) else _operation(route, path)
            operation["operationId"] = _operation_id(method, path)
            paths.setdefault(path, {})[method.lower()] = _without_body(operation) if method == "HEAD" else operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "EventGate",
            "version": NEWEST_VERSION,
            "description": f"{_DESCRIPTION}\n{versions.described()}",
        },
        "servers": [{"url": server_url}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {
                **SCHEMAS,
                **CUSTODY_SCHEMAS,
                **KEY_SCHEMAS,
                **USER_SCHEMAS,
                **COMPANY_SCHEMAS,
                **SINK_SCHEMAS,
            },
            "headers": _HEADERS,
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


_RATE_FIELDS = ("RateLimit", "RateLimit-Policy")
_HEADERS = {
    versions.FIELD: versions.ANSWERED,
    "RateLimit": {
        "description": 'What is left of each limit, as in `"key";r=7;t=1`; only where there is one '
        "(draft-ietf-httpapi-ratelimit-headers).",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": 'The limits of this caller, as in `"key";q=10;w=1, "company";q=100;w=1`: '
        "so many requests a second with the API key, and with all credentials of the company together.",
        "schema": {"type": "string"},
    },
    "Retry-After": {"description": "Seconds until it is worth asking again.", "schema": {"type": "integer"}},
}
_SECURITY_SCHEMES = {
    "bearerAuth": {"type": "http", "scheme": "bearer", "description": "The auth key, `egk_…`."},
    "oauth2": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of an OAuth2 issuer that this EventGate's configuration trusts.",
    },
    "apiKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The auth key."},
    "authorizationHeader": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The auth key itself, without a scheme in front.",
    },
    "cookieAuth": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "The session that `POST /v2/sessions` began. Counts only where neither header is sent; on all "
        "but GET and HEAD it goes with `X-CSRF-Token`, and a browser's `Origin` must be this address.",
    },
}


def _open_operation(route: OpenRoute) -> dict[str, Any]:
    return _described(route.operation) | {"security": []}


def _operation(route: Route, path: str) -> dict[str, Any]:
    assert route.scope is None or route.scope in SCOPES, f"{route.path} asks for a scope that does not exist"
    notes = [route.operation.description, f"Scope: `{route.scope}`." if route.scope else "Needs no scope."]
    if route.operator:
        notes.append("For the operator of this EventGate alone.")
    if path != route.path:
        notes.append(f"Answers as `{route.path}` does.")
    described = _described(route.operation, usual=(400, 401, 403, 429, 503))
    return described | {
        "responses": {status: _with_headers(status, answer) for status, answer in described["responses"].items()},
        "description": "\n\n".join(filter(None, notes)),
        "parameters": [
            *(_path_parameter(route, name) for name in _PATH_PARAMETER.findall(path)),
            *(_query_parameter(parameter) for parameter in route.parameters),
            *(_header(name, text, required=True) for name, text in route.headers.items()),
            *(_header(name, text, required=False) for name, text in route.optional_headers.items()),
            versions.PARAMETER,
            *([] if route.method == "GET" else [_header(CSRF_HEADER, _CSRF, required=False)]),
        ],
        "security": [{name: []} for name in _SECURITY_SCHEMES],
        "x-scope": route.scope,
    }


def _described(operation: Operation, usual: Sequence[int] = ()) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
        "parameters": [],
        "responses": {str(status): answer for status, answer in operation.responses.items()},
    }
    late: Sequence[int] = ()
    if operation.request_body is not None:
        found["requestBody"] = operation.request_body
        late = (408,)
    for status in sorted({*usual, *operation.problems, *late}):
        problem = {"description": _PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": ref("Problem")}}}
        found["responses"].setdefault(str(status), problem)
    answered = {versions.FIELD: {"$ref": f"#/components/headers/{versions.FIELD}"}}
    for status, answer in found["responses"].items():
        found["responses"][status] = answer | {"headers": answer.get("headers", {}) | answered}
    return found


def _with_headers(status: str, answer: dict[str, Any]) -> dict[str, Any]:
    """An answer with the header fields that tell of rate limits, and of waiting."""
    names = (*_RATE_FIELDS, *(("Retry-After",) if status in ("429", "503") else ()))
    fields = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    return answer | {"headers": answer.get("headers", {}) | fields}


def _without_body(operation: dict[str, Any]) -> dict[str, Any]:
    """What HEAD answers to what GET does."""
    responses = {
        status: {name: member for name, member in answer.items() if name != "content"}
        for status, answer in operation["responses"].items()
    }
    return operation | {"summary": f"{operation['summary']}: the head of the answer alone", "responses": responses}


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    many = {"type": "array", "items": parameter.schema}
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "schema": many if parameter.many else parameter.schema,
        **({"style": "form", "explode": True} if parameter.many else {}),
    }


def _path_parameter(route: Route, name: str) -> dict[str, Any]:
    schema = {"type": "string"} if name in route.path_readers else {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _header(name: str, text: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": text, "schema": {"type": "string"}}


def _operation_id(method: str, path: str) -> str:
    words = [word.strip("{}") for word in re.split(r"[/.-]", path) if word]
    return "_".join([method.lower(), *words]) if words else f"{method.lower()}_root"
