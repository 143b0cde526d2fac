"""A board's USB port: who it is, and how it hangs. The board is simulated down to its pins, its MicroPython is true."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.identity import KEY, NAMESPACE
from firmware.version import VERSION
from hil.drivers.console import BoardConsole, image_digest
from hil.errors import ConsoleFailed
from tests.provisioning.board import SimulatedBoard
from tests.provisioning.test_board_boot import filled

ENDPOINT = "urn:dev:mac:240ac4fffe00beef"
SECRET = "00112233445566778899aabbccddeeff"
# A lamp in short: its watchdog runs, it feeds it, and it says so.
MAIN = b"""
import machine, time
watchdog = machine.WDT(timeout=2000)
print("lamp runs")
while True:
    watchdog.feed()
    time.sleep_ms(20)
"""


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Any]:
    identity = json.dumps({"endpoint": ENDPOINT, "master_secret": SECRET}).encode()
    version = f'VERSION = "{VERSION}"\n'.encode()
    files = {"main.py": MAIN, "firmware/__init__.py": b"", "firmware/version.py": version}
    with SimulatedBoard(state=filled(tmp_path / "board", files, {(NAMESPACE, KEY): identity})) as simulated:
        simulated.wait_for_text("lamp runs")
        yield simulated


def test_a_board_says_who_it_is_and_runs_again(board: Any) -> None:
    console = BoardConsole(board.port)
    since = len(board.events)
    facts = console.describe()
    assert (facts.endpoint, facts.firmware) == (ENDPOINT, VERSION)
    assert facts.micropython.startswith("1.")
    assert facts.board
    assert SECRET not in repr(facts)
    assert board.wait_for("reset", since=since)["cause"] == "SW_CPU_RESET"  # and no watchdog's
    board.wait_for_text("lamp runs", since=since)
    console.close()


def test_a_hung_board_is_ended_by_its_watchdog_and_by_nothing_else(board: Any) -> None:
    console = BoardConsole(board.port)
    since = len(board.events)
    console.hang()
    event = board.wait_for("reset", since=since)
    assert event["cause"] == "TG1WDT_SYS_RESET"
    board.wait_for_text("lamp runs", since=since)
    text = ""
    while "lamp runs" not in text:
        text += console.log()
    assert "watchdog" in text
    console.close()


def test_a_port_that_is_not_there_or_gone_is_said(board: Any, tmp_path: Path) -> None:
    for ask in (BoardConsole(str(tmp_path / "none")).describe, BoardConsole(str(tmp_path / "none")).log):
        with pytest.raises(ConsoleFailed, match=r"bench\.toml"):
            ask()


def test_a_board_that_is_no_lamp_has_no_name(tmp_path: Path) -> None:
    with SimulatedBoard(state=filled(tmp_path / "board", {"main.py": b"print('other')\n"})) as simulated:
        simulated.wait_for_text("other")
        console = BoardConsole(simulated.port)
        facts = console.describe()
        assert (facts.endpoint, facts.firmware) == ("", "")
        console.close()


def test_a_board_without_a_prompt_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.drivers.console._ATTEMPT_S", 0.3)
    with SimulatedBoard(state=tmp_path / "blank") as simulated:
        moments = iter([0.0, 1.0, 100.0])
        console = BoardConsole(simulated.port, lambda: next(moments))
        with pytest.raises(ConsoleFailed, match="no MicroPython prompt"):
            console.describe()


def test_the_digest_is_what_the_image_was_made_of() -> None:
    from firmware.image import comment, romfs

    made_of = bytes(range(32))
    for content in ({"a": b"x"}, {"a": b"x" * 5000}):
        image = romfs(content, made_of)
        assert comment(image) == made_of
        assert image_digest(image[:64]) == made_of.hex()
    assert image_digest(b"") == image_digest(b"\xff" * 64) == ""
