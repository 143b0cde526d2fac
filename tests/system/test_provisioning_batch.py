"""A batch over simulated boards: true children, true esptool, true firmware, true backend."""

import csv
import json
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from provisioning.journal import Journal
from tests.provisioning import bases
from tests.provisioning.board import SimulatedBoard
from tests.system.test_provisioning import SHA256, City

BOARDS = 4


@pytest.mark.timeout(400)
def test_four_boards_become_four_lamps_side_by_side(tmp_path: Path) -> None:
    city = City(tmp_path / "city")
    rows = "".join(f"LAMP-{number},SN-{number},10.7{number},106.66,Asia/Ho_Chi_Minh\n" for number in range(BOARDS))
    manifest = tmp_path / "lamps.csv"
    manifest.write_text("asset_id,serial,latitude,longitude,time_zone\n" + rows)
    summary = tmp_path / "summary.csv"
    with ExitStack() as stack:
        stack.callback(city.close)
        boards = [stack.enter_context(SimulatedBoard(mac=f"24:0a:c4:00:01:0{number}")) for number in range(BOARDS)]
        ports = [word for board in boards for word in ("--port", board.port)]
        begun = time.monotonic()
        with city.command(
            "batch", str(manifest), *ports, "--base", str(bases.genuine_path()), "--base-sha256", SHA256,
            "--backend", city.backend.url, "--server-host", "127.0.0.1", "--server-port", str(city.coap_port),
            "--wifi-ssid", "street", "--summary", str(summary), "--idle-s", "0", "--json",
        ) as child:  # fmt: skip
            said, complaints = child.communicate(timeout=350)
        assert child.returncode == 0, f"{said[-2000:]}\n{complaints}"
        told = [json.loads(line) for line in said.splitlines()]
        ended = [line for line in told if line["step"] == "board"]
        alone_s = max(line["took_s"] for line in ended)
        print(f"{BOARDS} boards in {time.monotonic() - begun:.1f} s; the slowest alone took {alone_s} s")
        assert {line["port"] for line in ended} == {board.port for board in boards}
        with summary.open(encoding="utf-8-sig", newline="") as lines:
            found = list(csv.DictReader(lines))
        assert [row["result"] for row in found] == ["finished"] * BOARDS
        assert len({row["mac"] for row in found}) == len({row["endpoint"] for row in found}) == BOARDS
        assert Journal(city.state, "tests", lambda: 0).check().last == found[0]["journal_head"]
        assert all(city.lamp(row["endpoint"]) for row in found)
