"""What was flashed into a simulated board runs: the program, its REPL, and the luminaire at its pins."""

import contextlib
import hashlib
import json
import socket
from pathlib import Path

import pytest
from mpremote.romfs import make_romfs
from mpremote.transport_serial import SerialTransport

from provisioning import filesystem, nvs
from tests.provisioning import bases
from tests.provisioning.board import SimulatedBoard

MAIN = b"""
print("main runs")
import time
while True:
    time.sleep_ms(50)
"""
LAMP = b"""
import asyncio
from firmware.app import App
from firmware.hal.esp32 import open_board
asyncio.run(App(open_board({}), print).run())
"""
ROMFS = (*bases.STOCK[:-1], ("romfs", 1, 0x8F, 0x1F0000, 0x10000), bases.STOCK[-1])


def filled(folder, files, entries=None, extra=None, **base):
    """A state folder whose flash holds a base image, a file system and NVS."""
    flash = bytearray(b"\xff" * (4 << 20))
    parts = {0x1000: bases.made(**base), 0x9000: nvs.build(entries or {}, 0x6000), **(extra or {})}
    if files is not None:
        parts[0x200000] = filesystem.build(files, 0x200000)
    for at, data in parts.items():
        flash[at : at + len(data)] = data
    folder.mkdir(exist_ok=True)
    (folder / "flash.bin").write_bytes(flash)
    return folder


@pytest.fixture
def booted(tmp_path):
    """A board whose main.py runs, and mpremote's own transport in its raw REPL."""
    state = filled(tmp_path / "board", {"main.py": MAIN, "lamp/plate.txt": b"40 W"}, {("streetlight", "sealed"): 7})
    with SimulatedBoard(state=state) as board:
        board.wait_for_text("main runs")
        repl = SerialTransport(board.port)
        repl.enter_raw_repl()
        yield board, repl
        with contextlib.suppress(OSError):  # a test may have pulled the cable
            repl.close()


def test_what_was_flashed_boots_and_answers_mpremote(booted):
    board, repl = booted
    assert repl.fs_readfile("/lamp/plate.txt") == b"40 W"
    assert repl.fs_hashfile("/main.py", "sha256") == hashlib.sha256(MAIN).digest()
    told = repl.exec("import sys, machine, time; print(sys.path, machine.unique_id().hex(), machine.reset_cause())")
    assert told.decode().strip() == "['', '.frozen', '/lib'] 240ac400beef 5"
    repl.fs_writefile("/new.txt", b"kept" * 3000)
    assert b"kept" * 500 in board.flash
    repl.enter_raw_repl()  # with a soft reset, after which everything is read from flash again
    assert repl.fs_hashfile("/new.txt", "sha256") == hashlib.sha256(b"kept" * 3000).digest()


def test_nvs_is_what_the_flash_holds_and_is_written_as_idf_writes_it(booted):
    board, repl = booted
    repl.exec("import esp32; n = esp32.NVS('streetlight'); n.set_blob('note', b'x' * 700); n.set_i32('sealed', -1)")
    assert nvs.parse(board.flash[0x9000:0xF000]) == {("streetlight", "note"): b"x" * 700, ("streetlight", "sealed"): -1}
    repl.exec("for i in range(900):\n n.set_i32('sealed', i)")  # more than all pages hold
    assert nvs.parse(board.flash[0x9000:0xF000])["streetlight", "sealed"] == 899
    assert repl.exec("b = bytearray(700); print(n.get_blob('note', b), b == b'x' * 700)").strip() == b"700 True"


def test_a_watchdog_that_was_started_bites_in_the_repl_too_and_a_reset_is_a_reset(booted):
    board, repl = booted
    repl.exec("import machine; w = machine.WDT(timeout=300); w.feed()")
    board.wait_for("reset", cause="TG1WDT_SYS_RESET")
    board.wait_for_text("main runs", since=board.events.index(board.wait_for("reset", cause="TG1WDT_SYS_RESET")))
    since = len(board.events)
    repl.enter_raw_repl(soft_reset=False)
    assert repl.exec("import machine; print(machine.reset_cause())").strip() == b"3"
    repl.exec_raw_no_follow("machine.reset()")
    board.wait_for("reset", cause="SW_CPU_RESET", since=since)


MEASURE = """
import machine, time
from machine import Pin, PWM, ADC
pwm = PWM(Pin(25), freq=1000, duty_u16={duty})
relay = Pin(27, Pin.OUT, value={relay})
select = Pin(14, Pin.OUT, value=1)
counts = [0, 0]
def count(n):
    def handler(pin):
        counts[n] += 1
    return handler
Pin(32, Pin.IN).irq(handler=count(0), trigger=Pin.IRQ_RISING)
Pin(33, Pin.IN).irq(handler=count(1), trigger=Pin.IRQ_RISING)
start_us = time.ticks_us()
time.sleep_ms(1000)
took_s = time.ticks_diff(time.ticks_us(), start_us) / 1000000
import network
w = network.WLAN(network.STA_IF)
w.active(True)
print([[n / took_s for n in counts], ADC(Pin(34), atten=ADC.ATTN_11DB).read_uv(), [s[0].decode() for s in w.scan()]])
"""


def measure(repl, duty=65535, relay=1):
    told = repl.exec(MEASURE.format(duty=duty, relay=relay)).decode()
    return json.loads(told.replace("'", '"'))


def test_the_meter_follows_the_dimming_output_and_the_relay_and_faults_show(booted):
    board, repl = booted
    (power, volts), _, networks = measure(repl)
    assert 2.5 < power < 5.5  # 40 W on an HLW8012 are 4 Hz
    assert 550 < volts < 575  # 230 V are 563 Hz
    assert networks == ["street", "next door"]
    assert measure(repl, relay=0)[0][0] == 0
    board.surround(conditions={"faults": ["relay_welded"], "lux": 10}, air={"present": False})
    repl.exec("time.sleep_ms(300)")
    (power, _), microvolts, networks = measure(repl, duty=65535, relay=0)
    assert power > 2.5
    assert 1_300_000 < microvolts < 1_340_000  # 10 lux: 15 kOhm over 10 kOhm
    assert networks == ["next door"]
    board.surround(conditions={"faults": ["meter_silent"]})
    repl.exec("time.sleep_ms(300)")
    assert measure(repl)[0] == [0, 0]


def test_a_chip_without_a_program_complains_and_resets_for_ever(tmp_path):
    with SimulatedBoard(state=tmp_path / "blank") as board:
        board.wait_for_text("invalid header: 0xffffffff")
        board.wait_for_text("rst:RTCWDT_RTC_RESET")
    state = filled(tmp_path / "torn", {}, extra={0x10060: b"\0\0"})
    with SimulatedBoard(state=state) as board:
        board.wait_for_text("not bootable")
    with SimulatedBoard(state=filled(tmp_path / "other", {}, chip_id=9)) as board:
        board.wait_for_text("csum err")


def test_a_blank_file_system_is_set_up_and_a_romfs_is_mounted(tmp_path):
    source = tmp_path / "rom"
    (source / "lib").mkdir(parents=True)
    (source / "lib" / "inrom.py").write_text("print('from ROM')\n")
    made = make_romfs(str(source), mpy_cross=False)
    with SimulatedBoard(state=filled(tmp_path / "b", None, rows=ROMFS, extra={0x1F0000: bytes(made)})) as board:
        board.wait_for_text("Performing initial setup")
        repl = SerialTransport(board.port)
        repl.enter_raw_repl()
        assert repl.exec("import inrom, os; print(sorted(os.listdir('/')))").splitlines() == [
            b"from ROM",
            b"['boot.py', 'rom']",
        ]
        repl.close()


def test_the_true_firmware_boots_and_calls_its_server(tmp_path):
    files = {"main.py": LAMP, "lamp/board.json": json.dumps({"meter": "hlw8012", "photocell_pin": 34}).encode()}
    for package in ("firmware", "contract"):
        for path in (bases.ROOT / package).rglob("*.py"):
            files[f"lib/{path.relative_to(bases.ROOT)}"] = path.read_bytes()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(20)
        identity = {
            "endpoint": "urn:dev:mac:240ac4fffe00beef",
            "server_host": "127.0.0.1",
            "server_port": server.getsockname()[1],
            "sender_id": "01",
            "recipient_id": "02",
            "master_secret": bytes(range(16)).hex(),
            "wifi_ssid": "street",
            "wifi_password": "of lamps and lanes",
            "settings": {"registration_jitter_s": 0},
        }
        state = filled(tmp_path / "b", files, {("streetlight", "identity"): json.dumps(identity).encode()})
        with SimulatedBoard(state=state) as board:
            assert server.recvfrom(2000)[0][0] & 0xC0 == 0x40  # CoAP, version 1
            board.wait_for("output", what="pwm 25 65535")
            assert "cause=power" in board.wait_for_text("started board=esp32")
            board.unplug()
            board.plug()
            assert server.recvfrom(2000)[0][0] & 0xC0 == 0x40


def test_the_port_stays_the_same_when_the_cable_comes_back(booted):
    board, repl = booted
    board.unplug()
    with pytest.raises(OSError):
        repl.serial.read(1)
    assert not Path(board.port).exists()
    since = len(board.events)
    board.plug()
    board.wait_for("running", since=since)
    again = SerialTransport(board.port)
    again.enter_raw_repl(soft_reset=False)
    assert again.exec("print(6 * 7)").strip() == b"42"
    again.close()
