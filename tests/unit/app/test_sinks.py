"""The configured sinks, checked as a whole: what is right alone can be wrong beside another."""

from pathlib import Path

import pytest

from eventgate.app.sinks import plans
from eventgate.config import Configuration
from eventgate.errors import ConfigurationError


def files(**paths: Path) -> Configuration:
    sinks = [{"name": name, "transport": "file", "path": str(path)} for name, path in paths.items()]
    return Configuration.model_validate({"sinks": sinks})


def test_two_sinks_cannot_write_one_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plans(files(one=tmp_path / "out", two=tmp_path / "x" / ".." / "out"), "gate.toml")
    (problem,) = caught.value.problems
    assert problem.pointer == "sinks.two.path"
    assert problem.detail == f"sink one writes {tmp_path / 'out'} already"


def test_each_its_own_file_is_right(tmp_path: Path) -> None:
    assert [each.name for each in plans(files(one=tmp_path / "1", two=tmp_path / "2"))] == ["one", "two"]
