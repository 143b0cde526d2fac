"""The bare host board on the true VM."""

from pathlib import Path

from tests.firmware.hal import vm

OPEN = """
from firmware.hal.posix import open_board
board = open_board({"directory": "flash"})
"""


def test_it_comes_up_lit_and_every_verb_answers(tmp_path: Path) -> None:
    told = vm.run(
        OPEN
        + """
board.drive(400)
board.drive(400)
board.switch(False)
board.drive(1001)
board.feed()
board.sync()
tell([board.name, board.rtc_rate, board.directory, board.reset_cause()])
tell([board.measure(), board.lux(), board.celsius(), board.rssi_dbm(), board.address(), board.is_connected()])
free, total = board.memory()
tell([0 < free < total, len(board.random(32)), board.random(8) != board.random(8)])
import asyncio
async def main():
    before = board.ticks_ms()
    await board.sleep_ms(30)
    tell([await board.connect(), 30 <= board.ticks_ms() - before < 500, board.rtc_ms() >= before])
asyncio.run(main())
""",
        tmp_path,
    )
    assert told == [
        ["posix", 1, "flash", "power"],
        [None, None, None, None, "127.0.0.1", True],
        [True, 32, True],
        [True, True, True],
    ]


def test_its_light_is_a_line_a_change(tmp_path: Path) -> None:
    script = OPEN + 'board.drive(400); board.drive(400); board.switch(1); board.switch(0); tell("end")'
    import subprocess

    done = subprocess.run(vm.command(script), cwd=tmp_path, env=vm.environment(), capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "output permille=1000 relay=1",
        "output permille=400 relay=1",
        "output permille=400 relay=0",
        '"end"',
    ]


def test_a_reset_is_exit_code_3_out_of_the_event_loop_and_is_told_once(tmp_path: Path) -> None:
    reset = """
import asyncio
async def other():
    try:
        board.reset()
    except Exception:
        tell("a reset must not be caught")
async def main():
    task = asyncio.create_task(other())
    await board.sleep_ms(5000)
asyncio.run(main())
"""
    vm.run(OPEN + reset, tmp_path, code=3)
    assert vm.run(OPEN + "tell(board.reset_cause())", tmp_path) == ["software"]
    assert vm.run(OPEN + "tell(board.reset_cause())", tmp_path) == ["power"]
    (tmp_path / "flash" / "reset_cause").write_text("gremlins")
    assert vm.run(OPEN + "tell(board.reset_cause())", tmp_path) == ["unknown"]


def test_two_boards_talk_over_loopback(tmp_path: Path) -> None:
    told = vm.run(
        OPEN
        + """
import asyncio
async def main():
    server, lamp = board.open_udp(), board.open_udp()
    address = lamp.resolve("127.0.0.1", server.port)
    lamp.send(b"register", address)
    data, source = await server.receive()
    server.send(data + b"ed", source)
    answer, answered_from = await lamp.receive()
    tell([answer.decode(), answered_from == address, {source: 1}[source], server.port != lamp.port])
    # Nobody listens there: the refusal that comes back must not end the receiver.
    lamp.send(b"x", lamp.resolve("127.0.0.1", 1))
    server.send(b"still there", source)
    data, _ = await lamp.receive()
    tell(data.decode())
    lamp.close()
asyncio.run(main())
""",
        tmp_path,
    )
    assert told == [["registered", True, 1, True], "still there"]


def test_a_name_without_address_is_refused_with_advice(tmp_path: Path) -> None:
    told = vm.run(
        OPEN
        + """
try:
    board.open_udp().resolve("lamp.invalid", 5683)
except OSError as error:
    tell(str(error))
""",
        tmp_path,
    )
    assert "check server_host" in str(told[0])


def test_the_identity_is_read_or_asked_for(tmp_path: Path) -> None:
    script = """
from firmware.errors import IdentityError
try:
    tell(board.identity())
except IdentityError as error:
    tell(error.advice)
"""
    assert "provision the lamp" in str(vm.run(OPEN + script, tmp_path)[0])
    (tmp_path / "flash" / "identity.json").write_text('{"endpoint": "pole-7"}')
    assert vm.run(OPEN + script, tmp_path) == [{"endpoint": "pole-7"}]
