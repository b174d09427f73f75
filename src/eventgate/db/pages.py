"""One page of a table's rows, newest id first, with what its neighbours are.

Touches PostgreSQL. Which table and which rows is the text of the room that owns them.
"""

from typing import Any

import asyncpg

from eventgate.db.pool import Row, translated
from eventgate.query.paging import Neighbour, Page, PageRequest


async def fetch_page(
    connection: asyncpg.Connection | asyncpg.Pool,
    columns: str,
    rows: str,
    arguments: tuple[Any, ...],
    asked: PageRequest,
    *,
    by: str = "id",
) -> Page[Row]:
    """The rows of ``SELECT columns FROM rows``, whose ``arguments`` are numbered from $1, that ``asked`` names.

    ``rows`` ends in its WHERE; ``by`` is the column of the ids. The total is exact. Raises Unavailable.
    """
    place, order, values = len(arguments) + 1, "DESC", [*arguments]
    condition = ""
    if asked.after is not None:
        condition = f"AND {by} < ${place}"
        values.append(asked.after)
    elif asked.before is not None:
        condition, order = f"AND {by} > ${place}", "ASC"
        values.append(asked.before)
    limits = f"LIMIT {asked.limit:d} OFFSET {asked.offset:d}"
    # Put together of our own SQL (S608); every value in it is a numbered parameter.
    page = f"SELECT {columns} FROM {rows} {condition} ORDER BY {by} {order} {limits}"  # noqa: S608
    around = f"""
        SELECT count(*) AS total, coalesce(bool_or({by} > ${place}), false) AS newer,
               coalesce(bool_or({by} < ${place + 1}), false) AS older
        FROM {rows}"""  # noqa: S608 - as above
    with translated():
        found = await connection.fetch(page, *values)
        if order == "ASC":
            found.reverse()
        first, last = (found[0][by.rpartition(".")[2]], found[-1][by.rpartition(".")[2]]) if found else (None, None)
        counted = await connection.fetchrow(around, *arguments, first, last)
    return Page(
        items=found,
        total=counted["total"],
        total_is_exact=True,
        complete=True,
        next=Neighbour(after=last) if counted["older"] else None,
        previous=Neighbour(before=first) if counted["newer"] else None,
    )
