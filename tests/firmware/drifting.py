"""Three days alone: the lamp's own clock, program and ladder on a crystal that is off, on either interpreter.

`hold` plays it in virtual time and returns how far from the true moment the light followed each step of the schedule.
"""

from contract.localtime import TimeZone
from contract.schedule import Evaluator, Schedule
from firmware.clock import Clock
from firmware.lamp import Lamp
from firmware.override import Override
from firmware.program import Program
from firmware.settings import Settings
from firmware.store import Store
from tests.firmware.nights import MUNICH, NOON, changes, night
from tests.parity.files import Files

HOUR = 3600000
MILLION = 1000000


def hold(drift_ppm, hours_with_server, hours_alone=72):
    """Return (ms that each step of the schedule came late, in order; error bound at the end; whether it is accurate).

    `drift_ppm`: how much faster the RTC runs than true time. The server answers 60 ms after each question, and all of
    that is the way back: the worst that a way can do."""
    store = Store("", None, Files())
    settings = Settings(store, MUNICH)
    program = Program(settings, store)
    program.prepare(changes())()
    clock = Clock(1, store)
    lamp = Lamp(settings, program, Override(settings, store))
    truth = Evaluator(
        Schedule((night(),), settings.get("latitude_e6"), settings.get("longitude_e6"), TimeZone("", 3600, ()))
    )
    rtc_ms = 0

    def true_ms():
        return NOON + rtc_ms * MILLION // (MILLION + drift_ppm)

    for _ in range(max(1, hours_with_server)):
        clock.offer(true_ms() - 60, 60, rtc_ms)
        rtc_ms += HOUR if hours_with_server else 0
    end_ms = true_ms() + hours_alone * HOUR
    level = None
    late_ms = []
    while true_ms() < end_ms:
        decision = lamp.decide(clock.trusted_ms(rtc_ms), rtc_ms)
        if level is not None and decision.level != level:
            # What holds in truth two minutes later has begun at the moment that was meant.
            meant = truth.explain_at(true_ms() + 120000)
            late_ms.append(true_ms() - meant.since_ms if meant.level == decision.level else None)
        level = decision.level
        rtc_ms = max(rtc_ms + 1, lamp.wake_at())
    return late_ms, clock.error_bound_ms(rtc_ms), clock.is_accurate(rtc_ms)
