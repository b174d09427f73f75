"""docs/status-codes.md lists every code that a caller can meet, and none that does not exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "eventgate"
ROOMS = ("access", "alerts", "api", "db", "ingest", "journal", "query", "signing")
PLACES = {
    "CallerError": 1,
    "CallerError.of_field": 1,
    "FieldError": 1,
    "problem": 1,
    "Unavailable": 0,
    "unauthenticated": 0,
    "_Odd": 0,
}
"""Where in the arguments of what the code stands."""

# What a ConfigurationError points out is told at the terminal, in words.
CONFIGURATION = {"unusable", "version", "too-old", "pooled", "unsafe", "socket", "missing"}


def _raised() -> Iterator[str]:
    for room in ROOMS:
        for path in (SOURCE / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                place = PLACES.get(ast.unparse(node.func), len(node.args))
                if place < len(node.args) and isinstance(argument := node.args[place], ast.Constant):
                    yield argument.value


def _documented() -> set[str]:
    text = (ROOT / "docs" / "status-codes.md").read_text()
    rows = re.findall(r"^\| (?:\d{3} \| )?((?:`[a-z0-9-]+`(?:, )?)+)", text, re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([a-z0-9-]+)`", row)}


def test_every_code_is_documented() -> None:
    raised = set(_raised())
    assert len(raised) > 50
    assert sorted(raised - _documented() - CONFIGURATION) == []


def test_no_code_is_documented_that_nothing_says() -> None:
    source = "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))
    assert sorted(code for code in _documented() if f'"{code}"' not in source) == []
