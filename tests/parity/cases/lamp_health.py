"""Faults come and go the same on both interpreters; so do counters, stamps and lines of the log."""

from collections import namedtuple

from firmware.clock import Clock
from firmware.counters import Counters
from firmware.errors import LampError
from firmware.health import Health
from firmware.identity import Identity
from firmware.log import Log
from firmware.meter import Meter
from firmware.settings import Settings
from firmware.store import Store
from tests.parity.files import Files

Decision = namedtuple("Decision", ("permille", "closed", "level", "fading", "bright"))
Reading = namedtuple("Reading", ("voltage_v", "current_a", "power_w", "power_factor", "frequency_hz", "energy_wh"))

NOON = 1800014400000


class Program:
    is_valid = True


class Queue:
    dropped = 0


class Parts:
    pass


parts = Parts()
parts.store = Store("", None, Files())
parts.settings = Settings(parts.store, {"latitude_e6": 48137000, "longitude_e6": 11575000})
parts.program = Program()
parts.queue = Queue()
parts.clock = Clock()
parts.counters = Counters(parts.store, "watchdog")
parts.counters.begin()
health = Health(parts)
meter = Meter(parts.store)
log = Log()
rtc = 0


def run(words, seconds, permille, power, volts=230.0, factor=0.95, celsius=20.0, lux=None):
    global rtc
    bright = None if lux is None else lux > 70
    for _ in range(seconds):
        decision = Decision(permille, permille > 0, permille // 10, False, bright)
        reading = Reading(volts, 0.4, power, factor, 50.0, rtc / 36000)
        meter.update(reading, permille > 0, rtc)
        health.update(decision, reading, celsius, lux, parts.clock.trusted_ms(rtc), rtc, rtc)
        for code, raised, at in health.transitions():
            log.note("fault", code=code, raised=raised, at=at)
        rtc += 1000
    print(words, health.active(), health.reason, round(meter.energy_wh * 1000), meter.switches)


run("good", 60, 1000, 100.0)
run("dead", 60, 1000, 0.0)
run("no time for long", 500, 1000, 100.0)
print(parts.clock.offer(NOON, 30, rtc), parts.clock.stamp_s(rtc), parts.clock.stamp_s(rtc))
run("time", 5, 1000, 100.0)
run("dimmed and not", 60, 400, 100.0)
run("dimmed", 60, 400, 40.0)
run("day burner", 700, 0, 60.0)
run("welded by photocell", 700, 0, 60.0, lux=900.0)
run("voltage", 80, 1000, 100.0, 190.0)
run("hot", 80, 1000, 100.0, 230.0, 0.95, 99.0)
run("power factor", 400, 1000, 100.0, 230.0, 0.2)
run("nonsense", 100, 1000, float("nan"), -5.0, 1e9, float("inf"))
parts.queue.dropped = 4
parts.program.is_valid = False
run("software", 3, 1000, 100.0)
print(parts.counters.boots, parts.counters.short, round(meter.close_night().power_mean_w * 1000))
for line in log.lines():
    print(line)
log.transition("network", "up", wifi_password="no", sender=b"12", note="two words")
print(log.lines()[-1])
for fields in ({}, {"endpoint": "e", "server_host": "h", "sender_id": "0x", "recipient_id": "", "master_secret": ""}):
    try:
        Identity(fields)
    except LampError as error:
        print(error)
good = {"endpoint": "e", "server_host": "h", "sender_id": "01", "recipient_id": "", "master_secret": "00" * 15 + "01"}
print(Identity(good))
