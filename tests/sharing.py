"""Which tests share a process where they run in more than one: those of a file, and all that need the slow services.

Touches the order and the marks of collected tests. A Kafka or an OpenSearch costs seconds and hundreds of megabytes to
start, so that one process runs everything that needs them.
"""

from collections.abc import Collection

import pytest

_SLOW = {"kafka", "opensearch"}
_TOGETHER = "services"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that all processes end at about the same time."""
    together = {item.path for item in items if _needs(item, _SLOW) or item.get_closest_marker("xdist_group")}
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(_TOGETHER if item.path in together else item.path.stem))
    programs = {item.path for item in items if _needs(item, {"serving"}) or hasattr(_module(item), "Serving")}
    items.sort(key=lambda item: (item.path not in together, item.path not in programs))


def _needs(item: pytest.Item, fixtures: Collection[str]) -> bool:
    return not set(getattr(item, "fixturenames", ())).isdisjoint(fixtures)


def _module(item: pytest.Item) -> object:
    found = item.getparent(pytest.Module)
    return None if found is None else found.obj
