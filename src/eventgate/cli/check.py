"""``eventgate check``: validate a configuration without starting."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from eventgate.cli.serve import Config

if TYPE_CHECKING:
    from eventgate.app.sinks import Finding

Connect = Annotated[bool, typer.Option("--connect", help="Reach every sink as well, without disturbing it.")]


def check(config: Config = None, connect: Connect = False) -> None:
    """Say whether a configuration is right, and if not: file, key, and what was expected."""
    import asyncio

    from eventgate.app.remarks import remarks
    from eventgate.app.sinks import check_sinks
    from eventgate.app.whole import load_checked

    _, sinks = load_checked(config)
    findings = asyncio.run(check_sinks(sinks, connect=connect))
    for finding in findings:
        print(f"{finding.name}: {finding.transport}, {finding.guarantee}{_answer(finding, asked=connect)}")
    unreachable = [finding.name for finding in findings if finding.fault]
    if unreachable:
        print(f"The configuration is right, but cannot reach: {', '.join(unreachable)}", file=sys.stderr)
    else:
        print("The configuration is right.", flush=True)
    for remark in remarks(sinks):
        print(f"Remark: {remark}", file=sys.stderr)
    if unreachable:
        raise typer.Exit(1)


def _answer(finding: "Finding", *, asked: bool) -> str:
    if finding.fault:
        return f": {finding.fault}"
    if not asked:
        return ""
    return ", has an address; UDP does not say whether anybody listens" if finding.transport == "udp" else ", answers"
