"""Runs on the VM: what is soldered to the chip and what it hangs in, behind the pins that the program turns.

The luminaire's physics are those of the simulated lamp (`firmware.hal.simulated_lamp`). Its meter sends pulses, and
they reach a pin's handler whenever the program asks for the time or sleeps, each with the moment at which it came.
"world.json" beside the flash is the world of this board, and may change while it runs:
`{"conditions": {...}, "air": {...}, "wiring": {...}}` with the names of `firmware.hal.simulated_conditions`, of
`network.air` in tests/esp32_modules, and of `firmware.hal.esp32_wiring`.
"""

import json
import time

import machine
import network

from firmware.hal import esp32_wiring, pulse_meter, simulated_conditions, simulated_lamp

LOOK_MS = 200
FITTED = {"meter": "hlw8012", "photocell_pin": 34}
SUPPLY_UV = 3300000

_host_ticks_us = time.ticks_us
_host_ticks_ms = time.ticks_ms
_host_diff = time.ticks_diff


class World:
    def __init__(self, posix, path, tell):
        self._posix = posix
        self._path = path
        self.tell = tell
        self._text = None
        self._last_us = _host_ticks_us()
        self._last_ms = _host_ticks_ms()
        self._now_ms = 0
        self._looked_ms = -LOOK_MS
        self._stamp_us = None  # while a pulse's handler runs: the moment of the pulse
        self._phase = {}
        self.look()
        self._lamp = simulated_lamp.Lamp(self.conditions, 0, False, 0)

    def look(self):
        """Read the world again if it changed."""
        try:
            with self._posix.open(self._path, "r") as file:
                text = file.read()
        except OSError:
            text = "{}"
        if text == self._text:
            return
        self._text = text
        given = json.loads(text)
        self.conditions = simulated_conditions.parse(json.dumps(given.get("conditions", {})))
        self.wiring = dict(esp32_wiring.DEFAULTS)
        self.wiring.update(FITTED)
        self.wiring.update(given.get("wiring", {}))
        network.air.update({"rssi": self.conditions.rssi_dbm, "present": self.conditions.network})
        network.air.update(given.get("air", {}))
        if self.wiring["meter"] != "none":
            self._per_hz = pulse_meter.calibration(
                self.wiring["meter"], self.wiring["meter_shunt_ohm"], self.wiring["meter_divider"]
            )

    def permille(self):
        """What the gear is told."""
        pwm = machine.PWM.on.get(self.wiring["dimming_pin"])
        permille = pwm.duty_u16() * 1000 // 65535 if pwm else 0
        return 1000 - permille if self.wiring["dimming_inverted"] else permille

    def closed(self):
        pin = machine._pins.get(self.wiring["relay_pin"])
        return pin is not None and bool(pin.level) != self.wiring["relay_active_low"]

    def advance(self):
        """Let time pass up to now: the lamp burns, the meter pulses."""
        if self._stamp_us is not None:
            return
        now_us = _host_ticks_us()
        passed_us = _host_diff(now_us, self._last_us)
        if passed_us <= 0:
            return
        start_us, self._last_us = self._last_us, now_us
        now_ms = _host_ticks_ms()
        self._now_ms += _host_diff(now_ms, self._last_ms)
        self._last_ms = now_ms
        if self._now_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = self._now_ms
            self.look()
        self._lamp.settle(self._now_ms)
        self._lamp.conditions = self.conditions
        self._lamp.permille, self._lamp.closed = self.permille(), self.closed()
        if self.wiring["meter"] != "none" and "meter_silent" not in self.conditions.faults:
            self._pulse(start_us, passed_us)

    def _pulse(self, start_us, passed_us):
        reading = self._lamp.measure(self._now_ms)
        watts, volts, amperes = self._per_hz
        select = machine._pins.get(self.wiring["meter_sel_pin"])
        is_voltage = select is None or select.level == self.wiring["meter_sel_voltage"]
        second = reading.voltage_v / volts if is_voltage else reading.current_a / amperes
        self._send("meter_cf_pin", max(0.0, reading.power_w) / watts, start_us, passed_us)
        self._send("meter_cf1_pin", max(0.0, second), start_us, passed_us)

    def _send(self, name, hertz, start_us, passed_us):
        """The pulses of `passed_us`, to whoever listens to this pin."""
        pin = machine._pins.get(self.wiring[name])
        phase = self._phase.get(name, 0.0)
        total = phase + hertz * passed_us / 1000000
        self._phase[name] = total - int(total)
        if pin is None or pin.handler is None or not hertz:
            return
        for number in range(1, int(total) + 1):
            if pin.handler is None:
                break
            self._stamp_us = time.ticks_add(start_us, int((number - phase) * 1000000 / hertz))
            try:
                pin.edge()
            finally:
                self._stamp_us = None

    def ticks_us(self):
        if self._stamp_us is not None:
            return self._stamp_us
        self.advance()
        return self._last_us

    def ticks_ms(self):
        self.advance()
        return _host_ticks_ms()

    def microvolts(self, number, default):
        """What the converter sees at a pin."""
        if number != self.wiring["photocell_pin"]:
            return default
        lux = self.conditions.lux
        if lux is None or lux <= 0 or "photocell_stuck" in self.conditions.faults:
            return 0
        wiring = self.wiring
        ohm = wiring["photocell_ohm_at_10_lux"] * (10.0 / lux) ** wiring["photocell_gamma"]
        return int(SUPPLY_UV * wiring["photocell_fixed_ohm"] / (wiring["photocell_fixed_ohm"] + ohm))

    def fahrenheit(self):
        self.advance()
        return int(self._lamp.celsius(self._now_ms) * 1.8 + 32)


class Journal:
    """Tells the outside of each change at a pin, where the unit tests' stand-in would keep it."""

    def __init__(self, world, settle):
        self._world = world
        self._settle = settle

    def append(self, line):
        self._settle()
        if line.startswith(("pwm", "pin", "dac")):
            self._world.tell("output " + line)


class Voltages:
    def __init__(self, world):
        self._world = world

    def get(self, number, default):
        return self._world.microvolts(number, default)


class Watchdog:
    """Cannot be stopped, and outlives a soft reset: the one who waits for the feed is outside."""

    def __init__(self, id=0, *, timeout=5000):
        _only.tell("wdt %d" % timeout)

    def feed(self):
        _only.tell("feed")


_only = None


def surround(posix, path, tell, cause, mac):
    """Put the chip's modules into this world."""
    global _only
    world = _only = World(posix, path, tell)
    machine.cause = cause
    machine.journal = Journal(world, world.advance)
    machine.ADC.microvolts = Voltages(world)
    machine.WDT = Watchdog
    machine.unique_id = lambda: mac
    machine.reset = lambda: _reset(tell)
    time.ticks_us = world.ticks_us
    time.ticks_ms = world.ticks_ms
    for name in ("sleep_ms", "sleep_us", "sleep"):
        setattr(time, name, _settled(getattr(time, name), world.advance))
    return world


def _settled(sleep, advance):
    def wrapped(duration):
        sleep(duration)
        advance()

    return wrapped


def _reset(tell):
    tell("reset")
    while True:  # the host ends this machine
        time.sleep_ms(1000)
