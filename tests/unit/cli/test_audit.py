"""What a line of the audit log says in a table."""

from typing import Any

import pytest

from eventgate.cli.audit import changed


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, {"name": "a"}, ""),
        ({"name": "a"}, None, ""),
        ({"name": "a", "updatedAt": "1"}, {"name": "b", "updatedAt": "2"}, 'name: "a" → "b"'),
        ({"state": "running", "generation": 1}, {"position": 4, "replace": False}, "position: 4, replace: false"),
        ({"scopes": ["x"]}, {"scopes": ["x"], "edgeId": 7}, "edgeId: null → 7"),
    ],
)
def test_what_changed_is_said_member_by_member(
    before: dict[str, Any] | None, after: dict[str, Any] | None, said: str
) -> None:
    assert changed(before, after) == said
