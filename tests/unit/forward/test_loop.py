"""The delivery loop beside the road of success: retries, splitting, states, stopping."""

import asyncio

from eventgate.errors import Gone
from eventgate.forward.inbox import Inbox
from eventgate.forward.transports import CursorLost, Delivery, Limits, Window
from eventgate.journal.cursors import Cursor, Standing, Totals
from eventgate.sinks.definition import State
from tests.unit.forward.world import World, batches

_DISCONNECT, _DEFER = 1, 2


async def test_everything_goes_out_in_windows_and_the_cursor_follows() -> None:
    world = World(batches(10), limits=Limits(4, 1 << 20))
    await world.run()
    assert [size for size in world.windows if size] == [4, 4, 2]
    assert world.saved == Standing(Cursor(1, 9), Totals(delivered=10), 0)
    assert world.states == [(State.RUNNING, None)]


async def test_a_lost_connection_is_opened_again_and_nothing_is_skipped() -> None:
    world = World(batches(4), script=[0, _DISCONNECT, _DISCONNECT])
    await world.run()
    assert world.states == [
        (State.RUNNING, None),
        (State.RETRYING, "lost before"),
        (State.RETRYING, "refused the connection"),
        (State.RUNNING, None),
    ]
    assert set(world.delivered.values()) == {1}


async def test_a_receiver_that_asks_for_patience_gets_the_same_events_again() -> None:
    world = World(batches(4), script=[0, _DEFER])
    await world.run()
    assert world.windows == [4, 4]
    assert (State.RETRYING, "busy") in world.states


async def test_one_bad_event_among_many_is_found_by_halves_and_alone_becomes_a_dead_letter() -> None:
    world = World(batches(64), poison=[37], names_poison=False, limits=Limits(64, 1 << 20))
    await world.run()
    assert world.letters == {Cursor(1, 37): "one of these is unbearable"}
    assert world.saved.totals == Totals(delivered=63, dead=1)
    assert set(world.delivered.values()) == {1}
    assert len(world.windows) <= 14


async def test_what_was_given_up_by_a_process_that_died_stays_a_dead_letter_and_is_not_delivered() -> None:
    class Mended(World):
        async def process(self, inbox: Inbox | None = None) -> None:
            if self.kills:
                self.poison = set()
            await super().process(inbox)

    world = Mended(batches(4), script=[0, 0, 5], poison={1})
    await world.run()
    assert world.kills == 1, "after the dead letter, before the cursor"
    assert world.saved.totals == Totals(delivered=3, dead=1)
    assert world.letters == {Cursor(1, 1): "unbearable"}
    assert world.delivered[Cursor(1, 1)] == 0


async def test_a_silent_receiver_does_not_keep_the_loop_from_stopping(monkeypatch: object) -> None:
    class Silent(World):
        async def deliver(self, window: Window) -> Delivery:
            inbox.stop()
            await asyncio.Event().wait()
            raise AssertionError

    inbox = Inbox()
    world = Silent(batches(4))
    monkeypatch.setattr("eventgate.forward.inbox._GRACE", 0)
    await asyncio.wait_for(world.process(inbox), 5)
    assert world.saved.cursor == Cursor(0, 0)
    assert (State.RETRYING, "interrupted while the receiver was silent") in world.states


async def test_a_paused_sink_rests_until_it_is_resumed() -> None:
    inbox = Inbox(resting=State.PAUSED)
    world = World(batches(4))
    running = asyncio.create_task(world.process(inbox))
    while not world.states:
        await asyncio.sleep(0)
    assert world.states == [(State.PAUSED, None)]
    assert world.windows == []
    inbox.rest(None)
    await running
    assert world.saved.totals == Totals(delivered=4)


async def test_a_receiver_that_wants_nothing_more_is_left_alone_until_the_sink_is_resumed() -> None:
    class Unsubscribed(World):
        async def deliver(self, window: Window) -> Delivery:
            if (State.DISABLED, "unsubscribed") not in self.states:
                return Delivery(0, (), Gone("unsubscribed"))
            return await super().deliver(window)

    inbox = Inbox()
    world = Unsubscribed(batches(4))
    running = asyncio.create_task(world.process(inbox))
    while (State.DISABLED, "unsubscribed") not in world.states:
        await asyncio.sleep(0)
    for _ in range(50):
        await asyncio.sleep(0)
    assert world.windows == []
    inbox.rest(None)
    await running
    assert world.saved.totals == Totals(delivered=4)


async def test_a_lost_cursor_is_said_and_nothing_is_delivered() -> None:
    class Forgetful(World):
        async def open(self, kept: Standing) -> Standing:
            raise CursorLost("the topic is another one")

    inbox = Inbox()
    world = Forgetful(batches(4))
    running = asyncio.create_task(world.process(inbox))
    while not world.states:
        await asyncio.sleep(0)
    inbox.stop()
    await running
    assert world.states == [(State.CURSOR_LOST, "the topic is another one")]
    assert world.windows == []


async def test_a_receiver_that_is_never_reached_does_not_keep_the_loop_from_stopping(monkeypatch: object) -> None:
    class Unreachable(World):
        async def open(self, kept: Standing) -> Standing:
            inbox.stop()
            await asyncio.Event().wait()
            raise AssertionError

    inbox = Inbox()
    world = Unreachable(batches(4))
    monkeypatch.setattr("eventgate.forward.inbox._GRACE", 0)
    await asyncio.wait_for(world.process(inbox), 5)
    assert world.states == [(State.RETRYING, "interrupted while connecting")]


class Watched(World):
    """Notes how many windows are with the receiver when one comes; each stays for some turns of the event loop."""

    at_once: tuple[int, ...] = ()
    _now = 0

    async def deliver(self, window: Window) -> Delivery:
        self._now += 1
        self.at_once += (self._now,)
        try:
            for _ in range(50):
                await asyncio.sleep(0)
            return await super().deliver(window)
        finally:
            self._now -= 1


async def test_a_transport_that_likes_several_windows_has_them_at_once() -> None:
    world = Watched(batches(20), limits=Limits(4, 1 << 20, windows=2))
    await world.run()
    assert world.at_once[:2] == (1, 2)
    assert max(world.at_once) == 2
    assert world.saved == Standing(Cursor(1, 19), Totals(delivered=20), 0)
    assert set(world.delivered.values()) == {1}


async def test_what_was_on_its_way_behind_a_failed_window_goes_again_and_one_window_goes_alone() -> None:
    world = Watched(batches(20), script=[0, _DISCONNECT], limits=Limits(4, 1 << 20, windows=2))
    await world.run()
    assert world.at_once[:4] == (1, 2, 1, 1)
    assert world.saved == Standing(Cursor(1, 19), Totals(delivered=20), 0)
    assert set(world.delivered) == {Cursor(1, index) for index in range(20)}


async def test_what_somebody_wants_is_seen_to_once_no_window_is_on_its_way() -> None:
    inbox = Inbox()

    class Asked(Watched):
        async def deliver(self, window: Window) -> Delivery:
            if not self.at_once:
                inbox.rest(State.PAUSED)
            return await super().deliver(window)

        async def _say(self, state: State, error: str | None = None, *, pause: float | None = None) -> None:
            assert state is not State.PAUSED or self._now == 0
            await super()._say(state, error, pause=pause)
            if state is State.PAUSED:
                inbox.rest(None)

    world = Asked(batches(20), limits=Limits(4, 1 << 20, windows=3))
    await world.process(inbox)
    assert world.states == [(State.RUNNING, None), (State.PAUSED, None), (State.RUNNING, None)]
    assert set(world.delivered.values()) == {1}
