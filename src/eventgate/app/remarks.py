"""What is allowed in a configuration of sinks but hardly meant: said where it is checked, logged where it is taken.

Touches the log; the table of companies by the access room.
"""

from collections.abc import Sequence

import asyncpg
import structlog

from eventgate.access.companies import unknown_companies
from eventgate.errors import Unavailable
from eventgate.forward.plan import Plan

_log = structlog.get_logger()


def remarks(sinks: Sequence[Plan]) -> list[str]:
    """What the files alone tell, each with its key."""
    return [remark for sink in sinks for remark in sink.remarks]


def log_remarks(told: Sequence[str]) -> None:
    for remark in told:
        _log.warning("configuration may not be what is meant", remark=remark)


async def log_unknown_companies(pool: asyncpg.Pool, sinks: Sequence[Plan]) -> None:
    """Name the sinks that will never see an event. A database that is away is no reason to wait."""
    wanted = {sink.company for sink in sinks if sink.company is not None}
    try:
        unknown = await unknown_companies(pool, wanted) if wanted else frozenset()
    except Unavailable:
        return
    log_remarks(
        [
            f"sinks.{sink.name}.company: no company has the id {sink.company}; the sink sees no event"
            for sink in sinks
            if sink.company in unknown
        ]
    )
