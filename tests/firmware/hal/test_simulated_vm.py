"""The simulated board on the true VM: trace, clocks, faults, watchdog, and the ESP32's deafness."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.firmware.hal import vm

OPEN = """
from firmware.hal.simulated import open_board
board = open_board({"directory": "flash", "watchdog": False})
"""


def flash(folder: Path, **conditions: object) -> Path:
    made = folder / "flash"
    made.mkdir(exist_ok=True)
    (made / "simulation.json").write_text(json.dumps(conditions))
    return made


def trace(folder: Path) -> list[list[int]]:
    return [[int(word) for word in line.split(" ")] for line in (folder / "flash/trace").read_text().splitlines()]


def test_the_trace_begins_with_the_light_at_power_up_and_has_one_line_a_change(tmp_path: Path) -> None:
    before_ns = time.monotonic_ns()
    vm.run(
        OPEN + "board.drive(500)\nboard.drive(500)\nboard.switch(False)\nboard.switch(True)\nboard.drive(-1)", tmp_path
    )
    after_ns = time.monotonic_ns()
    lines = trace(tmp_path)
    assert [line[1:] for line in lines] == [[1000, 1], [500, 1], [500, 0], [500, 1], [0, 1]]
    stamps = [line[0] for line in lines]
    assert stamps == sorted(stamps)
    # The VM's microsecond ticks and the host's CLOCK_MONOTONIC are one clock.
    assert before_ns < stamps[0] <= stamps[-1] < after_ns


def test_the_stamp_of_an_edge_is_the_moment_that_the_host_sees_it(tmp_path: Path) -> None:
    """The lamp tells of an edge over a socket right after it; the trace must lie between question and answer."""
    script = (
        OPEN
        + """
import asyncio, sys
async def main():
    udp = board.open_udp()
    udp.send(b"up", udp.resolve("127.0.0.1", int(sys.argv[-1])))
    for permille in range(100, 600, 100):
        data, source = await udp.receive()
        board.drive(permille)
        udp.send(b"done", source)
asyncio.run(main())
"""
    )
    windows = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as host:
        host.settimeout(20)
        host.bind(("127.0.0.1", 0))
        arguments = (str(host.getsockname()[1]),)
        with subprocess.Popen(vm.command(script, arguments=arguments), cwd=tmp_path, env=vm.environment()) as lamp:
            _, address = host.recvfrom(100)
            for _ in range(5):
                asked_ns = time.monotonic_ns()
                host.sendto(b"go", address)
                host.recvfrom(100)
                windows.append((asked_ns, time.monotonic_ns()))
        assert lamp.returncode == 0
    edges = [line[0] for line in trace(tmp_path)[1:]]
    assert len(edges) == len(windows)
    for edge, (asked_ns, answered_ns) in zip(edges, windows, strict=True):
        assert asked_ns < edge < answered_ns


def test_another_trace_file_can_be_named_and_is_appended_to(tmp_path: Path) -> None:
    script = """
from firmware.hal.simulated import open_board
open_board({"directory": "flash", "trace": "edges.txt", "boot_permille": 700, "watchdog": False})
"""
    vm.run(script, tmp_path)
    vm.run(script, tmp_path)
    lines = (tmp_path / "edges.txt").read_text().splitlines()
    assert [line.split(" ")[1:] for line in lines] == [["700", "1"], ["700", "1"]]


@pytest.mark.parametrize(("lux", "seen"), [({}, 0.0), ({"lux": 5000}, 0.0)])
def test_a_stuck_photocell_sees_the_dark_and_is_fitted(tmp_path: Path, lux: dict[str, float], seen: float) -> None:
    flash(tmp_path, faults=["photocell_stuck"], **lux)
    assert vm.run(OPEN + "tell([board.lux()])", tmp_path) == [[seen]]


def test_a_fault_of_the_command_line_holds_whatever_the_file_says(tmp_path: Path) -> None:
    flash(tmp_path, faults=["low_voltage"])
    script = """
from firmware.__main__ import open_board, parse
words = ["--board", "simulated", "--directory", "flash", "--fault", "lamp_failure", "--fault", "storage_error"]
board = open_board(parse(words))
board.measure()
try:
    board.sync()
except OSError as error:
    tell([error.args[0]])
tell(board._watcher.conditions.faults)
for wrong in (["--fault", "gremlins"], ["--fault"]):
    try:
        open_board(parse(words + wrong))
    except ValueError as error:
        tell(str(error))
"""
    # The sources on a file system, with all that they import, are larger than the image of the lamp.
    code, faults, unknown, nothing = vm.run(script, tmp_path, heap="1M")
    assert code == [5]
    assert faults == ["low_voltage", "lamp_failure", "storage_error"]
    assert unknown.startswith("fault gremlins is unknown; known are control_gear_dead")
    assert nothing == "cannot use --fault"


def test_a_lamp_in_a_reset_loop_ends_when_it_measures_seconds_after_its_start(tmp_path: Path) -> None:
    flash(tmp_path, faults=["reset_loop"])
    script = OPEN + "import time\nboard.measure()\ntell(['measured'])\n"
    script += "time.sleep_ms(3001)\nboard.measure()\ntell(['alive'])"
    with subprocess.Popen(
        vm.command(script), cwd=tmp_path, env=vm.environment(), stdout=subprocess.PIPE, text=True
    ) as lamp:
        told, _ = lamp.communicate(timeout=30)
    assert "measured" in told and "alive" not in told
    assert lamp.returncode == 3


def test_the_wall_clock_runs_fast_while_the_ticks_stay_true(tmp_path: Path) -> None:
    flash(tmp_path, rtc_rate=600)
    told = vm.run(
        OPEN
        + """
import time
ticks, rtc = board.ticks_ms(), board.rtc_ms()
for _ in range(300):
    time.sleep_us(500)
    board.rtc_ms()
ticks, rtc = board.ticks_ms() - ticks, board.rtc_ms() - rtc
tell([board.rtc_rate, ticks, rtc])
""",
        tmp_path,
    )
    rate, ticks, rtc = told[0]
    assert rate == 600
    assert 150 <= ticks < 5000
    assert rtc == pytest.approx(600 * ticks, abs=1300)


def test_asking_the_clock_often_does_not_slow_it_and_drift_is_exact(tmp_path: Path) -> None:
    flash(tmp_path, drift_ppm=-10000)
    told = vm.run(
        OPEN
        + """
import time
board.rtc_ms()
start, rtc = board._rtc_ticks_us, board._rtc_us
while time.ticks_diff(time.ticks_us(), start) < 200000:
    board.rtc_ms()
tell([board._rtc_ticks_us - start, board._rtc_us - rtc])
""",
        tmp_path,
    )
    ticks_us, rtc_us = told[0]
    assert rtc_us == pytest.approx(ticks_us * 0.99, abs=2)


def test_a_change_of_rate_bends_the_clock_and_never_steps_it(tmp_path: Path) -> None:
    flash(tmp_path, rtc_rate=1000)
    told = vm.run(
        OPEN
        + """
import time
first = board.rtc_ms()
with open("flash/simulation.json", "w") as file:
    file.write('{"rtc_rate": 1}')
time.sleep_ms(300)
second = board.rtc_ms()
time.sleep_ms(20)
tell([second - first, board.rtc_ms() - second, board.rtc_rate])
""",
        tmp_path,
    )
    before, after, rate = told[0]
    assert 290000 <= before < 3000000  # a sleep may end a little early
    assert 15 <= after < 2000
    assert rate == 1


def test_a_planned_clock_is_true_to_its_plan_however_seldom_it_is_asked(tmp_path: Path) -> None:
    flash(tmp_path)
    told = vm.run(
        OPEN
        + """
import time
import firmware.hal.simulated_conditions as told_by_file
told_by_file.Watcher.PERIOD_MS = 5
now = time.ticks_us()
plan = [[now + 40000, 1000], [now + 60000, 1]]
with open("flash/simulation.json", "w") as file:
    json.dump({"rtc_plan": plan}, file)
time.sleep_ms(10)
board.rtc_ms()
start, rtc = board._rtc_ticks_us, board._rtc_us
time.sleep_ms(80)
board.rtc_ms()
tell([board._rtc_us - rtc, board._rtc_ticks_us - start, board.rtc_rate])
""",
        tmp_path,
    )
    gained_us, passed_us, rate = told[0]
    assert gained_us == passed_us - 20000 + 20000 * 1000
    assert rate == 1


def test_the_meter_sees_the_output_the_faults_and_their_end(tmp_path: Path) -> None:
    flash(tmp_path, nominal_w=80, lux=3.5, celsius=12, noise=0, rtc_rate=3600)
    told = vm.run(
        OPEN
        + """
import time
import firmware.hal.simulated_conditions as told_by_file
told_by_file.Watcher.PERIOD_MS = 5
def change(**conditions):
    with open("flash/simulation.json", "w") as file:
        json.dump(conditions, file)
    time.sleep_ms(10)
    reading = board.measure()
    tell([reading.power_w, reading.voltage_v] if reading else None)
tell([board.measure().power_w, board.lux(), board.rssi_dbm(), board.address(), board.is_connected()])
board.drive(500)
change(nominal_w=80, noise=0, rtc_rate=3600, faults=["lamp_failure"])
change(nominal_w=80, noise=0, rtc_rate=3600, faults=["low_voltage"])
change(faults=["meter_silent"])
change(faults=["gremlins"])
change(noise=0, network=False)
tell([board.is_connected(), board.address(), board.rssi_dbm(), board.lux()])
board.switch(False)
tell([board.measure().power_w, board.celsius() > 15])
""",
        tmp_path,
    )
    assert told[0] == [pytest.approx(80), 3.5, -61, "127.0.0.1", True]
    assert told[1] == [0.4, pytest.approx(230, rel=0.01)]
    assert told[2] == [pytest.approx(42.2, rel=0.01), pytest.approx(184, rel=0.01)]
    assert told[3] is None
    assert told[4] is None
    assert told[5] == [pytest.approx(21.2, rel=0.01), pytest.approx(230, rel=0.01)]
    assert told[6] == [False, None, None, None]
    assert told[7] == [0, True]


def test_wrong_conditions_stop_the_board_at_boot_but_not_its_light(tmp_path: Path) -> None:
    flash(tmp_path, rtc_speed=60)
    vm.run(OPEN, tmp_path, code=1)
    assert trace(tmp_path)[0][1:] == [1000, 1]


def test_an_empty_datagram_deafens_the_socket_and_the_board_hears_again_on_the_same_port(tmp_path: Path) -> None:
    told = vm.run(
        OPEN
        + """
import asyncio
heard = []
async def listen(udp):
    while True:
        heard.append((await udp.receive())[0])
async def main():
    lamp, attacker = board.open_udp(), board.open_udp()
    port = lamp.port
    address = attacker.resolve("127.0.0.1", port)
    task = asyncio.create_task(listen(lamp))
    for data in (b"one", b"", b"two", b"x" * 1281, b"y" * 1400, b"", b"", b"three"):
        attacker.send(data, address)
        await board.sleep_ms(20)
    tell([[data.decode() for data in heard], lamp.reopened, lamp.lost, lamp.port == port])
    # Without the recovery the socket would stay deaf: the latch is real.
    task.cancel()
    attacker.send(b"", address)
    await board.sleep_ms(20)
    lamp._read(1280)
    attacker.send(b"lost", address)
    await board.sleep_ms(20)
    tell([lamp._read(1280)[0].decode(), lamp._read(1280)[0].decode()])
asyncio.run(main())
""",
        tmp_path,
    )
    assert told[0] == [["one", "two", "three"], 3, 2, True]
    assert told[1] == ["", ""]


def test_garbage_and_floods_pass_through_whole_and_kill_nothing(tmp_path: Path) -> None:
    told = vm.run(
        OPEN
        + """
import asyncio
sizes = []
async def listen(udp):
    while True:
        data, _ = await udp.receive()
        sizes.append(len(data))
async def main():
    lamp, attacker = board.open_udp(), board.open_udp()
    address = attacker.resolve("127.0.0.1", lamp.port)
    task = asyncio.create_task(listen(lamp))
    for round in range(20):
        for size in (1, 4, 1280, 0, 1281):
            attacker.send(board.random(size), address)
        await board.sleep_ms(5)
    attacker.send(b"the end", address)
    await board.sleep_ms(50)
    tell([sizes[-1], lamp.reopened > 0, task.done()])
asyncio.run(main())
""",
        tmp_path,
    )
    assert told == [[7, True, False]]


def test_a_network_that_is_down_carries_nothing_either_way(tmp_path: Path) -> None:
    flash(tmp_path, network=False)
    told = vm.run(
        OPEN
        + """
import asyncio
heard = []
async def listen(udp):
    while True:
        heard.append((await udp.receive())[0].decode())
async def main():
    from firmware.hal.posix import Board
    lamp, other = board.open_udp(), Board.open_udp(board)
    task = asyncio.create_task(listen(lamp))
    address = other.resolve("127.0.0.1", lamp.port)
    other.send(b"lost", address)
    await board.sleep_ms(20)
    tell([lamp.send(b"lost", address), await board.connect()])
    with open("flash/simulation.json", "w") as file:
        file.write("{}")
    await board.sleep_ms(300)
    tell(await board.connect())
    other.send(b"heard", address)
    await board.sleep_ms(20)
    tell(heard)
asyncio.run(main())
""",
        tmp_path,
    )
    assert told == [[False, False], True, ["heard"]]


HANG = """
from firmware.hal.simulated_watchdog import Watchdog
import time
dog = Watchdog("flash/reset_cause", 400)
for _ in range(12):
    time.sleep_ms(50)
    dog.feed()
    [bytes(200) for _ in range(200)]
tell("fed")
"""


@pytest.mark.parametrize("hang", ["while True: [bytes(100)]", "time.sleep(60)"])
def test_the_watchdog_bites_a_hung_program_and_the_next_start_knows(tmp_path: Path, hang: str) -> None:
    flash(tmp_path)
    started = time.monotonic()
    assert vm.run(HANG + hang, tmp_path, code=-14) == ["fed"]
    assert time.monotonic() - started < 20
    assert vm.run(OPEN + "tell(board.reset_cause())", tmp_path) == ["watchdog"]
    assert vm.run(OPEN + "tell(board.reset_cause())", tmp_path) == ["power"]


def test_a_board_with_a_watchdog_resets_and_ends_like_any_other(tmp_path: Path) -> None:
    script = """
from firmware.hal.simulated import open_board
board = open_board({"directory": "flash"})
board.feed()
tell(board.reset_cause())
"""
    assert vm.run(script, tmp_path) == ["power"]
    assert vm.run(script + "board.reset()", tmp_path, code=3) == ["power"]
    assert vm.run(script, tmp_path) == ["software"]


def test_a_power_cut_leaves_whole_lines_and_no_mark(tmp_path: Path) -> None:
    script = OPEN + 'tell("up")\nwhile True:\n    board.drive(400)\n    board.drive(600)\n'
    with subprocess.Popen(
        vm.command(script), cwd=tmp_path, env=vm.environment(), stdout=subprocess.PIPE, bufsize=0
    ) as lamp:
        while not (tmp_path / "flash/trace").exists() or (tmp_path / "flash/trace").stat().st_size < 1000:
            assert lamp.poll() is None
            os.sched_yield()
        lamp.kill()
    text = (tmp_path / "flash/trace").read_text()
    assert all(len(line.split(" ")) == 3 for line in text.splitlines()[:-1])
    assert vm.run(OPEN + "tell(board.reset_cause())", tmp_path) == ["power"]
