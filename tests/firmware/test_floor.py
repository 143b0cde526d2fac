"""The safety floor: by night there is light, whatever is commanded, scheduled, set or broken above it."""

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from contract import sun
from firmware.errors import LampError, SettingError
from firmware.lamp import FAILSAFE, OVERRIDE, SCHEDULE
from firmware.light import Light
from firmware.settings import RECORD, Settings
from firmware.store import Store
from tests.firmware.fakes.board import FakeBoard
from tests.firmware.fakes.clock import VirtualClock
from tests.firmware.flash import Flash
from tests.firmware.nights import EVENING, MUNICH, NOON
from tests.firmware.test_lamp import DAY, Steps, Street

HOUR = 3_600_000
PLACE = {"latitude_e6": MUNICH["latitude_e6"], "longitude_e6": MUNICH["longitude_e6"]}
FLOOR_30 = {"safety_floor": 30, **PLACE}

DAYS = NOON // DAY
SUNRISE, SUNSET = ((DAYS * 86400 + second) * 1000 for second in sun.events(*PLACE.values(), DAYS))
NEXT_SUNRISE = ((DAYS + 1) * 86400 + sun.events(*PLACE.values(), DAYS + 1)[0]) * 1000


def dark_command(now: int = EVENING, **values) -> Street:
    """A lamp with a floor of 30 % that was told to be off for a day."""
    street = Street(provisioned=FLOOR_30, now=now, **values)
    street.decide()
    street.command(level=0, end_s=now // 1000 + 86400)
    return street


def test_a_command_below_the_floor_is_taken_and_held_at_it() -> None:
    decision = dark_command().lamp.decision
    assert (decision.permille, decision.closed, decision.level, decision.dimming) == (300, True, 30, 30)
    assert (decision.rung, decision.source) == (OVERRIDE, "3416/0/1")
    assert decision.words == "manual command 0 %, held at the safety floor of 30 % until sunrise"
    assert decision.until_ms == NEXT_SUNRISE


def test_a_command_at_or_above_the_floor_is_none_of_its_business() -> None:
    street = Street(provisioned=FLOOR_30, now=EVENING)
    for level in (30, 31, 100):
        decision = street.command(level=level)
        assert (decision.permille, decision.words) == (level * 10, "manual command")
    assert street.lamp.floor.holds == 0


def test_by_day_a_command_may_put_the_lamp_out_until_dusk() -> None:
    decision = dark_command(NOON, default_fade_ms=2000).lamp.decision
    assert (decision.permille, decision.closed, decision.level, decision.words) == (0, False, 0, "manual command")
    # Less than its own end: at dusk the light changes.
    assert decision.until_ms == SUNSET - 2000


def test_the_light_is_at_the_floor_when_the_sun_sets_and_leaves_it_when_it_rises_and_both_fade() -> None:
    street = dark_command(NOON, default_fade_ms=10_000)
    assert street.after(SUNSET - NOON - 10_000).permille == 0
    trace = [street.lamp.decision.permille]
    while street.now < SUNSET:
        decision = street.after(min(street.lamp.wake_at() - street.rtc, SUNSET - street.now))
        trace.append(decision.permille)
        assert decision.level == 30
        assert decision.fading == (street.now < SUNSET)
        assert decision.until_ms == NEXT_SUNRISE
    assert trace == sorted(trace)
    assert (trace[0], trace[-1]) == (0, 300)
    assert len(trace) > 100
    assert street.after(NEXT_SUNRISE - SUNSET - 1).permille == 300
    trace = [street.after(1).permille]
    assert street.lamp.decision.words == "manual command"
    while street.lamp.decision.fading:
        trace.append(street.after(street.lamp.wake_at() - street.rtc).permille)
    assert trace == sorted(trace, reverse=True)
    assert trace[-1] == 0
    assert len(trace) > 100
    assert not street.lamp.decision.closed


def test_the_lamp_wakes_for_dusk_and_dawn_by_itself() -> None:
    street = dark_command(SUNSET - 30_000, default_fade_ms=0)
    assert street.lamp.wake_at() - street.rtc == 30_000
    street = dark_command(NEXT_SUNRISE - 20_000)
    assert street.lamp.wake_at() - street.rtc == 20_000


def test_a_default_and_a_schedule_and_a_failsafe_level_below_the_floor_are_held_as_well() -> None:
    street = Street(provisioned=FLOOR_30, now=EVENING, default_level=10)
    assert street.decide().words == "no program applies 10 %, held at the safety floor of 30 % until sunrise"
    street = Street(Steps((EVENING - 5, 0, 0)), provisioned=FLOOR_30, now=EVENING)
    decision = street.decide()
    assert (decision.permille, decision.level, decision.rung) == (300, 30, SCHEDULE)
    assert decision.words == "step to 0, held at the safety floor of 30 % until sunrise"
    street = Street(provisioned=FLOOR_30, clock=False, failsafe_level=0)
    decision = street.decide()
    assert (decision.permille, decision.rung) == (300, FAILSAFE)
    assert decision.words.endswith("lit 0 %, held at the safety floor of 30 % until it is surely day")


def test_a_schedule_that_fades_to_nothing_stops_at_the_floor() -> None:
    program = Steps((EVENING - DAY, 100, 0), (EVENING + 1000, 0, 10_000))
    street = Street(program, provisioned=FLOOR_30, now=EVENING)
    street.decide()
    trace = [street.after(1000).permille]
    for _ in range(110):
        trace.append(street.after(100).permille)
    assert trace == sorted(trace, reverse=True)
    assert trace[-1] == min(trace) == 300
    assert street.lamp.decision.level == 30


def test_light_that_comes_back_fades_from_the_floor_and_not_from_nothing() -> None:
    street = dark_command(default_fade_ms=2000)
    street.command(level=100, fade_ms=1000)
    assert street.lamp.decision.permille == 300
    assert street.after(500).permille == 650


def test_without_a_clock_the_photocell_decides_and_darkness_is_lit_at_once() -> None:
    street = Street(provisioned=FLOOR_30, clock=False, default_fade_ms=1000)
    street.lux = 5000.0
    street.decide()
    assert street.command(level=0).permille == 0
    street.lux = 50.0
    assert street.after(1000).permille == 0, "between the two thresholds nothing changes"
    street.lux = 5.0
    decision = street.after(1000)
    assert (decision.permille, decision.level) == (300, 30)
    assert decision.words == "manual command 0 %, held at the safety floor of 30 % while it is dark"
    street.lux = 50.0
    assert street.after(1000).permille == 300
    street.lux = 5000.0
    assert street.after(500).permille == 150
    assert street.after(500).permille == 0


def test_a_photocell_that_sees_the_dark_is_believed_against_the_clock_and_nonsense_is_not() -> None:
    street = dark_command(NOON)
    street.lux = 1.0
    assert street.after(1000).permille == 300
    street = dark_command(NOON)
    street.lux = float("nan")
    assert street.after(1000).permille == 0
    street = dark_command(EVENING)
    street.lux = 5000.0
    assert street.after(1000).permille == 300, "a headlamp is no sunrise"


@pytest.mark.parametrize("provisioned", [FLOOR_30, {"safety_floor": 30}])
@pytest.mark.parametrize("lux", [None, float("nan")])
def test_a_lamp_that_knows_neither_sun_nor_photocell_holds_its_floor(provisioned: dict, lux: float | None) -> None:
    street = Street(provisioned=provisioned, now=NOON, clock="latitude_e6" not in provisioned)
    street.lux = lux
    street.decide()
    decision = street.command(level=0)
    assert (decision.permille, decision.until_ms > street.rtc) == (300, street.now is not None)
    assert decision.words.endswith("until it is surely day")


def test_neither_the_place_nor_a_threshold_written_over_the_air_moves_the_night() -> None:
    street = dark_command()
    street.settings.set({"longitude_e6": -170_000_000, "on_lux": 0.0, "off_lux": 0.001, "default_fade_ms": 3_600_000})
    street.lux = 5.0
    for _ in range(3):
        assert street.after(HOUR).permille == 300


@pytest.mark.parametrize("scale", [{"virtual_power_output": 1}, {"constant_light_output": True}])
def test_the_floor_is_of_the_dimming_output_and_no_scale_crosses_it(scale: dict) -> None:
    street = Street(provisioned=FLOOR_30, now=EVENING, **scale)
    street.decide()
    decision = street.command(level=31)
    assert (decision.permille, decision.level) == (300, 31)
    assert decision.words == "manual command 31 %, held at the safety floor of 30 % until sunrise"


def test_gear_that_cannot_burn_as_low_as_the_floor_burns_at_its_minimum() -> None:
    street = Street(provisioned={**FLOOR_30, "safety_floor": 5}, now=EVENING, minimum_level=12)
    street.decide()
    assert street.command(level=0).permille == 120


def test_each_attempt_counts_once() -> None:
    street = dark_command()
    assert street.lamp.floor.holds == 1
    street.after(1000)
    assert street.lamp.floor.holds == 1
    street.command(level=0)
    assert street.lamp.floor.holds == 2
    street.command(level=10)
    assert street.lamp.floor.holds == 3
    street.command(level=50)
    street.command(level=10)
    assert street.lamp.floor.holds == 4


def test_a_lamp_without_a_floor_goes_out_when_it_is_told_to() -> None:
    street = Street(provisioned=PLACE, now=EVENING)
    street.decide()
    decision = street.command(level=0)
    assert (decision.permille, decision.words) == (0, "manual command")
    assert street.lamp.floor.level == 0


def test_only_provisioning_sets_the_floor_and_a_factory_reset_keeps_it() -> None:
    flash = Flash()
    settings = Settings(Store("", files=flash), FLOOR_30)
    with pytest.raises(SettingError, match="safety_floor is provisioned: write it into the identity"):
        settings.set({"safety_floor": 0})
    settings.set({"default_level": 10})
    settings.factory_reset()
    assert settings.get("safety_floor") == 30


def test_a_floor_in_the_record_of_written_settings_is_ignored() -> None:
    from firmware.codec import cbor

    store = Store("", files=Flash())
    store.save(RECORD, cbor.encode({"safety_floor": 0, "default_level": 40}))
    settings = Settings(store, FLOOR_30)
    assert settings.get("safety_floor") == settings.default("safety_floor") == 30
    assert settings.get("default_level") == 40
    assert settings.ignored == ["safety_floor"]


def test_a_rung_that_fails_leaves_the_light_at_the_floor_at_least() -> None:
    street = Street(provisioned=FLOOR_30, now=EVENING)
    board = FakeBoard(VirtualClock())
    light = Light(board, street.lamp, SimpleNamespace(trusted_ms=lambda rtc_ms: EVENING), lambda: None, print)

    def fail(*arguments: object) -> None:
        raise ValueError("a bug")

    street.lamp._wish = fail
    for _ in range(2):
        with pytest.raises(ValueError, match="a bug"):
            light.refresh()
    assert [permille for _, permille in board.driven] == [300]
    assert [closed for _, closed in board.switched] == [True]


def test_a_rung_that_fails_beside_a_photocell_that_is_stuck_at_bright_leaves_the_light_at_the_floor() -> None:
    street = Street(provisioned=FLOOR_30, now=EVENING)
    board = FakeBoard(VirtualClock())
    light = Light(board, street.lamp, SimpleNamespace(trusted_ms=lambda rtc_ms: None), lambda: 100_000, print)
    street.lamp.is_blind = True

    def fail(*arguments: object) -> None:
        raise ValueError("a bug")

    street.lamp._wish = fail
    with pytest.raises(ValueError, match="a bug"):
        light.refresh()
    assert [permille for _, permille in board.driven] == [300]


async def test_each_hold_is_told_once_and_with_its_words() -> None:
    street = dark_command(default_fade_ms=0)
    board = FakeBoard(VirtualClock())
    told: list[str] = []
    light = Light(
        board,
        street.lamp,
        SimpleNamespace(trusted_ms=lambda rtc_ms: EVENING),
        lambda: None,
        lambda decision: told.append(decision.words),
    )
    for level in (0, 0, 10):
        street.override.write({"level": level}, EVENING, board.rtc_ms() + len(told))
        for _ in range(3):
            light.refresh()
            light.tell()
    assert told == [f"manual command {level} %, held at the safety floor of 30 % until sunrise" for level in (0, 0, 10)]
    await asyncio.sleep(0)


def is_night(now_ms: int) -> bool:
    """Reckoned anew: no date's day holds the moment."""
    days = now_ms // DAY
    for date in (days - 1, days, days + 1):
        sunrise, sunset = sun.events(*PLACE.values(), date)
        if date * 86400 + sunrise <= now_ms // 1000 < date * 86400 + sunset:
            return False
    return True


WRITES = st.fixed_dictionaries(
    {},
    optional={
        "default_level": st.integers(0, 100),
        "failsafe_level": st.integers(0, 100),
        "minimum_level": st.integers(0, 100),
        "virtual_power_output": st.integers(1, 100),
        "constant_light_output": st.booleans(),
        "standby_mode": st.booleans(),
        "default_fade_ms": st.sampled_from([0, 2000, 60_000, 3_600_000]),
        "latitude_e6": st.integers(-90_000_000, 90_000_000),
        "longitude_e6": st.integers(-180_000_000, 180_000_000),
        "on_lux": st.floats(0, 100),
        "off_lux": st.floats(0, 200),
    },
)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), WRITES),
        st.tuples(
            st.just("command"),
            st.fixed_dictionaries(
                {"level": st.integers(0, 100)},
                optional={"fade_ms": st.integers(0, 600_000), "duration_s": st.integers(1, 90_000)},
            ),
        ),
        st.tuples(st.just("wait"), st.integers(1, 4 * HOUR)),
        st.tuples(st.just("step clock"), st.integers(-2 * DAY, 2 * DAY)),
        st.tuples(st.just("lose clock"), st.none()),
        st.tuples(st.just("lux"), st.one_of(st.none(), st.floats(0, 100_000))),
        st.tuples(st.just("break"), st.integers(-5000, 200)),
    ),
    max_size=30,
)


@examples(max_examples=200)
@given(floor=st.integers(1, 100), start=st.integers(0, 364 * DAY), level=st.integers(0, 100), events=EVENTS)
def test_by_night_no_sequence_of_anything_drives_the_light_below_the_floor(
    floor: int, start: int, level: int, events: list
) -> None:
    now = NOON + start
    program = Steps((now - DAY, level, 60_000), (now + HOUR, 100 - level, 600_000))
    street = Street(program, provisioned={**PLACE, "safety_floor": floor}, now=now)
    wish = street.lamp._wish

    def check() -> None:
        decision = street.lamp.decision
        certain = is_night(street.now) if street.now is not None else street.lux is None
        if certain or (street.lux is not None and street.lux < 35):
            assert decision.permille >= floor * 10
            assert decision.closed
            assert decision.dimming >= floor

    street.decide()
    for kind, value in events:
        if kind == "write":
            try:
                street.settings.set(value)
            except LampError:
                pass
        elif kind == "command":
            changes = {name: value[name] for name in ("level", "fade_ms") if name in value}
            if "duration_s" in value and street.now is not None:
                changes["end_s"] = street.now // 1000 + value["duration_s"]
            street.command(**changes)
        elif kind == "wait":
            street.rtc += value
            street.now = None if street.now is None else street.now + value
        elif kind == "step clock":
            street.now = NOON + start + value
        elif kind == "lose clock":
            street.now = None
        elif kind == "lux":
            street.lux = value
        else:
            # A rung with a bug: whatever holds, it asks for nonsense.
            def broken(*arguments: object, target: int = value) -> object:
                return wish(*arguments)._replace(target=target, level=target)

            street.lamp._wish = broken
        street.decide()
        check()
        for _ in range(3):
            street.after(max(1, street.lamp.wake_at() - street.rtc))
            check()
