"""Query strings: read once, all mistakes told at once."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventgate.api.filters import FILTER
from eventgate.api.paging import LIST_PARAMETERS
from eventgate.api.parameters import read_query
from eventgate.errors import CallerError

PARAMETERS = (FILTER, *LIST_PARAMETERS)


@pytest.mark.parametrize("dot", ["·", "%C2%B7", "%c2%b7", "%B7", "%b7"])
def test_a_middle_dot_comes_in_many_ways(dot):
    assert read_query(f"filter=severity{dot}is{dot}5", PARAMETERS) == {"filter": ["severity·is·5"]}


def test_values_are_form_encoded():
    assert read_query("filter=message·is·%22a+b%2Bc%26%22&limit=5", PARAMETERS) == {
        "filter": ['message·is·"a b+c&"'],
        "limit": 5,
    }


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("limit=x&offset=-1", ["limit", "offset"]),
        ("limit=1&limit=1", ["limit"]),
        (f"limit={10**30}", ["limit"]),
        ("limit=٣", ["limit"]),
        ("startingAfter={0199c1f0-0000-7000-8000-000000000000}", ["startingAfter"]),
        ("startingAfter=0199c1f0000070008000000000000000", ["startingAfter"]),
        ("colour=blue&total=exactly", ["colour", "total"]),
        ("filter=%ff", ["filter"]),
    ],
)
def test_every_mistake_is_told(query, pointers):
    with pytest.raises(CallerError) as caught:
        read_query(query, PARAMETERS)
    assert caught.value.status == 400
    assert [error.pointer for error in caught.value.errors] == pointers


@given(st.text())
def test_any_text_is_read_or_refused(query):
    with suppress(CallerError):
        read_query(query, PARAMETERS)
