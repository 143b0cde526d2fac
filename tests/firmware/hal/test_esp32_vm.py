"""The ESP32 board on the VM over simulated `machine`, `network`, `esp32` and `time` (tests/esp32_modules)."""

import json
from pathlib import Path

import pytest

from tests.firmware.hal import vm

OPEN = """
import machine, network, esp32, asyncio
from firmware.hal.esp32 import open_board
"""


def run(script: str, folder: Path, board: object | None = None, code: int = 0) -> list[object]:
    flash = folder / "flash"
    flash.mkdir(exist_ok=True)
    if board is not None:
        (flash / "board.json").write_text(board if isinstance(board, str) else json.dumps(board))
    return vm.run(OPEN + script, folder, vm.ESP32_MODULES, code=code)


def identity(folder: Path, **fields: object) -> None:
    flash = folder / "flash"
    flash.mkdir(exist_ok=True)
    (flash / "identity.json").write_text(json.dumps({"endpoint": "pole-7", **fields}))


def test_the_light_is_on_before_anything_else_is_done(tmp_path: Path) -> None:
    told = run('board = open_board({"directory": "flash"})\ntell(machine.journal)', tmp_path)
    assert told == [["pwm 25 65535", "pin 27 1", "wdt 8000", "freq 240000000"]]


def test_a_board_that_is_not_finished_is_lit_and_does_nothing_else(tmp_path: Path) -> None:
    """main.py of a chip, as the image has it: no watchdog, no keys in use, advice; the sealed one goes on."""
    told = run(
        """
import sys
from firmware.hal import esp32_start
board, is_finished = esp32_start.open_lamp()
tell([is_finished, machine.journal])
machine.journal.clear()
esp32.numbers[("streetlight", "sealed")] = 1
board, is_finished = esp32_start.open_lamp()
tell([is_finished, machine.journal])
""",
        tmp_path,
    )
    assert told == [
        [False, ["pwm 25 65535", "pin 27 1", "freq 240000000"]],
        [True, ["pwm 25 65535", "pin 27 1", "wdt 8000", "freq 240000000"]],
    ]


def test_a_damaged_wiring_lights_the_lamp_as_well(tmp_path: Path) -> None:
    boards = ["", "[]", '{"relay_pin": 34}', '{"dimming": "dali", "meter": 3}', '{"dimming_pin": 8}']
    told = run(
        """
for board in BOARDS:
    with open("flash/board.json", "w") as file:
        file.write(board)
    machine.journal.clear()
    open_board({"directory": "flash", "watchdog": False})
    tell(machine.journal[:2])
""".replace("BOARDS", repr(boards)),
        tmp_path,
    )
    assert told == [["pwm 25 65535", "pin 27 1"]] * len(boards)


def test_dimming_is_1_khz_and_exact_to_the_bit(tmp_path: Path) -> None:
    told = run(
        """
board = open_board({"directory": "flash", "dimming_pin": 18, "boot_permille": 600})
pwm = machine.PWM.on[18]
tell([pwm.freq(), pwm.duty_u16()])
for permille in (0, 1, 500, 999, 1000, 1001, -1):
    board.drive(permille)
    tell(pwm.duty_u16())
""",
        tmp_path,
    )
    assert told == [[1000, 39321], 0, 66, 32768, 65469, 65535, 65535, 0]


def test_inverted_dimming_and_a_relay_that_is_active_low(tmp_path: Path) -> None:
    told = run(
        """
board = open_board({"directory": "flash", "watchdog": False})
board.drive(0)
board.switch(False)
board.switch(True)
tell(machine.journal)
""",
        tmp_path,
        {"dimming_inverted": True, "relay_active_low": True},
    )
    assert told == [["pwm 25 0", "pin 27 0", "freq 240000000", "pwm 25 65535", "pin 27 1", "pin 27 0"]]


def test_0_10_v_by_filtered_pwm_follows_its_calibration(tmp_path: Path) -> None:
    told = run(
        """
board = open_board({"directory": "flash"})
pwm = machine.PWM.on[25]
tell([pwm.freq(), pwm.duty_u16()])
for permille in (0, 1, 500):
    board.drive(permille)
    tell(pwm.duty_u16())
""",
        tmp_path,
        {"dimming": "0-10v-pwm", "voltage_at_min": 1.0, "voltage_at_max": 9.0, "full_scale_v": 12.0},
    )
    volts = [12.0 * duty / 65535 for duty in (told[0][1], *told[1:])]  # type: ignore[index]
    assert told[0][0] == 5000  # type: ignore[index]
    assert volts == pytest.approx([9.0, 0, 1.008, 5.0], abs=0.0002)


def test_0_10_v_by_the_dac_and_clipped_at_its_end(tmp_path: Path) -> None:
    told = run(
        """
board = open_board({"directory": "flash", "watchdog": False})
board.drive(0)
board.drive(500)
tell(machine.journal)
""",
        tmp_path,
        {"dimming": "0-10v-dac", "dimming_pin": 26, "full_scale_v": 9.0},
    )
    assert told == [["dac 26 255", "pin 27 1", "freq 240000000", "dac 26 0", "dac 26 156"]]


def test_ticks_never_wrap_and_the_epoch_of_2000_never_shows(tmp_path: Path) -> None:
    told = run(
        """
board = open_board({"directory": "flash"})
raw, before = time.ticks_ms(), board.ticks_ms()
for day in range(40):
    time.skip_ms(86400000)
    board.ticks_ms()
tell([board.ticks_ms() - before - 40 * 86400000 < 60000, board.ticks_ms() > 40 * 86400000, board.rtc_rate])
tell([board.rtc_ms() - board.ticks_ms() <= 0, raw > 2**30 - 60000, time.ticks_ms() < 2**30])
async def main():
    before = board.ticks_ms()
    await board.sleep_ms(20)
    tell(20 <= board.ticks_ms() - before < 60000)
asyncio.run(main())
""",
        tmp_path,
    )
    assert told == [[True, True, 1], [True, True, True], True]


METER = """
board = open_board({"directory": "flash"})
cf, cf1, sel = machine.Pin.at(32), machine.Pin.at(33), machine.Pin.at(14)
def live(seconds, watts_hz, volts_hz, amperes_hz):
    # Pulses as the chip gives them, asked once a second; CF1 tells what SEL says.
    for second in range(seconds):
        for tenth in range(10):
            for pulse in range(10):
                time.skip_ms(10)
                now = second * 100 + tenth * 10 + pulse
                rate = volts_hz if sel.value() else amperes_hz
                for _ in range(rate // 100):
                    cf1.edge()
                if watts_hz and now % (100 // watts_hz) == 0:
                    cf.edge()
        reading = board.measure()
    return reading
"""


def test_pulses_become_a_reading_across_the_wrap_of_the_ticks(tmp_path: Path) -> None:
    """HLW8012 on 1 mOhm and 2351:1 has 10.34 W, 0.4086 V and 0.01449 A a hertz."""
    told = run(
        METER
        + """
tell(board.measure())
reading = live(12, 4, 500, 100)
tell([reading.power_w, reading.voltage_v, reading.current_a, reading.power_factor, reading.frequency_hz])
tell([reading.energy_wh, time.ticks_ms() < 2**29])
dark = live(5, 0, 500, 0)
tell([dark.power_w, dark.current_a, dark.energy_wh == reading.energy_wh])
later = live(70, 0, 500, 0)
tell(later.power_w)
silent = live(10, 0, 0, 0)
tell(silent)
""",
        tmp_path,
        {"meter": "hlw8012"},
    )
    assert told[0] is None
    power, volts, amperes, factor, hertz = told[1]  # type: ignore[misc]
    assert power == pytest.approx(41.4, rel=0.01)
    # In these pulses ten come at once, so a burst of 256 spans 25 gaps of 10 ms: 2 % of grain.
    assert volts == pytest.approx(204, rel=0.03)
    assert amperes == pytest.approx(1.449, rel=0.03)
    assert factor == pytest.approx(power / volts / amperes)
    assert hertz is None
    assert told[2] == [pytest.approx(48 * 10.34 / 3600, rel=0.01), True]
    assert told[3] == [pytest.approx(10.34 / 5, rel=0.25), 0, True]
    assert told[4] == 0
    assert told[5] is None


def test_the_edge_handler_allocates_nothing_and_takes_itself_off(tmp_path: Path) -> None:
    told = run(
        METER
        + """
import gc
from firmware.hal.esp32_meter import Edges
power, burst = Edges(35, 0), Edges(36, 256)
power.start()
burst.start()
gc.collect()
gc.disable()
pin, other = machine.Pin.at(35), machine.Pin.at(36)
pin.edge(), other.edge()
def ring(pin):
    before = gc.mem_alloc()
    for _ in range(300):
        pin.handler(pin) if pin.handler else None
    return gc.mem_alloc() - before
class Still:
    now = 7
    def __call__(self):
        return self.now
power._ticks_us = burst._ticks_us = Still()
tell([ring(pin), ring(other), power.count, burst.count, burst.is_full, power.is_full, other.handler is None])
""",
        tmp_path,
        {"meter": "hlw8012"},
    )
    assert told == [[0, 0, 301, 256, True, False, True]]


def test_a_count_and_its_moment_belong_together_even_when_an_edge_comes_between(tmp_path: Path) -> None:
    told = run(
        """
from firmware.hal.esp32_meter import Edges
class Interrupted(Edges):
    def __init__(self):
        Edges.__init__(self, 35, 0)
        self.count, self.pending, self._last = 5, 1, 100
    @property
    def last_us(self):
        seen = self._last
        if self.pending:
            self.pending, self.count, self._last = 0, 6, 200
        return seen
    @last_us.setter
    def last_us(self, value):
        self._last = value
tell(Interrupted().read())
""",
        tmp_path,
    )
    assert told == [[6, 200]]


def test_photocell_and_thermometers(tmp_path: Path) -> None:
    told = run(
        """
plain = open_board({"directory": "flash"})
tell([plain.lux(), plain.celsius(), plain.measure()])
esp32.mcu_temperature = lambda: 48
tell(plain.celsius())
del esp32.mcu_temperature, esp32.raw_temperature
tell(plain.celsius())
fitted = open_board({"directory": "flash", "photocell_pin": 36, "ntc_pin": 39})
machine.ADC.microvolts = {36: 1320000, 39: 1650000}
tell([fitted.lux(), fitted.celsius()])
machine.ADC.microvolts = {36: 0, 39: 0}
tell([fitted.lux(), fitted.celsius()])
""",
        tmp_path,
    )
    assert told == [
        [None, 55, None],
        48,
        None,
        [pytest.approx(10, rel=1e-4), pytest.approx(25, abs=0.01)],
        [0, None],
    ]


def test_instruments_that_cannot_be_opened_leave_a_lamp_that_lights(tmp_path: Path) -> None:
    told = run(
        """
def refuse(*arguments, **more):
    raise ValueError("invalid pin")
machine.ADC.__init__ = refuse
pin = machine.Pin
class Picky(pin):
    def __init__(self, number, *rest, **more):
        if number == 14:
            raise ValueError("invalid pin")
        pin.__init__(self, number, *rest, **more)
machine.Pin = Picky
board = open_board({"directory": "flash", "ntc_pin": 39, "meter": "bl0937"})
tell([board.lux(), board.celsius(), board.measure(), machine.journal[:2]])
""",
        tmp_path,
    )
    assert told == [[None, None, None, ["pwm 25 65535", "pin 27 1"]]]


def test_the_reset_cause_is_told_in_our_words(tmp_path: Path) -> None:
    told = run(
        """
for name in ("PWRON_RESET", "WDT_RESET", "HARD_RESET", "SOFT_RESET", "DEEPSLEEP_RESET"):
    machine.cause = getattr(machine, name)
    tell(open_board({"directory": "flash"}).reset_cause())
""",
        tmp_path,
    )
    assert told == ["power", "watchdog", "software", "software", "unknown"]


def test_watchdog_reset_memory_and_random(tmp_path: Path) -> None:
    told = run(
        """
import firmware.hal.esp32 as chip
class FatVolume:
    urandom = chip.os.urandom
    def sync():
        tell("synced")
desk = open_board({"directory": "flash", "watchdog": False})
desk.feed()
board = open_board({"directory": "flash"})
board.feed()
board.sync()
chip.os = FatVolume
board.sync()
free, total = board.memory()
tell([machine.WDT.only.timeout, machine.WDT.only.fed, 0 < free < total, len(board.random(16)), board.name])
board.reset()
""",
        tmp_path,
        code=5,
    )
    assert told == ["synced", [8000, 1, True, 16, "esp32"]]


def test_a_chip_that_stops_at_160_mhz_runs_at_its_own_speed(tmp_path: Path) -> None:
    script = 'machine.highest_hz = 160000000\nopen_board({"directory": "flash"})\ntell(machine.journal[2:])'
    assert run(script, tmp_path) == [["wdt 8000"]]


def test_the_identity_comes_from_nvs_before_the_file(tmp_path: Path) -> None:
    identity(tmp_path, serial="from the file")
    told = run(
        """
from firmware.errors import IdentityError
board = open_board({"directory": "flash"})
tell(board.identity())
place = ("streetlight", "identity")
esp32.blobs[place] = b'{"endpoint": "pole-7", "serial": "from NVS"}'
tell(board.identity())
esp32.blobs[place] = b'{"master_secret": "c0ffee"'
try:
    board.identity()
except IdentityError as error:
    tell(str(error))
esp32.blobs[place] = bytes(4000)
tell(board.identity()["serial"])
""",
        tmp_path,
    )
    assert told[0] == {"endpoint": "pole-7", "serial": "from the file"}
    assert told[1] == {"endpoint": "pole-7", "serial": "from NVS"}
    assert "NVS streetlight/identity" in str(told[2])
    assert "c0ffee" not in str(told[2])
    assert told[3] == "from the file"


WIFI = """
import firmware.hal.esp32_wifi as wifi
wifi.ATTEMPT_MS = 500
wifi.REST_MS = (1, 1, 1)
wifi.POLL_MS = 5
board = open_board({"directory": "flash"})
"""


def test_the_station_connects_without_modem_sleep_under_its_own_name(tmp_path: Path) -> None:
    identity(tmp_path, wifi_ssid="street", wifi_password="of lamps and lanes")
    told = run(
        WIFI
        + """
async def main():
    tell([board.is_connected(), board.address(), board.rssi_dbm()])
    tell(await board.connect())
    tell([board.is_connected(), board.address(), board.rssi_dbm()])
    tell([network.WLAN.only.pm, network.names])
asyncio.run(main())
""",
        tmp_path,
        {"wifi_country": "VN"},
    )
    assert told == [
        [False, None, None],
        True,
        [True, "192.168.4.23", -67],
        [0, {"hostname": "lamp-00beef", "country": "VN"}],
    ]


def test_a_connection_that_only_claims_to_be_one_is_not_believed_and_is_made_anew(tmp_path: Path) -> None:
    identity(tmp_path, wifi_ssid="street", wifi_password="of lamps and lanes")
    told = run(
        WIFI
        + """
async def main():
    await board.connect()
    network.air["lying"], network.air["present"] = True, False
    tell([network.WLAN.only.isconnected(), board.is_connected(), board.rssi_dbm()])
    network.air["present"] = True
    network.air["lying"] = False
    tell([await board.connect(), network.WLAN.only.associations, board.is_connected()])
asyncio.run(main())
""",
        tmp_path,
    )
    assert told == [[True, False, None], [True, 2, True]]


def test_attempts_to_connect_are_bounded_and_succeed_once_the_world_is_right(tmp_path: Path) -> None:
    identity(tmp_path, wifi_ssid="street", wifi_password="of lamps and lanes")
    told = run(
        WIFI
        + """
wifi.ATTEMPT_MS = 50
async def main():
    right = dict(network.air)
    for name, wrong in (("present", False), ("password", "?"), ("grant", False), ("starts", False), ("polls", 999)):
        network.air[name] = wrong
        tell([await board.connect(), board.is_connected(), board.address()])
        network.air.update(right)
        tell(await board.connect())
asyncio.run(main())
""",
        tmp_path,
    )
    assert told == [[False, False, None], True] * 5


def test_a_lamp_that_knows_no_network_stays_alone_and_lit(tmp_path: Path) -> None:
    script = WIFI + "tell(asyncio.run(board.connect()))"
    assert run(script, tmp_path) == [False]
    identity(tmp_path, wifi_ssid="")
    assert run(script, tmp_path) == [False]


def test_a_driver_that_fails_while_it_is_asked_is_no_connection(tmp_path: Path) -> None:
    identity(tmp_path, wifi_ssid="street", wifi_password="of lamps and lanes")
    told = run(
        WIFI
        + """
def refuse(self):
    raise OSError(0x3001)
async def main():
    await board.connect()
    network.WLAN.ifconfig = refuse
    tell([board.is_connected(), board.address()])
asyncio.run(main())
""",
        tmp_path,
    )
    assert told == [[False, None]]


def test_its_udp_is_the_one_of_every_board(tmp_path: Path) -> None:
    told = run(
        """
board = open_board({"directory": "flash"})
async def main():
    lamp, server = board.open_udp(), board.open_udp()
    server.send(b"light", server.resolve("127.0.0.1", lamp.port))
    data, source = await lamp.receive()
    tell([data.decode(), source == lamp.resolve("127.0.0.1", server.port)])
asyncio.run(main())
""",
        tmp_path,
    )
    assert told == [["light", True]]
