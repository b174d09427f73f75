"""The parent is killed around a reload: nothing is lost, the next start is clean, and its sinks are the file's."""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

from tests.e2e.whole import Sensor, delivered, get, stored_alerts
from tests.patience import PATIENCE
from tests.serving import Serving, alive

MOMENTS = (0.0, 0.03, 0.2, None)
"""Seconds between the two signals; None: once the outcome of the reload is written."""


def _file(name: str, path: Path) -> str:
    return f'[[sinks]]\nname = "{name}"\ntransport = "file"\npath = "{path}"\n'


def test_a_parent_killed_around_a_reload_starts_again_with_the_sinks_of_the_file(public_path: Path) -> None:
    config, out = public_path / "eventgate.toml", public_path / "out"
    out.mkdir()
    steady = _file("steady", out / "steady")
    with Serving(public_path, config=steady + _file("moving", out / "moving-0")) as serving:
        sensor = Sensor(serving, 1, pause=0.05)
        sensor.start()
        try:
            serving.wait_until(lambda: len(sensor.acknowledged) > 0)
            for number, moment in enumerate(MOMENTS, 1):
                # One moves, one comes; the one that came before goes.
                config.write_text(
                    steady + _file("moving", out / f"moving-{number}") + _file(f"late-{number}", out / f"late-{number}")
                )
                _reload_and_kill(serving, moment)
                serving.start()
                assert set(_sinks(serving)) == {"steady", "moving", f"late-{number}"}
                assert (serving.data / "running.json").exists()
                acknowledged = len(sensor.acknowledged)
                serving.wait_until(lambda before=acknowledged: len(sensor.acknowledged) > before)
        finally:
            sensor.done.set()
            sensor.join()
        assert sensor.failure is None
        serving.wait_until(lambda: delivered(serving))
        stored = set(stored_alerts(serving))
        assert set(sensor.acknowledged) <= stored
        moved = Counter(id_ for number in range(len(MOMENTS) + 1) for id_ in _ids(out / f"moving-{number}"))
        assert set(moved) == set(_ids(out / "steady")) == set(_ids(out / f"late-{len(MOMENTS)}")) == stored
        for sink in _sinks(serving).values():
            assert sink["balances"], sink
            assert sink["delivered"] == len(stored), "counted once, even where a kill had something written twice"
        assert "Traceback" not in serving.said()


def _reload_and_kill(serving: Serving, moment: float | None) -> None:
    """SIGHUP, and SIGKILL to the parent alone; its children go with it."""
    outcome, children = serving.data / "reload.json", serving.children()
    before = outcome.stat().st_mtime_ns if outcome.exists() else 0
    os.kill(serving.pid, signal.SIGHUP)
    if moment is None:
        serving.wait_until(lambda: outcome.exists() and outcome.stat().st_mtime_ns != before)
    else:
        time.sleep(moment)
    serving.stop(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while any(alive(pid) for pid in children.values()):
        assert time.monotonic() < deadline, "an orphan"
        time.sleep(0.02)


def _sinks(serving: Serving) -> dict[str, dict[str, object]]:
    return {sink["name"]: sink for sink in get(serving, "/v2/sinks")["data"]}


def _ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []
