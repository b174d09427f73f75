"""The page that shows the OpenAPI document to people."""

import asyncio

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from eventgate.api.documents import Documents


def test_words_of_code_are_shown_as_code() -> None:
    page = asyncio.run(Documents((), "http://gate.example").show_page(make_mocked_request("GET", "/docs")))
    assert isinstance(page, web.Response)
    assert page.text is not None
    assert "a stable <code>code</code>" in page.text.replace("\n", " ")
    assert "`X-Request-Id`" not in page.text.partition("<h2>")[0]
