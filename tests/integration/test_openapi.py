"""The OpenAPI document is valid, complete and true: what it says, the running service does."""

import asyncio
import re
import threading
from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from eventgate.api.routes import refuse_head
from tests.integration.http_service import METRICS_TOKEN, Service, http_service

ENDLESS = "/alerts/stream"
EXAMPLES = 6
"""Requests generated for each method of each path: the whole takes well under a minute."""


@pytest.fixture
def service(database_url, tmp_path) -> Iterator[Service]:
    """A service on a thread of its own, since the test itself waits for answers."""
    loop, running, over = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[Service] = []

    async def serve() -> None:
        async with http_service(database_url, tmp_path) as service:
            await service.store([service.event(number) for number in range(30)])
            found.append(service)
            running.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert running.wait(30)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(30)
        loop.close()


def described(service: Service) -> dict:
    return service.openapi


def test_the_document_is_valid(service):
    OpenAPIV31SpecValidator(described(service)).validate()


def test_every_route_is_described_and_nothing_else(service):
    answered = {
        (route.method.lower(), route.resource.canonical)
        for route in service.application.router.routes()
        if route.handler is not refuse_head
    }
    document = described(service)
    told = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert answered == told
    assert len(told) > 20


def test_every_operation_names_its_scope_or_asks_for_nothing(service):
    for path, methods in described(service)["paths"].items():
        for operation in methods.values():
            assert bool(operation["security"]) == ("x-scope" in operation), path
            assert operation["summary"]
            assert len({parameter["name"] for parameter in operation["parameters"]}) == len(operation["parameters"])


def test_operations_have_names_of_their_own(service):
    names = [op["operationId"] for methods in described(service)["paths"].values() for op in methods.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"\w+", name) for name in names)


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_no_generated_request_meets_an_answer_that_is_not_described(service):
    schema = schemathesis.openapi.from_dict(described(service))
    called = [
        statuses
        for operation in (found.ok() for found in schema.get_all_operations())
        if not operation.path.endswith(ENDLESS)
        for statuses in called_with_examples(service, operation)
    ]
    assert len(called) > 100
    assert {200, 400, 404} <= set(called)


def called_with_examples(service: Service, operation) -> list[int]:
    """Send generated requests and hold the answers against the document; the statuses that came."""
    key = METRICS_TOKEN if operation.path == "/metrics" else service.made.admin_auth_key
    headers = {"Authorization": f"Bearer {key}"}
    statuses = []

    @hypothesis.settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    @hypothesis.given(case=operation.as_strategy())
    def ask(case):
        response = case.call(base_url=service.url, headers=headers, timeout=10, allow_redirects=False)
        case.validate_response(response, checks=CHECKS, headers=headers)
        statuses.append(response.status_code)

    ask()
    return statuses
