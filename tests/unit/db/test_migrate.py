"""The order and the names of migration files."""

from pathlib import Path

import pytest

from eventgate.db.migrate import migrations


def test_files_come_in_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("0010_later.sql", "0002_sooner.sql"):
        (tmp_path / name).write_text("SELECT 1")
    assert [(each.number, each.name) for each in migrations(tmp_path)] == [(2, "sooner"), (10, "later")]


def test_a_file_that_is_misnamed_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "2_short.sql").write_text("SELECT 1")
    with pytest.raises(AssertionError, match="2_short"):
        migrations(tmp_path)


def test_our_own_are_numbered_without_gaps() -> None:
    numbers = [each.number for each in migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
