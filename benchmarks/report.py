"""How a benchmark says its result: one row, our figure beside what it is measured against, their ratio and the aim.

A benchmark calls ``row(…)`` as it goes and prints at once; ``python -m benchmarks.report`` runs them all, one after
the other, and prints the rows of all as one table.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

_RESULTS = "EVENTGATE_BENCHMARK_ROWS"
_NOT_IN_TURN = {"report", "search"}  # search needs a corpus of its own: make bench-search


@dataclass(frozen=True)
class Row:
    """``ours`` and ``against`` carry their units; ``ratio`` is None where the two figures make none."""

    what: str
    ours: str
    against: str
    ratio: float | None
    aim: str


def row(what: str, ours: str, against: str, ratio: float | None, aim: str) -> None:
    """Print a result, and keep it for the table."""
    result = Row(what, ours, against, ratio, aim)
    _print([result])
    if path := os.environ.get(_RESULTS):
        with Path(path).open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")


def _print(rows: list[Row]) -> None:
    for each in rows:
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        print(f"| {each.what} | {each.ours} | {each.against} | {ratio} | {each.aim} |", flush=True)


def main() -> int:
    """Run every benchmark in turn; the exit status says whether all of them ran to their end."""
    failed = []
    with tempfile.TemporaryDirectory() as directory:
        results = Path(directory) / "rows"
        for script in sorted(Path(__file__).parent.glob("*.py")):
            if script.stem in _NOT_IN_TURN or "__main__" not in script.read_text():
                continue
            print(f"\n== {script.stem}", flush=True)
            environment = {**os.environ, _RESULTS: str(results)}
            command = [sys.executable, "-m", f"benchmarks.{script.stem}"]
            if subprocess.run(command, env=environment, check=False).returncode != 0:
                failed.append(script.stem)
        lines = results.read_text().splitlines() if results.exists() else []
    print("\n| what | EventGate | against | ratio | aim |\n|---|---|---|---|---|")
    _print([Row(**json.loads(line)) for line in lines])
    if failed:
        print(f"\ndid not finish: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
