"""Pages of a real table: what each holds, and that its neighbours lead through the whole list and back."""

from uuid import UUID

import pytest

from eventgate.db.pages import fetch_page
from eventgate.query.paging import PageRequest

ROWS = "numbers WHERE kind = $1"


@pytest.fixture
async def table(pool):
    await pool.execute("CREATE TABLE numbers (id uuid, kind text)")
    await pool.executemany(
        "INSERT INTO numbers VALUES ($1, $2)", [(UUID(int=n), "odd" if n % 2 else "even") for n in range(1, 16)]
    )
    return pool


async def _page(table, **asked):
    return await fetch_page(table, "id", ROWS, ("odd",), PageRequest(**asked))


def _numbers(page):
    return [row["id"].int for row in page.items]


async def test_next_and_previous_lead_through_everything_and_back(table):
    page = await _page(table, limit=3)
    forward = [_numbers(page)]
    assert page.previous is None
    while page.next is not None:
        page = await _page(table, limit=3, after=page.next.after)
        forward.append(_numbers(page))
    assert forward == [[15, 13, 11], [9, 7, 5], [3, 1]]
    back = []
    while page.previous is not None:
        page = await _page(table, limit=3, before=page.previous.before)
        back.append(_numbers(page))
    assert back == [[9, 7, 5], [15, 13, 11]]


async def test_an_offset_and_an_id_that_is_not_there(table):
    page = await _page(table, limit=2, offset=1)
    assert (_numbers(page), page.total) == ([13, 11], 8)
    assert (page.next.after.int, page.previous.before.int) == (11, 13)
    assert _numbers(await _page(table, limit=2, after=UUID(int=8))) == [7, 5]


async def test_a_page_of_nothing_has_no_neighbours(table):
    page = await _page(table, after=UUID(int=0))
    assert (page.items, page.next, page.previous, page.total) == ([], None, None, 8)
