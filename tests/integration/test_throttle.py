"""Guessing is slowed down by account and by address, over processes and restarts, and locks no owner out."""

import asyncio
from ipaddress import ip_network

import pytest

from eventgate.access.signin.throttle import Place, Throttle, counters
from eventgate.clock import ManualClock
from eventgate.errors import CallerError
from tests.integration.http_service import http_service
from tests.integration.signing_in import Browser, code_of, person


@pytest.fixture
async def service(database_url, tmp_path):
    async with http_service(database_url, tmp_path, trusted_proxies=[ip_network("127.0.0.1")]) as running:
        yield running


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def throttle(pool, clock):
    return Throttle(pool, clock)


def at(account: str, remote: str, device: str = "", known: tuple[bytes, ...] = ()):
    return counters("sign-in", account, Place.of(remote, device), known)


async def wait_of(throttle: Throttle, counted) -> int:
    """Seconds that an attempt has to wait; 0: it was taken."""
    try:
        await throttle.take(counted)
    except CallerError as error:
        return int(error.headers["Retry-After"]) if error.code == "too-many-attempts" else -1
    return 0


async def test_an_account_is_tried_five_times_from_an_address_and_then_ever_more_slowly(throttle, clock):
    ours = at("ann", "192.0.2.1")
    assert [await wait_of(throttle, ours) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    waits = []
    for _ in range(12):
        waits.append(await wait_of(throttle, ours))
        clock.advance(waits[-1])
        assert await wait_of(throttle, ours) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert await wait_of(throttle, at("ben", "192.0.2.1")) == 0


async def test_a_refusal_says_when_to_come_again(throttle):
    for _ in range(5):
        await throttle.take(at("ann", "192.0.2.1"))
    with pytest.raises(CallerError) as caught:
        await throttle.take(at("ann", "192.0.2.1"))
    assert (caught.value.status, caught.value.members) == (429, {"retryAfter": 1})
    assert caught.value.headers == {
        "Retry-After": "1", "RateLimit-Policy": '"attempts";q=1;w=1', "RateLimit": '"attempts";r=0;t=1'
    }  # fmt: skip


async def test_what_is_refused_does_not_count(throttle, clock):
    ours = at("ann", "192.0.2.1")
    for _ in range(50):
        await wait_of(throttle, ours)
    clock.advance(1)
    assert await wait_of(throttle, ours) == 0


async def test_an_address_is_slowed_down_over_all_accounts(throttle):
    waits = [await wait_of(throttle, at(f"user{number}", "192.0.2.1")) for number in range(31)]
    assert waits == [0] * 30 + [1]
    assert await wait_of(throttle, at("user", "192.0.2.2")) == 0


async def test_a_network_of_ipv6_is_one_address(throttle):
    waits = [await wait_of(throttle, at("ann", f"2001:db8::{number:x}")) for number in range(1, 7)]
    assert waits == [0] * 5 + [1]
    assert await wait_of(throttle, at("ann", "2001:db8:0:1::1")) == 0
    assert at("ann", "::ffff:192.0.2.1") == at("ann", "192.0.2.1")


async def test_many_addresses_do_not_multiply_the_guesses_and_the_owner_still_gets_in(throttle, clock):
    for number in range(200):
        await wait_of(throttle, at("ann", f"198.51.{number}.1"))
    assert await wait_of(throttle, at("ann", "203.0.113.1")) > 0
    device, home = Place.of("203.0.113.1", "mark"), Place.of("192.0.2.1")
    assert await wait_of(throttle, at("ann", "203.0.113.1", "mark", (device.device,))) == 0
    assert await wait_of(throttle, at("ann", "192.0.2.1", known=(home.address,))) == 0


async def test_a_storm_at_once_gets_no_more_than_its_turn(throttle):
    waits = await asyncio.gather(*(wait_of(throttle, at("ann", "192.0.2.1")) for _ in range(40)))
    assert waits.count(0) == 5


async def test_storms_that_cross_do_not_deadlock(throttle):
    async def right(number: int) -> None:
        counted = at(f"user{number % 3}", f"192.0.2.{number % 5}")
        await wait_of(throttle, counted)
        await throttle.forgive(counted)

    await asyncio.gather(*(right(number) for number in range(120)))


async def test_it_is_kept_over_a_restart_and_counted_for_all_processes(throttle, pool, clock):
    for _ in range(5):
        await throttle.take(at("ann", "192.0.2.1"))
    assert await wait_of(Throttle(pool, clock), at("ann", "192.0.2.1")) == 1


async def test_a_right_attempt_clears_its_place_and_not_what_strangers_share(throttle, pool):
    for _ in range(4):
        await throttle.take(at("ann", "192.0.2.1"))
    await throttle.forgive(at("ann", "192.0.2.1"))
    assert sorted(await pool.fetch("SELECT attempts FROM throttle")) == [(3,), (3,)]


async def test_what_is_old_is_forgotten(throttle, pool, clock):
    await throttle.take(at("ann", "192.0.2.1"))
    await throttle.forget()
    assert await pool.fetchval("SELECT count(*) FROM throttle") == 3
    clock.advance(86_401)
    await throttle.forget()
    assert await pool.fetchval("SELECT count(*) FROM throttle") == 0


async def test_a_stranger_who_hammers_is_slowed_down_alike_for_a_login_that_does_not_exist(service):
    await person(service, "ann")
    for login in ("ann", "nobody"):
        stranger = Browser(service, address=f"203.0.113.{len(login)}")
        found = [code_of(await stranger.sign_in(login, "wrong")) for _ in range(6)]
        assert found == [(401, "sign-in-failed")] * 5 + [(429, "too-many-attempts")]
        assert stranger.headers["Retry-After"] == "1"


async def test_an_owner_gets_in_on_a_known_device_while_strangers_hammer(service):
    await person(service, "ann")
    owner = Browser(service)
    assert (await owner.sign_in())[0] == 201
    for number in range(40):  # some of them behind the owner's own address
        await Browser(service, address=f"192.0.2.{number % 6}").sign_in("ann", "wrong")
    stranger = Browser(service, address="203.0.113.77")
    assert code_of(await stranger.sign_in()) == (429, "too-many-attempts")
    assert (await owner.sign_in())[0] == 201
    marked = Browser(service, address="203.0.113.78", cookies=dict(owner.cookies))
    assert (await marked.sign_in())[0] == 201
    assert marked.cookies["__Host-eventgate-device"] == owner.cookies["__Host-eventgate-device"]


async def test_a_known_address_does_without_the_device(service):
    await person(service, "ann")
    owner = Browser(service)
    assert (await owner.sign_in())[0] == 201
    for number in range(30):
        await Browser(service, address=f"198.51.100.{number}").sign_in("ann", "wrong")
    owner.forget_device()
    assert (await owner.sign_in())[0] == 201
