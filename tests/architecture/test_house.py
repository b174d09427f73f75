"""The house keeps its own rules: small modules, a sentence at each door, names that say something."""

import ast
import re
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "eventgate"
MODULES = sorted(SOURCE.rglob("*.py"))
EMPTY_NAMES = {"manager", "helper", "helpers", "util", "utils", "common", "misc"}


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_is_at_most_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_module_opens_with_what_it_does(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_median_module_is_short() -> None:
    lengths = [len(path.read_text().splitlines()) for path in MODULES if path.name != "__init__.py"]
    assert statistics.median(lengths) <= 160


def test_no_name_that_says_nothing() -> None:
    assert [_name(path) for path in SOURCE.rglob("*") if path.stem in EMPTY_NAMES] == []


def test_every_metric_is_declared_in_telemetry() -> None:
    made_elsewhere = [
        _name(path)
        for path in MODULES
        if path.name != "telemetry.py"
        and re.search(r"^\s*\w+ = (Counter|Gauge|Histogram)\(", path.read_text(), re.MULTILINE)
    ]
    assert made_elsewhere == []


def test_every_declared_metric_is_used() -> None:
    declared = re.findall(
        r"^([A-Z_]+) = (?:Counter|Gauge|Histogram)\(", (SOURCE / "telemetry.py").read_text(), re.MULTILINE
    )
    used = "\n".join(path.read_text() for path in MODULES if path.name != "telemetry.py")
    assert declared
    assert [name for name in declared if not re.search(rf"\b{name}\b", used)] == []


def test_every_check_switched_off_says_why() -> None:
    """A ``noqa`` or ``type: ignore`` names its rule and stands beside a reason."""
    bare = [
        f"{_name(path)}:{number}: {line.strip()}"
        for path in MODULES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"#\s*(noqa(?!: [A-Z]+\d+)|type: ignore(?!\[))", line)
    ]
    assert bare == []
