"""Promise 3: a cursor never passes an event that was neither delivered, filtered, expired nor dead-lettered.

Whatever fails, in whatever order, whoever is killed at whatever step, and whenever somebody wants what was delivered
once more. The world checks it at every save, in both lanes.
"""

import asyncio
from collections.abc import Iterable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from eventgate.forward.transports import Limits
from eventgate.journal.cursors import Cursor
from eventgate.sinks.definition import State
from tests.unit.forward.world import World, batches

_SIZES = st.lists(st.integers(1, 9), min_size=1, max_size=6)
_SCRIPT = st.lists(st.integers(0, 6), max_size=60)
_SELDOM = st.lists(st.sampled_from([*[0] * 12, 1, 2, 3, 4, 4, 5, 6]), min_size=30, max_size=80)
"""Failures far enough apart that there is something to deliver again."""
_REWINDS = st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5, 6]), min_size=5, max_size=40)
_POISON = st.sets(st.integers(0, 40), max_size=5)
_WINDOWS = st.integers(1, 3)
"""On their way at once."""


def _world_after(
    sizes: list[int], script: list[int], poison: set[int], rewinds: Iterable[int] = (), windows: int = 1, **how: bool
) -> World:
    world = World(
        batches(*sizes, severities=[n % 5 for n in range(sum(sizes))]),
        script=script,
        poison=poison,
        rewinds=rewinds,
        limits=Limits(4, 1 << 20, windows=windows),
        wants=lambda event: event.severity != 3,
        **how,
    )
    asyncio.run(world.run())
    return world


def _fates(world: World) -> dict[Cursor, bool]:
    """Every event's place, and whether the sink wanted it."""
    return {place: world.wants(event) for batch in world.stored for place, event in batch.placed()}


@settings(deadline=None, max_examples=300)
@given(_SIZES, _SCRIPT, _POISON, st.booleans(), _WINDOWS)
@example([4], [0, 0, 5], {1}, True, 1)  # killed after the dead letter, before the cursor
@example([4], [0, 0, 0, 5], {1}, True, 1)  # killed after the cursor
@example([9, 9], [0, 4, 0, 0, 0, 3], {2}, False, 1)
@example([9, 9], [0, 6], {2, 5}, True, 3)  # half of a window is taken, and all of those after it
def test_at_least_once_and_nothing_in_silence(
    sizes: list[int], script: list[int], poison: set[int], named: bool, windows: int
) -> None:
    world = _world_after(sizes, script, poison, windows=windows, names_poison=named)
    fates = _fates(world)
    assert world.saved.cursor == Cursor(len(sizes), sizes[-1] - 1)
    for place, wanted in fates.items():
        assert (world.delivered[place] > 0) + (place in world.letters) == wanted
    totals = world.saved.totals
    assert totals.dead == len(world.letters)
    assert totals.filtered == sum(not wanted for wanted in fates.values())
    assert totals.delivered == len(+world.delivered)


@settings(deadline=None, max_examples=300)
@given(_SIZES, _SCRIPT, _POISON)
def test_a_receiver_that_keeps_the_progress_has_each_event_exactly_once(
    sizes: list[int], script: list[int], poison: set[int]
) -> None:
    world = _world_after(sizes, script, poison, keeps_progress=True)
    fates = _fates(world)
    for place, wanted in fates.items():
        assert world.delivered[place] + (place in world.letters) == wanted
    assert world.saved.totals.delivered == world.delivered.total()
    assert world.saved.totals.dead == len(world.letters)
    assert world.saved.cursor == Cursor(len(sizes), sizes[-1] - 1)


def _replay_is_whole(world: World) -> None:
    """The last generation delivered its range; the ones before as far as they came."""
    saved = world.saved
    if saved.replay is None:
        return
    assert saved.replay.done
    opening, delivered = world.openings[saved.generation], world.replayed[saved.generation]
    letters = world.replay_letters[saved.generation]
    for place, wanted in _fates(world).items():
        reached = opening.begins < place <= saved.replay.until
        assert (delivered[place] > 0) + (place in letters) == (wanted and reached)
    assert sum(saved.replay.totals) == opening.events
    assert saved.replay.totals.delivered == len(+delivered)
    assert saved.replay.totals.dead == len(letters)


@settings(deadline=None, max_examples=300)
@given(_SIZES, st.one_of(_SELDOM, _SCRIPT), _POISON, _REWINDS, st.tuples(st.booleans(), _WINDOWS))
@example([9, 9], [0, 0, 0, 0, 0, 0, 5], {1}, [0, 0, 0, 1], (True, 1))
def test_a_rewind_at_any_moment_repeats_its_range_and_disturbs_nothing(
    sizes: list[int], script: list[int], poison: set[int], rewinds: list[int], receiver: tuple[bool, int]
) -> None:
    named, windows = receiver
    world = _world_after(sizes, script, poison, rewinds, windows, names_poison=named)
    for place, wanted in _fates(world).items():
        assert (world.delivered[place] > 0) + (place in world.letters) == wanted
    assert world.saved.totals.delivered == len(+world.delivered)
    assert world.saved.cursor == Cursor(len(sizes), sizes[-1] - 1)
    _replay_is_whole(world)


@settings(deadline=None, max_examples=300)
@given(_SIZES, st.one_of(_SELDOM, _SCRIPT), _POISON, _REWINDS)
@example([9, 9], [0, 0, 0, 4], set(), [0, 0, 1])  # asked for while a window's fate is unknown
def test_each_event_exactly_once_in_each_generation_where_the_receiver_keeps_the_progress(
    sizes: list[int], script: list[int], poison: set[int], rewinds: list[int]
) -> None:
    world = _world_after(sizes, script, poison, rewinds, keeps_progress=True)
    for place, wanted in _fates(world).items():
        assert world.delivered[place] + (place in world.letters) == wanted
    assert all(count == 1 for delivered in world.replayed.values() for count in (+delivered).values())
    _replay_is_whole(world)


_PLACES = st.lists(st.sampled_from(["here", "there", None]), min_size=2, max_size=30)
_RESTLESS = st.lists(st.sampled_from([0, 0, 0, 0, 99, 99, 1, 2, 4]), min_size=5, max_size=60)


@settings(deadline=None, max_examples=500)
@given(_SIZES, st.one_of(_SELDOM, _SCRIPT), _POISON, _RESTLESS, _PLACES)
@example(  # a letter counted at one place alone, when the sink is killed, moves away and comes back
    [6], [*[0] * 14, 5, *[0] * 10, 2, 2, 0, 0, 0, 2], {1}, [0, 0, 0, 0, 99, 99],
    ["here", "there", "here", "there", "here", "here", "there"],
)  # fmt: skip
def test_a_sink_that_moves_between_places_passes_nothing_and_doubles_nothing_where_the_progress_is_kept(
    sizes: list[int], script: list[int], poison: set[int], rewinds: list[int], places: list[str | None]
) -> None:
    world = _world_after(sizes, script, poison, rewinds, keeps_progress=True, moves=places)
    for place, wanted in _fates(world).items():
        assert (world.delivered[place] > 0) + (place in world.letters) >= wanted
    for kept in ("here", "there"):
        assert all(count == 1 for count in world.there[kept].values()), kept
    assert not any(state is State.CURSOR_LOST for state, _ in world.states)
    assert world.saved.cursor == Cursor(len(sizes), sizes[-1] - 1)
    assert sum(world.saved.totals) == sum(sizes), "the ledger balances wherever it was"
    if (replay := world.saved.replay) is not None:
        assert sum(replay.totals) == world.openings[world.saved.generation].events
