"""The ladder of a lamp, rung by rung, and its fades."""

from collections import namedtuple
from itertools import pairwise

import pytest

from firmware.clock import Clock
from firmware.lamp import DEFAULT, FAILSAFE, OVERRIDE, SCHEDULE, Decision, Lamp
from firmware.override import Override
from firmware.pace import LONGEST_SLEEP_MS
from firmware.settings import Settings
from firmware.store import Store
from tests.firmware.flash import Flash

NOW = 1_800_000_000_000
DAY = 86_400_000

Explanation = namedtuple("Explanation", "level program calendar step since_ms until_ms words")


class Steps:
    """A schedule of steps [(at_ms, level, fade_ms)] with the verbs of firmware.program.Program."""

    def __init__(self, *steps: tuple[int, int, int]) -> None:
        self.steps = sorted(steps)
        self.revision = 1
        self.asked = 0
        self.explained: list[int] = []

    def _step(self, now_ms: int):
        held = [step for step in self.steps if step[0] <= now_ms]
        return held[-1] if held else None

    def next_change_after(self, now_ms: int) -> int:
        return min([step[0] for step in self.steps if step[0] > now_ms], default=now_ms + 36 * 3_600_000)

    def explain_at(self, now_ms: int):
        self.explained.append(now_ms)
        step = self._step(now_ms)
        if step is None:
            return None
        return Explanation(step[1], 0, 0, step[0], step[0], self.next_change_after(now_ms), f"step to {step[1]}")

    def aim_of(self, explanation) -> int:
        return explanation.level

    def instance_of(self, explanation) -> int:
        return explanation.program

    def permille_at(self, now_ms: int):
        self.asked += 1
        index = self.steps.index(self._step(now_ms))
        at, level, fade = self.steps[index]
        before = self.steps[index - 1][1] if index else level
        if now_ms >= at + fade:
            return level * 10
        return (before * 10 * (at + fade - now_ms) + level * 10 * (now_ms - at)) // fade


class Street:
    """A lamp whose time is in our hand."""

    def __init__(
        self,
        program: Steps | None = None,
        clock: bool = True,
        flash: Flash | None = None,
        provisioned: dict | None = None,
        now: int = NOW,
        **values,
    ) -> None:
        self.flash = flash or Flash()
        store = Store("", files=self.flash)
        self.settings = Settings(store, provisioned)
        self.settings.set(values)
        self.program = program or Steps()
        self.override = Override(self.settings, store)
        self.hours = 0
        self.lamp = Lamp(self.settings, self.program, self.override, lambda: self.hours)
        self.rtc = 1000
        self.now: int | None = now if clock else None
        self.lux: float | None = None

    def decide(self) -> Decision:
        return self.lamp.decide(self.now, self.rtc, self.lux)

    def after(self, ms: int) -> Decision:
        self.rtc += ms
        self.now = None if self.now is None else self.now + ms
        return self.decide()

    def command(self, **changes: int) -> Decision:
        self.override.check(changes, self.now)
        self.override.write(changes, self.now, self.rtc)
        return self.decide()


def test_without_a_schedule_the_default_level_holds_at_once() -> None:
    decision = Street(default_level=60).decide()
    assert (decision.permille, decision.level, decision.rung, decision.fading) == (600, 60, DEFAULT, False)
    assert decision.closed
    assert (decision.words, decision.source) == ("no program applies", "3416/0/4")


def test_a_schedule_stands_above_the_default_and_an_override_above_both() -> None:
    street = Street(Steps((NOW - 5, 30, 0)), default_level=60)
    decision = street.decide()
    assert (decision.level, decision.rung, decision.words, decision.source) == (30, SCHEDULE, "step to 30", "3452/0")
    decision = street.command(level=80, end_s=NOW // 1000 + 60)
    assert (decision.level, decision.rung, decision.source) == (80, OVERRIDE, "3416/0/1")
    assert decision.until_ms == NOW + 60_000
    assert street.after(60_000).rung == SCHEDULE


def test_without_a_clock_the_lamp_is_lit_at_its_failsafe_level() -> None:
    decision = Street(Steps((NOW - 5, 0, 0)), clock=False, failsafe_level=70, default_level=0).decide()
    assert (decision.permille, decision.rung, decision.until_ms, decision.bright) == (700, FAILSAFE, 0, None)


def test_without_a_clock_a_photocell_decides_with_hysteresis() -> None:
    street = Street(clock=False, on_lux=30.0, off_lux=60.0, default_fade_ms=0)
    levels = []
    for lux in (45, 61, 45, 31, 29, 45, 59, 60, 61):
        street.lux = lux
        levels.append(street.after(1000).level)
    assert levels == [100, 0, 0, 0, 100, 100, 100, 100, 0]
    assert street.lamp.decision.source == "3419/0/3"
    assert street.lamp.decision.bright
    assert not street.lamp.decision.closed


def test_a_photocell_that_measures_nonsense_leaves_the_lamp_lit() -> None:
    street = Street(clock=False)
    street.lux = float("nan")
    assert street.decide().level == 100


def test_a_photocell_that_falls_silent_in_the_day_leaves_the_lamp_lit() -> None:
    street = Street(clock=False, default_fade_ms=0)
    street.lux = 5000.0
    assert street.decide().level == 0
    street.lux = None
    assert street.after(1000).level == 100


def test_without_a_clock_a_command_received_now_holds_and_ends() -> None:
    street = Street(clock=False, override_duration_s=60)
    assert street.command(level=0).rung == OVERRIDE
    assert street.lamp.decision.until_ms == 0
    assert street.lamp.wake_at() <= street.rtc + 60_000
    assert street.after(59_999).rung == OVERRIDE
    assert street.after(1).rung == FAILSAFE


def test_an_override_from_before_a_power_cut_waits_for_the_clock() -> None:
    street = Street(default_level=100)
    street.command(level=20, end_s=NOW // 1000 + 600)
    street.override.keep()
    again = Street(clock=False, flash=street.flash)
    assert again.decide().rung == FAILSAFE
    again.now = NOW + 5000
    assert again.decide().rung == OVERRIDE


def test_a_command_fades_with_its_own_fade_and_monotonically() -> None:
    street = Street(default_level=100)
    street.decide()
    street.command(level=50, fade_ms=1000)
    trace = [street.lamp.decision.permille]
    while street.lamp.decision.fading:
        trace.append(street.after(street.lamp.wake_at() - street.rtc).permille)
    assert trace[0] == 1000
    assert trace[-1] == 500
    assert trace == sorted(trace, reverse=True)
    assert max(before - after for before, after in pairwise(trace)) <= 10
    assert len(trace) == 51
    assert street.lamp.wake_at() > street.rtc + 1000


def test_a_long_fade_does_not_keep_the_lamp_busy() -> None:
    street = Street(default_level=100)
    street.decide()
    street.command(level=0, fade_ms=600_000)
    street.after(20)
    assert street.lamp.wake_at() - street.rtc == 3000


def test_leaving_an_override_fades_with_the_default_fade_of_the_rung_below() -> None:
    street = Street(default_level=100, default_fade_ms=2000)
    street.decide()
    street.command(level=0, end_s=NOW // 1000 + 10)
    assert street.lamp.decision.permille == 0
    street.after(10_000)
    assert street.after(1000).permille == 500
    assert street.after(1000).permille == 1000


def test_a_fade_that_is_interrupted_goes_on_from_where_it_is() -> None:
    street = Street(default_level=100)
    street.decide()
    street.command(level=0, fade_ms=1000)
    assert street.after(500).permille == 500
    assert street.command(level=100, fade_ms=1000).permille == 500
    assert street.after(500).permille == 750


def test_the_same_command_again_does_not_flicker() -> None:
    street = Street(default_level=100)
    street.decide()
    street.command(level=40)
    street.rtc += 5000
    street.now += 5000
    assert street.command(level=40, fade_ms=9000).permille == 400
    assert street.after(4500).permille == 400


def test_a_schedule_fades_by_itself_and_is_not_asked_at_rest() -> None:
    program = Steps((NOW - DAY, 100, 0), (NOW + 10_000, 20, 30_000))
    street = Street(program, minimum_level=1)
    street.decide()
    asked = program.asked
    assert street.lamp.wake_at() == street.rtc + 10_000
    street.after(5000)
    assert program.asked == asked
    street.after(5000)
    trace = []
    while True:
        decision = street.after(street.lamp.wake_at() - street.rtc)
        trace.append(decision.permille)
        if not decision.fading:
            break
    assert trace == sorted(trace, reverse=True)
    assert trace[-1] == 200
    assert max(before - after for before, after in pairwise(trace)) <= 10
    assert len(trace) < 400
    asked = program.asked
    street.after(5000)
    assert program.asked == asked


def test_what_comes_next_is_worked_out_before_it_is_due() -> None:
    program = Steps((NOW - DAY, 100, 0), (NOW + 10_000, 20, 0))
    street = Street(program, default_fade_ms=0)
    street.decide()
    street.lamp.look_ahead()
    assert program.explained[-1] == NOW + 10_000
    known = len(program.explained)
    street.lamp.look_ahead()
    assert street.after(9_999).level == 100
    assert len(program.explained) == known
    assert street.after(1).permille == 200
    # Only the words at rest were asked for, after the step; the step itself was known.
    assert program.explained[known:] == [NOW + 10_000]


def test_a_look_ahead_is_worth_nothing_after_a_new_schedule_or_a_clock_step() -> None:
    program = Steps((NOW - DAY, 100, 0), (NOW + 10_000, 20, 0))
    street = Street(program, default_fade_ms=0)
    street.lamp.look_ahead()
    street.decide()
    street.lamp.look_ahead()
    program.steps = [(NOW - DAY, 100, 0), (NOW + 10_000, 70, 0), (NOW + 2 * DAY, 30, 0)]
    program.revision = 2
    street.lamp.look_ahead()
    assert street.after(10_000).level == 70
    street.lamp.look_ahead()
    assert street.after(3 * DAY).level == 30


def test_a_fast_fade_of_a_schedule_is_followed_in_fine_steps() -> None:
    street = Street(Steps((NOW - DAY, 100, 0), (NOW + 10, 0, 2000)), minimum_level=0)
    street.decide()
    street.after(10)
    street.after(1)
    gaps = []
    while street.lamp.decision.fading:
        gaps.append(street.lamp.wake_at() - street.rtc)
        street.after(gaps[-1])
    assert max(gaps[3:]) <= 40


def test_a_new_schedule_is_taken_up_at_once_and_faded_in() -> None:
    program = Steps((NOW - 5, 30, 0))
    street = Street(program, default_fade_ms=2000)
    street.decide()
    program.steps = [(NOW - 5, 90, 0)]
    program.revision = 2
    street.after(10)
    assert street.lamp.decision.level == 90
    assert street.after(1000).permille == 600
    assert street.after(1000).permille == 900


def test_a_clock_that_steps_back_or_forth_is_followed() -> None:
    street = Street(Steps((NOW - 1000, 30, 0), (NOW + DAY, 70, 0)), default_level=10, default_fade_ms=0)
    assert street.decide().level == 30
    street.now = NOW - 5000
    assert street.decide().rung == DEFAULT
    street.now = NOW + DAY + 5
    assert street.decide().level == 70


def test_the_lamp_wakes_for_whatever_comes_first() -> None:
    street = Street(Steps((NOW - 5, 30, 0), (NOW + 40_000, 50, 0)))
    street.decide()
    assert street.lamp.wake_at() == street.rtc + 40_000
    street.command(level=5, start_s=NOW // 1000 + 15)
    assert street.lamp.wake_at() == street.rtc + 15_000
    assert street.after(15_000).rung == OVERRIDE
    assert street.lamp.wake_at() == street.rtc + LONGEST_SLEEP_MS


def test_the_relay_opens_when_the_fade_to_off_has_ended_unless_in_standby() -> None:
    street = Street(default_level=100)
    street.decide()
    street.command(level=0, fade_ms=1000)
    assert street.after(999).closed
    assert not street.after(1).closed
    street.settings.set({"standby_mode": True})
    assert street.after(1).closed


def test_the_output_respects_minimum_virtual_power_and_constant_light() -> None:
    street = Street(default_level=5, minimum_level=12)
    decision = street.decide()
    assert (decision.permille, decision.dimming, decision.level) == (120, 5, 5)
    street = Street(default_level=100, virtual_power_output=80)
    assert street.decide().permille == 800
    street = Street(default_level=100, constant_light_output=True)
    assert street.decide().permille == 900
    street.hours = 25_000
    assert street.decide().permille == 950
    street.hours = 90_000
    assert street.decide().permille == 1000


def test_when_the_command_came_and_when_the_light_changed_is_kept_as_evidence() -> None:
    clock = Clock()
    clock.offer(NOW, 0, 1000)
    street = Street(default_level=100)
    street.decide()
    assert street.lamp.command_received_ms(clock) == 0
    assert street.lamp.light_changed_ms(clock) == NOW
    street.after(5000)
    street.command(level=50, fade_ms=1000)
    assert street.lamp.command_received_ms(clock) == NOW + 5000
    for _ in range(100):
        street.after(20)
    assert street.lamp.light_changed_ms(clock) == NOW + 5020
    street.command(level=30, fade_ms=0)
    assert street.lamp.light_changed_ms(clock) == NOW + 7000
    assert street.lamp.light_changed_ms(Clock()) == street.lamp.command_received_ms(Clock()) == 0


def test_a_second_command_during_a_fade_has_evidence_of_its_own() -> None:
    clock = Clock()
    clock.offer(NOW, 0, 1000)
    street = Street(default_level=100)
    street.decide()
    street.command(level=0, fade_ms=1000)
    street.after(500)
    street.command(level=100, fade_ms=1000)
    street.after(20)
    assert street.lamp.light_changed_ms(clock) == NOW + 520


def test_before_the_first_decision_no_light_has_changed() -> None:
    assert Street().lamp.light_changed_ms(Clock()) == 0


@pytest.mark.parametrize("level", [0, 1, 9, 10, 55, 100])
def test_every_default_level_gives_light_exactly_when_it_is_not_zero(level: int) -> None:
    decision = Street(default_level=level).decide()
    assert (decision.permille > 0) == (level > 0) == decision.closed
