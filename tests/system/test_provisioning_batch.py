"""A batch over simulated boards: true children, true esptool, true firmware, true backend."""

import csv
from contextlib import ExitStack
from pathlib import Path

import pytest

from provisioning.journal import Journal
from tests.provisioning.board import SimulatedBoard
from tests.system.test_provisioning import REGISTERED_S, City
from tests.system.waiting import until

BOARDS = 4


@pytest.mark.timeout(400)
def test_four_boards_become_four_lamps_side_by_side(tmp_path: Path) -> None:
    city = City(tmp_path / "city")
    with ExitStack() as stack:
        stack.callback(city.close)
        boards = [stack.enter_context(SimulatedBoard(mac=f"24:0a:c4:00:01:0{number}")) for number in range(BOARDS)]
        code, told, summary = city.batch(boards)
        assert code == 0, told
        ended = [line for line in told if line["step"] == "board"]
        assert {line["port"] for line in ended} == {board.port for board in boards}
        with summary.open(encoding="utf-8-sig", newline="") as lines:
            found = list(csv.DictReader(lines))
        assert [row["result"] for row in found] == ["finished"] * BOARDS
        endpoints = {row["endpoint"] for row in found}
        assert len({row["mac"] for row in found}) == len(endpoints) == BOARDS
        assert Journal(city.state, "tests", lambda: 0).check().last == found[0]["journal_head"]
        for endpoint in endpoints:
            until(lambda endpoint=endpoint: city.is_online(endpoint), REGISTERED_S, f"{endpoint} registers")
