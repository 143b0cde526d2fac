"""The interval of updates: as long as the way stays open, found by halves, never longer than the lifetime allows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.lwm2m.keep_alive import PROBE_AFTER, SHORTEST_MS, KeepAlive
from tests.firmware.lwm2m.street import Street

BASE_MS = 150_000


class Nat:
    """A way that closes after `open_ms` without traffic, and then comes out elsewhere."""

    def __init__(self, open_ms: int) -> None:
        self.open_ms = open_ms
        self.port = 0
        self.now_ms = 0
        self.keep_alive = KeepAlive()
        self.update(0)

    def update(self, quiet_ms: int) -> bool:
        """Let `quiet_ms` pass, then update; returns whether the way had stayed open."""
        self.now_ms += quiet_ms
        was_open = quiet_ms <= self.open_ms
        self.port += not was_open
        seen = self.keep_alive.quiet_ms(self.now_ms)
        self.keep_alive.heard(self.now_ms)
        self.keep_alive.told(b"%d" % self.port, seen)
        return was_open

    def live(self, updates: int) -> list[bool]:
        return [self.update(self.keep_alive.interval_ms(BASE_MS)) for _ in range(updates)]


def test_a_way_that_stays_open_is_left_at_the_interval_of_the_lifetime() -> None:
    nat = Nat(10**9)
    assert all(nat.live(1000))
    assert nat.keep_alive.interval_ms(BASE_MS) == BASE_MS


@pytest.mark.parametrize("open_ms", [20_000, 40_000, 63_000, 120_000])
def test_the_longest_interval_that_holds_is_found_within_ten_updates_and_kept(open_ms: int) -> None:
    nat = Nat(open_ms)
    nat.live(10)
    assert all(nat.live(PROBE_AFTER // 2))
    assert open_ms * 0.7 <= nat.keep_alive.interval_ms(BASE_MS) <= open_ms


def test_after_many_updates_a_longer_interval_is_tried_and_a_better_network_is_found() -> None:
    nat = Nat(30_000)
    nat.live(10)
    assert nat.live(3 * PROBE_AFTER).count(False) <= 15
    nat.open_ms = 10**9
    assert all(nat.live(10 * PROBE_AFTER))
    assert nat.keep_alive.interval_ms(BASE_MS) == BASE_MS


def test_a_network_that_closes_sooner_than_it_did_is_followed() -> None:
    nat = Nat(120_000)
    nat.live(10)
    nat.open_ms = 25_000
    nat.live(10)
    assert all(nat.live(50))


def test_a_provider_that_renumbers_now_and_then_does_not_cost_the_interval() -> None:
    nat = Nat(10**9)
    nat.live(5)
    nat.port += 1
    assert nat.update(3000)
    assert nat.keep_alive.interval_ms(BASE_MS) < BASE_MS
    nat.live(8)
    assert nat.keep_alive.interval_ms(BASE_MS) == BASE_MS


def test_it_is_never_shorter_than_the_network_can_bear_nor_longer_than_the_lifetime_allows() -> None:
    nat = Nat(1000)
    nat.live(20)
    assert nat.keep_alive.interval_ms(BASE_MS) == SHORTEST_MS
    assert nat.keep_alive.interval_ms(4000) == 4000


def test_a_server_that_does_not_tell_changes_nothing() -> None:
    keep_alive = KeepAlive()
    for now_ms in range(0, 10**6, 10**5):
        quiet_ms = keep_alive.quiet_ms(now_ms)
        keep_alive.heard(now_ms)
        keep_alive.told(None, quiet_ms)
    assert keep_alive.interval_ms(BASE_MS) == BASE_MS


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", None]), st.integers(0, 10**6) | st.none()), max_size=60))
@settings(max_examples=200)
def test_whatever_is_told_the_interval_stays_in_its_bounds(told: list[tuple[bytes | None, int | None]]) -> None:
    keep_alive = KeepAlive()
    for seen, quiet_ms in told:
        keep_alive.told(seen, quiet_ms)
        assert SHORTEST_MS <= keep_alive.interval_ms(BASE_MS) <= BASE_MS


async def test_the_lamp_keeps_its_way_open_through_a_nat_that_forgets_after_40_seconds() -> None:
    street = Street()
    street.server.closes_after_ms = 40_000
    await street.run(1200)
    port = street.server.port
    assert port > 40_000, "it closed before the lamp had learnt"
    await street.run(1800)
    assert street.server.port == port
    # Half of the lifetime of 300 s without the need: 12 updates; here one each 35 s or so.
    assert 40 <= len(await street.run(1800)) <= 75


async def test_a_server_that_does_not_know_the_option_sees_the_lamp_as_often_as_before() -> None:
    street = Street()
    street.server.closes_after_ms = 40_000
    street.server.tells_port = False
    await street.run(600)
    assert (await street.run(1500)).count("POST rd/1") in range(9, 13)
