"""A manual command always ends, waits for its start, and survives a restart until it has ended."""

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from contract import limits
from firmware.codec import cbor
from firmware.errors import OverrideError, StorageError
from firmware.override import RECORD, Override
from firmware.settings import Settings
from firmware.store import Store
from tests.firmware.flash import Flash

NOW_S = 1_800_000_000
NOW = NOW_S * 1000


class Bench:
    """A wall clock and an RTC that run together."""

    def __init__(self, flash: Flash | None = None) -> None:
        self.flash = flash or Flash()
        self.now: int | None = NOW
        self.rtc = 5000
        self.start()

    def start(self) -> None:
        store = Store("", files=self.flash)
        self.override = Override(Settings(store), store)

    def write(self, **changes: float) -> None:
        self.override.check(changes, self.now)
        self.override.write(changes, self.now, self.rtc)

    def wait(self, seconds: int) -> None:
        self.now = None if self.now is None else self.now + seconds * 1000
        self.rtc += seconds * 1000

    @property
    def active(self) -> bool:
        return self.override.is_active(self.now, self.rtc)

    @property
    def edge(self) -> int | None:
        return self.override.next_edge_ms(self.now, self.rtc)


def test_before_any_command_nothing_is_overridden() -> None:
    bench = Bench()
    assert not bench.active
    assert bench.edge is None
    assert bench.override.level is None


def test_a_command_without_an_end_lasts_for_the_default_duration() -> None:
    bench = Bench()
    bench.write(level=40)
    assert bench.active
    assert bench.override.end_s == NOW_S + 7200
    assert bench.edge == bench.rtc + 7200_000
    bench.wait(7199)
    assert bench.active
    bench.wait(1)
    assert not bench.active
    assert bench.edge is None
    assert bench.override.level == 40


def test_a_start_in_the_future_waits_and_the_default_duration_counts_from_it() -> None:
    bench = Bench()
    bench.write(level=0, start_s=NOW_S + 60)
    assert not bench.active
    assert bench.edge == bench.rtc + 60_000
    bench.wait(60)
    assert bench.active
    assert bench.override.end_s == NOW_S + 60 + 7200
    bench.wait(7200)
    assert not bench.active


def test_an_end_of_zero_clears_at_once() -> None:
    bench = Bench()
    bench.write(level=40, end_s=NOW_S + 100)
    bench.write(end_s=0)
    assert not bench.active
    assert bench.edge is None
    bench.override.keep()
    assert bench.flash.files == {}


def test_a_command_together_with_an_end_of_zero_is_a_clear() -> None:
    bench = Bench()
    bench.write(level=40, end_s=0)
    assert not bench.active


def test_an_end_written_alone_moves_the_end_of_what_runs() -> None:
    bench = Bench()
    bench.write(level=40)
    bench.write(end_s=NOW_S + 30)
    bench.wait(29)
    assert bench.active
    bench.wait(1)
    assert not bench.active


def test_an_end_in_the_past_written_alone_ends_the_override() -> None:
    bench = Bench()
    bench.write(level=40)
    bench.write(end_s=NOW_S - 5)
    assert not bench.active


def test_start_end_and_fade_written_before_the_command_belong_to_it() -> None:
    """The order of a controller that writes resource by resource."""
    bench = Bench()
    bench.write(start_s=NOW_S + 10)
    bench.write(end_s=NOW_S + 500)
    bench.write(fade_ms=3000)
    assert not bench.active
    bench.write(level=70)
    assert (bench.override.start_s, bench.override.end_s, bench.override.fade_ms) == (NOW_S + 10, NOW_S + 500, 3000)
    bench.wait(10)
    assert bench.active
    bench.write(level=60)
    assert (bench.override.start_s, bench.override.end_s) == (0, NOW_S + 10 + 7200)


def test_a_lone_end_that_has_passed_does_not_belong_to_the_next_command() -> None:
    bench = Bench()
    bench.write(end_s=NOW_S + 20)
    bench.wait(30)
    bench.write(level=50)
    assert bench.override.end_s == NOW_S + 30 + 7200


@pytest.mark.parametrize("fade_ms", [-1, -100000, float("nan")])
def test_a_fade_that_is_no_time_is_ignored(fade_ms: float) -> None:
    bench = Bench()
    bench.write(level=40, fade_ms=5000)
    bench.write(fade_ms=fade_ms)
    assert bench.override.fade_ms == 5000
    assert bench.active


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"level": 5, "end_s": NOW_S}, "ended already"),
        ({"level": 5, "end_s": NOW_S - 1000}, "ended already"),
        ({"level": 5, "start_s": NOW_S + 9, "end_s": NOW_S + 9}, "before it starts"),
        ({"level": 5, "start_s": NOW_S + 9, "end_s": NOW_S + 5}, "before it starts"),
        ({"level": 5, "end_s": NOW_S + limits.OVERRIDE_MAX_S + 1}, "30 days"),
        ({"start_s": NOW_S + 99999}, "before it starts"),
        ({"fade_ms": 3600001}, "3600 s"),
    ],
)
def test_a_senseless_command_is_refused_with_a_reason(changes: dict, reason: str) -> None:
    bench = Bench()
    bench.write(level=40)
    with pytest.raises(OverrideError, match=reason):
        bench.write(**changes)
    assert bench.active


def test_an_override_survives_a_restart_and_ends_in_time() -> None:
    bench = Bench()
    bench.write(level=15, end_s=NOW_S + 600, fade_ms=1000)
    bench.override.keep()
    bench.start()
    bench.wait(10)
    assert bench.active
    assert (bench.override.level, bench.override.fade_ms) == (15, 1000)
    assert bench.override.received_rtc_ms is None
    bench.now = None
    assert not bench.active, "after a restart nobody knows whether it has ended"
    assert bench.edge is None
    bench.now = NOW + 599_000
    assert bench.active
    bench.now = NOW + 600_000
    assert not bench.active


def test_without_a_clock_a_command_holds_for_its_length_by_the_rtc() -> None:
    bench = Bench()
    bench.now = None
    bench.write(level=30)
    assert bench.active
    assert bench.override.end_s is None
    assert bench.edge == bench.rtc + 7200_000
    bench.wait(7199)
    assert bench.active
    bench.wait(1)
    assert not bench.active


def test_without_a_clock_start_and_end_give_the_length() -> None:
    bench = Bench()
    bench.now = None
    bench.write(level=30, start_s=NOW_S, end_s=NOW_S + 90)
    bench.wait(89)
    assert bench.active
    bench.wait(1)
    assert not bench.active


def test_without_a_clock_a_start_and_no_end_get_the_default_duration() -> None:
    bench = Bench()
    bench.now = None
    bench.write(level=30, start_s=NOW_S)
    assert bench.override.end_s == NOW_S + 7200
    bench.wait(7199)
    assert bench.active


def test_a_clock_that_comes_later_gives_a_duration_its_end() -> None:
    bench = Bench()
    bench.now = None
    bench.write(level=30)
    bench.wait(200)
    bench.override.keep()
    assert bench.flash.files == {}
    bench.now = NOW
    assert bench.override.next_edge_ms(NOW, bench.rtc) == bench.rtc + 7000_000
    assert bench.active
    assert bench.override.end_s == NOW_S + 7000
    bench.override.keep()
    bench.start()
    assert bench.active


def test_a_clock_that_is_lost_leaves_the_command_in_force_until_its_end() -> None:
    bench = Bench()
    bench.write(level=30, start_s=NOW_S + 50, end_s=NOW_S + 100)
    bench.now = None
    assert not bench.active
    assert bench.edge == bench.rtc + 50_000
    bench.wait(50)
    assert bench.active
    assert bench.edge == bench.rtc + 50_000
    bench.wait(50)
    assert not bench.active


def test_the_light_comes_first_and_flash_that_fails_fails_once() -> None:
    bench = Bench()
    bench.write(level=30)
    bench.flash.refuse = True
    with pytest.raises(StorageError):
        bench.override.keep()
    bench.override.keep()
    assert bench.active


@pytest.mark.parametrize(
    "record", [b"\xff", cbor.encode(5), cbor.encode([1]), cbor.encode([101, 0, 5, 0]), cbor.encode(["a", 0, 5, 0])]
)
def test_a_record_that_makes_no_sense_is_forgotten(record: bytes) -> None:
    flash = Flash()
    Store("", files=flash).save(RECORD, record)
    bench = Bench(flash)
    assert bench.override.level is None
    assert not bench.active


def test_a_fade_written_alone_neither_prolongs_nor_restarts_a_command() -> None:
    bench = Bench()
    bench.now = None
    bench.write(level=30)
    received = bench.override.received_rtc_ms
    bench.wait(7000)
    bench.write(fade_ms=500)
    assert bench.override.received_rtc_ms == received
    bench.wait(200)
    assert not bench.active


commands = st.fixed_dictionaries(
    {},
    optional={
        "level": st.integers(0, 100),
        "start_s": st.integers(NOW_S - 1000, NOW_S + 5000) | st.just(0),
        "end_s": st.integers(NOW_S - 1000, NOW_S + 10000) | st.just(0),
        "fade_ms": st.integers(-5, 10000),
    },
)


@given(st.lists(st.tuples(commands, st.integers(0, 3000), st.booleans()), max_size=6))
@examples(max_examples=200)
def test_whatever_is_written_every_override_ends(history: list) -> None:
    bench = Bench()
    for changes, wait, clock in history:
        bench.wait(wait)
        bench.now = NOW + bench.rtc if clock else None
        try:
            bench.write(**changes)
        except OverrideError:
            continue
    bench.now = None
    bench.wait(limits.OVERRIDE_MAX_S + 20000)
    assert not bench.active
    bench.now = NOW + bench.rtc
    assert not bench.active
