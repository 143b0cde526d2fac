"""The controller in the pole: MicroPython 1.24 or newer on an ESP32.

With its `esp32_*` parts it is the only user of the chip. Time comes from `ticks_ms` alone: the port's
`time.time` counts from 2000 and its floats have 24 bits, so neither ever enters. Pins: `firmware.hal.esp32_wiring`.
"""

import asyncio
import gc
import os
import sys
import time
from binascii import hexlify

import machine

from firmware.errors import IdentityError
from firmware.hal import WATCHDOG_MS, esp32_identity, esp32_light, esp32_wiring, udp_wait
from firmware.hal.ticks import Ticks
from firmware.hal.udp import Udp

CLOCK_HZ = 240000000  # OSCORE of one request costs 15 to 25 ms at this rate


class Board:
    """See the verbs in `firmware.hal`. `arguments`: `directory` ("/lamp"), `boot_permille`, `watchdog`, the wiring."""

    name = "esp32"
    rtc_rate = 1

    def __init__(self, arguments):
        # The light first. Reading the wiring cannot fail; all that can comes after.
        self.directory = arguments.get("directory") or "/lamp"
        wiring, complaints = esp32_wiring.load(self.directory, arguments)
        permille = max(0, min(1000, int(arguments.get("boot_permille", 1000))))
        self._output = esp32_light.open_output(wiring, permille)
        self._relay = esp32_light.Relay(wiring)
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS) if arguments.get("watchdog", True) else None
        for complaint in complaints:
            _complain(complaint)
        try:
            machine.freq(CLOCK_HZ)
        except ValueError:
            pass  # the smaller chips of the family stop at 160 MHz, which they run at by default
        try:
            os.mkdir(self.directory)
        except OSError:
            pass  # it is there; if it could not be made, the first write says so
        self.model = sys.implementation._machine
        self._wiring = wiring
        self._clock = Ticks(time.ticks_ms, time.ticks_diff)
        self._sensors = None
        self._meter = None
        self._station = None
        self._open_instruments()

    def ticks_ms(self):
        return self._clock.now()

    def rtc_ms(self):
        return self._clock.now()

    async def sleep_ms(self, ms):
        await asyncio.sleep_ms(ms)  # type: ignore[attr-defined]  # the stubs lack it

    def drive(self, permille):
        self._output.drive(max(0, min(1000, int(permille))))

    def switch(self, closed):
        self._relay.switch(closed)

    def measure(self):
        return self._meter.measure() if self._meter is not None else None

    def lux(self):
        return self._sensors.lux() if self._sensors is not None else None

    def celsius(self):
        return self._sensors.celsius() if self._sensors is not None else None

    def feed(self):
        if self._watchdog is not None:
            self._watchdog.feed()

    def reset(self):
        machine.reset()

    def reset_cause(self):
        """MicroPython folds a brown-out into power-on, and `machine.reset()` and panics into a hard reset."""
        cause = machine.reset_cause()
        if cause == machine.PWRON_RESET:
            return "power"
        if cause == machine.WDT_RESET:
            return "watchdog"
        if cause in (machine.HARD_RESET, machine.SOFT_RESET):
            return "software"
        return "unknown"

    def random(self, n):
        """The hardware generator; its entropy is the radio's noise, so draw keys after `connect`."""
        return os.urandom(n)

    def memory(self):
        free = gc.mem_free()
        return free, free + gc.mem_alloc()

    def sync(self):
        """littlefs has everything on flash when a file is closed; a FAT volume needs the call."""
        if hasattr(os, "sync"):
            os.sync()

    def identity(self):
        return esp32_identity.load(self.directory)

    async def connect(self):
        if self._station is None:
            self._station = self._open_station()
        return self._station is not None and await self._station.connect()

    def is_connected(self):
        return self._station is not None and self._station.is_connected()

    def address(self):
        return self._station.address() if self._station is not None else None

    def rssi_dbm(self):
        return self._station.rssi_dbm() if self._station is not None else None

    def open_udp(self):
        return Udp(udp_wait.readable, self.random)

    def _open_instruments(self):
        """Sensors and meter; the lamp lights the street without them as well."""
        from firmware.hal.esp32_meter import Meter
        from firmware.hal.esp32_sensors import Sensors

        try:
            self._sensors = Sensors(self._wiring)
        except (OSError, ValueError) as error:
            _complain("photocell or thermistor cannot be opened (%s): check their pins in board.json" % error)
        if self._wiring["meter"] == "none":
            return
        try:
            self._meter = Meter(self._wiring, self.ticks_ms)
        except (OSError, ValueError) as error:
            _complain("the meter cannot be opened (%s): check its pins in board.json" % error)

    def _open_station(self):
        from firmware.hal.esp32_wifi import Station

        try:
            fields = self.identity()
        except IdentityError as error:
            _complain(str(error))
            return None
        if not fields.get("wifi_ssid"):
            _complain("the identity names no Wi-Fi network: provision the lamp again with wifi_ssid")
            return None
        hostname = "lamp-" + hexlify(machine.unique_id()[-3:]).decode()
        password = fields.get("wifi_password", "")
        return Station(fields["wifi_ssid"], password, hostname, self._wiring["wifi_country"], self.sleep_ms)


def _complain(text):
    sys.stderr.write(text + "\n")


def open_board(arguments):
    return Board(arguments)
