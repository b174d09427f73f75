"""``/openapi.json``, ``/docs`` and ``/``: what EventGate says about itself.

Pure but for HTTP. The page is rendered once, loads nothing and runs nothing.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import Any

import orjson
from aiohttp import web

from eventgate.api.openapi import document
from eventgate.api.routes import OpenRoute, Operation, Route
from eventgate.api.schemas import answer

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: .9em ui-monospace, monospace; }
pre { overflow: auto; padding: .75rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
h2 { margin-top: 2.5rem; }
details { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: .5rem 0; }
summary { cursor: pointer; }
.method { display: inline-block; min-width: 4rem; font-weight: 700; }
table { border-collapse: collapse; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
"""
_CODE = re.compile(r"`([^`\n]+)`")
_IN_CODE = r"<code>\1</code>"
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Documents:
    """Describes the ``routes`` of an EventGate reached at ``server_url``, and these addresses themselves."""

    def __init__(self, routes: Sequence[Route | OpenRoute], server_url: str) -> None:
        own = self.routes()
        self.openapi = document([*routes, *own], server_url)
        self._json = orjson.dumps(self.openapi)
        self._page = _page(self.openapi)

    def routes(self) -> Sequence[OpenRoute]:
        html = answer("A page for people", {"type": "string"}, "text/html")
        leads = {"description": "Leads to /docs", "headers": {"Location": {"schema": {"type": "string"}}}}
        return (
            OpenRoute(
                "GET", "/openapi.json", self.show_json,
                Operation("This document", "service", {200: answer("OpenAPI 3.1", {"type": "object"})}),
            ),
            OpenRoute("GET", "/docs", self.show_page, Operation("This document as a page", "service", {200: html})),
            OpenRoute("GET", "/", self.lead, Operation("The front door", "service", {303: leads})),
        )  # fmt: skip

    async def show_json(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._json, content_type="application/json")

    async def show_page(self, _request: web.Request) -> web.StreamResponse:
        headers = {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
        return web.Response(text=self._page, content_type="text/html", headers=headers)

    async def lead(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=303, headers={"Location": "/docs"})


def _page(openapi: dict[str, Any]) -> str:
    groups = "".join(_group(openapi, tag) for tag in openapi["tags"])
    schemas = "".join(_schema(name, schema) for name, schema in openapi["components"]["schemas"].items())
    info = openapi["info"]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>EventGate HTTP interface</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>{_text(info['description'])}"
        f'<p>Machines read <a href="/openapi.json">openapi.json</a>.</p>{groups}<h2>Schemas</h2>{schemas}</body></html>'
    )


def _group(openapi: dict[str, Any], tag: dict[str, str]) -> str:
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"] and method != "head"
    )
    return f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>{operations}"


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}</td>"
        f"<td><code>{_json(parameter['schema'])}</code>{_text(parameter.get('description', ''))}</td></tr>"
        for parameter in operation["parameters"]
    )
    answers = "".join(
        f"<tr><td><code>{escape(status)}</code></td><td>{escape(found['description'])}</td></tr>"
        for status, found in operation["responses"].items()
    )
    body = f"<pre>{_json(operation['requestBody'])}</pre>" if "requestBody" in operation else ""
    return (
        f'<details><summary><span class="method">{escape(method.upper())}</span> <code>{escape(path)}</code> '
        f"{escape(operation['summary'])}</summary>{_text(operation.get('description', ''))}"
        f"<table>{parameters}</table>{body}<table>{answers}</table></details>"
    )


def _schema(name: str, schema: Any) -> str:
    return f"<details><summary><code>{escape(name)}</code></summary><pre>{_json(schema)}</pre></details>"


def _text(markdown: str) -> str:
    """Paragraphs with their `words of code`; tables of the description stay tables of text."""
    parts = [escape(part) for part in markdown.split("\n\n") if part]
    return "".join(
        f"<pre>{part}</pre>" if part.startswith("|") else f"<p>{_CODE.sub(_IN_CODE, part)}</p>" for part in parts
    )


def _json(value: Any) -> str:
    return escape(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
