"""A night and two commands in the life of a lamp, decision by decision, with a real schedule."""

from collections import namedtuple

from firmware.clock import Clock
from firmware.errors import LampError
from firmware.lamp import Lamp
from firmware.override import Override
from firmware.program import Program
from firmware.settings import Settings
from firmware.store import Store
from tests.parity.files import Files

Change = namedtuple("Change", ("object", "instance", "values", "kind"))

NOON = 1800014400000
MINUTE = 60000


store = Store("", None, Files())
settings = Settings(store, {"latitude_e6": 48137000, "longitude_e6": 11575000, "standard_offset_s": 3600})
program = Program(settings, store)
clock = Clock()
override = Override(settings, store)
lamp = Lamp(settings, program, override)
rtc = 0


def show(lux=None):
    decision = lamp.decide(clock.trusted_ms(rtc), rtc, lux)
    print(rtc, decision, lamp.wake_at() - rtc)


def command(**changes):
    now = clock.trusted_ms(rtc)
    try:
        override.check(changes, now)
        override.write(changes, now, rtc)
        print("override", override.start_s, override.end_s, override.fade_ms)
    except LampError as error:
        print(error)
    show()


show()
show(500.0)
show(50.0)
show(float("nan"))
rtc += 3000
command(level=30)
command(end_s=0)
rtc += 3000
print(clock.offer(NOON, 40, rtc), clock.error_bound_ms(rtc))
show()
program.prepare(
    [
        Change(3453, 0, {1: 1, 4: "* * *"}, "create"),
        Change(3456, 0, {0: 1, 1: 600.0, 2: 1}, "create"),
        Change(3454, 0, {1: {0: "S~R"}, 3: {0: 0}, 4: {0: "S;23:00;05:30"}, 5: {0: "100;50;100"}}, "create"),
        Change(3452, 0, {0: "n", 1: True, 2: 0, 3: {0: 0}, 4: 0, 6: {0: "</3416/0>"}, 7: {0: "1"}, 9: True}, "create"),
    ]
)()
for _ in range(100):
    show()
    rtc = max(rtc + MINUTE // 4, lamp.wake_at())
command(level=100, end_s=1, fade_ms=0)
command(level=100, end_s=NOON // 1000 + 86400, fade_ms=1000)
for _ in range(12):
    rtc += 100
    show()
override.keep()
again = Override(settings, store)
print(again.level, again.start_s, again.end_s, again.fade_ms)
print(lamp.command_received_ms(clock), lamp.light_changed_ms(clock))
settings.set({"minimum_level": 30, "virtual_power_output": 80, "constant_light_output": True})
command(level=5)

place = {"latitude_e6": 48137000, "longitude_e6": 11575000, "safety_floor": 30, "default_level": 10}
store = Store("", None, Files())
settings = Settings(store, place)
override = Override(settings, store)
lamp = Lamp(settings, Program(settings, store), override)
for now, lux in ((NOON, None), (NOON + 4 * 3600000, None), (NOON + 9 * 3600000, 900.0), (None, 900.0), (None, 1.0)):
    clock = Clock()
    if now is not None:
        clock.offer(now, 0, rtc)
    command(level=0, fade_ms=0)
    for _ in range(4):
        rtc += 700
        show(lux)
    rtc = max(rtc + 30000000, lamp.wake_at())
    show(lux)
    print(lamp.floor.holds, lamp.floor.words)
for unacceptable in ({"safety_floor": 0}, {"default_level": 101}):
    try:
        settings.set(unacceptable)
    except LampError as error:
        print(error)
for second in range(0, 900, 50):
    lamp.derating.update(95.5 if second < 600 else None, 85.0, second * 1000)
    show(1.0)
