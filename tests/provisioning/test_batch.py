"""A batch: boards in parallel, each one lamp, over swaps, crashes and technicians. Its children are real processes."""

import csv
import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from provisioning import batch as batches
from provisioning.assignment import NothingLeft, choose, claim_one, serials
from provisioning.batch import Batch
from provisioning.batch_screen import JsonLines, TableScreen
from provisioning.child import Ended
from provisioning.errors import Failure, Refusals
from provisioning.journal import Journal
from provisioning.manifest import Manifest, parse
from provisioning.plate import Plate
from provisioning.ports import named
from provisioning.summary import COLUMNS, summary
from tests.provisioning import fake_child

NOW = 1_795_410_680_123


def mac(number: int) -> str:
    return f"24:6f:28:00:00:{number:02x}"


def manifest(count: int, macs: Sequence[str] = (), serial: str = "S") -> Manifest:
    rows = [
        f"Q1-{number},{serial}{number},{macs[number] if number < len(macs) else ''},10.77,106.7,Asia/Ho_Chi_Minh"
        for number in range(count)
    ]
    return parse(("asset_id,serial,mac,latitude,longitude,time_zone\n" + "\n".join(rows)).encode())


def journal(folder: Path) -> Journal:
    return Journal(folder, "anna", lambda: NOW)


class Bench:
    """Ports are files; a person plugs boards in and takes them out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir()
        self.ports = [str(folder / f"port{number}") for number in range(4)]
        self.out = io.StringIO()

    def plug(self, port: int, number: int, **more: Any) -> None:
        Path(self.ports[port]).write_text(json.dumps({"mac": mac(number), **more}))

    def take(self, port: int) -> dict[str, Any]:
        path = Path(self.ports[port])
        board: dict[str, Any] = json.loads(path.read_text())
        path.unlink()
        return board

    def batch(self, made: Manifest, **options: Any) -> Batch:
        def command(port: str) -> list[str]:
            return [sys.executable, "-P", fake_child.__file__, port, str(self.state)]

        options = {"idle_s": 0.0, "pause": lambda _: time.sleep(0.01), **options}
        screen = options.pop("screen", JsonLines(self.out, "en"))
        return Batch(self.state, journal(self.state), made, command, named(self.ports), screen, **options)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_boards_become_lamps_side_by_side(bench: Bench) -> None:
    for port in range(4):
        bench.plug(port, port)
    ended = bench.batch(manifest(4)).run()
    assert sorted(one.asset_id for one in ended) == ["Q1-0", "Q1-1", "Q1-2", "Q1-3"]
    assert {one.code for one in ended} == {""}
    boards = journal(bench.state).boards()
    assert len({board.facts["asset_id"] for board in boards.values()}) == 4
    assert {line["port"] for line in bench.lines()} == set(bench.ports)
    last = [line for line in bench.lines() if line["step"] == "board"][-1]
    assert (last["finished"], last["total"]) == (4, 4)


class Swapper(JsonLines):
    """A person who swaps a board as soon as its line says so."""

    def __init__(self, bench: Bench, boards: list[int]) -> None:
        super().__init__(bench.out, "en")
        self._bench = bench
        self._boards = boards

    def ended(self, ended: Ended, finished: int, total: int) -> None:
        super().ended(ended, finished, total)
        self._bench.take(self._bench.ports.index(ended.port))

    def gone(self, port: str) -> None:
        super().gone(port)
        if self._boards:
            self._bench.plug(self._bench.ports.index(port), self._boards.pop(0))


def test_a_board_is_swapped_when_it_is_done(bench: Bench) -> None:
    for port in range(2):
        bench.plug(port, port)
    ended = bench.batch(manifest(6), idle_s=None, screen=Swapper(bench, [2, 3, 4, 5])).run()
    assert len({one.mac for one in ended}) == 6 and len({one.asset_id for one in ended}) == 6


def test_a_board_that_stays_plugged_in_is_not_begun_again(bench: Bench) -> None:
    bench.plug(0, 0)
    assert len(bench.batch(manifest(2), idle_s=0.3).run()) == 1
    assert bench.take(0)["writes"] == 1


def test_in_a_jig_the_next_mac_begins_and_the_same_one_does_not(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "JIG_S", 0.05)
    bench.plug(0, 0)

    def swap(seconds: float) -> None:
        time.sleep(0.01)
        skipped = [line for line in bench.lines() if line["step"] == "board" and line["state"] == "skipped"]
        board = json.loads(Path(bench.ports[0]).read_text())
        if skipped and board["mac"] == mac(0):
            assert board["writes"] == 1, "it was looked at, not written again"
            bench.plug(0, 1)

    ended = bench.batch(manifest(2), idle_s=None, is_jig=True, pause=swap).run()
    assert [one.mac for one in ended] == [mac(0), mac(1)]


def test_a_lamp_bound_to_a_mac_goes_to_that_board_only(bench: Bench) -> None:
    bench.plug(0, 7)
    bench.plug(1, 8)
    ended = bench.batch(manifest(2, macs=[mac(8)])).run()
    assert {one.mac: one.asset_id for one in ended} == {mac(8): "Q1-0", mac(7): "Q1-1"}


def test_more_boards_than_lamps_are_left_as_they_are(bench: Bench) -> None:
    bench.plug(0, 0)
    assert len(bench.batch(manifest(1)).run()) == 1
    bench.plug(1, 1)
    assert bench.batch(manifest(1)).run() == []
    assert "writes" not in bench.take(1)


def test_after_a_crash_each_board_goes_on_with_its_own_lamp(bench: Bench) -> None:
    bench.plug(0, 0, at="crash")
    (ended,) = bench.batch(manifest(3)).run()
    assert ended.code == "tool_failed" and "the tool is broken" in ended.detail
    bench.plug(0, 5)
    bench.plug(1, 0)
    again = bench.batch(manifest(3)).run()
    assert {one.mac: one.asset_id for one in again} == {mac(0): "Q1-0", mac(5): "Q1-1"}


def test_a_batch_that_is_killed_is_resumed_from_the_journal(bench: Bench) -> None:
    bench.plug(0, 0)
    bench.plug(1, 1, at="hang")
    batch = bench.batch(manifest(3))
    runner = threading.Thread(target=batch.run)
    runner.start()
    while '"step": "base"' not in bench.out.getvalue() or not journal(bench.state).boards().get(mac(0)):
        time.sleep(0.01)
    batch.kill()
    runner.join()
    bench.plug(0, 0, sealed=bool(json.loads(Path(bench.ports[0]).read_text()).get("sealed")))
    bench.plug(1, 1)
    bench.plug(2, 2)
    bench.batch(manifest(3)).run()
    boards = journal(bench.state).boards()
    assert sorted(str(boards[mac(number)].facts["asset_id"]) for number in range(3)) == ["Q1-0", "Q1-1", "Q1-2"]
    assert all(board.is_finished for board in boards.values())


def test_a_silent_child_is_ended(bench: Bench) -> None:
    def clock() -> float:
        return time.monotonic() + (2 * batches.SILENCE_S if '"percent": 100.0' in bench.out.getvalue() else 0)

    bench.plug(0, 0, at="hang")
    (ended,) = bench.batch(manifest(1), clock=clock).run()
    assert ended.code == "tool_failed" and ended.mac == mac(0)


def test_a_stop_finishes_what_is_at_work_and_begins_nothing(bench: Bench) -> None:
    bench.plug(0, 0)
    bench.plug(1, 1)
    batch = bench.batch(manifest(2), jobs=1)
    batch.screen = stopper = Stopper(bench.out, "en")
    stopper.stop = batch.stop
    assert [one.code for one in batch.run()] == [""]


class Stopper(JsonLines):
    stop: Callable[[], None]

    def assigned(self, port: str, plate: Plate) -> None:
        self.stop()


def test_a_failure_has_its_code_and_the_board_keeps_its_lamp(bench: Bench) -> None:
    bench.plug(0, 0, fail="self_test_failed")
    bench.plug(1, 1, fail="no_sync")
    ended = {one.port: one for one in bench.batch(manifest(2)).run()}
    assert ended[bench.ports[0]].code == "self_test_failed" and ended[bench.ports[0]].asset_id == "Q1-0"
    assert ended[bench.ports[1]].code == "no_sync" and ended[bench.ports[1]].mac == ""
    bench.take(1)
    bench.plug(0, 2)
    (other,) = bench.batch(manifest(2)).run()
    assert other.asset_id == "Q1-1", "Q1-0 still belongs to the board that failed"
    bench.plug(0, 3)
    assert bench.batch(manifest(2)).run() == []
    (taken,) = bench.batch(manifest(2), replace=True).run()
    assert (taken.mac, taken.asset_id) == (mac(3), "Q1-0")
    assert journal(bench.state).board(mac(0)).event == "replaced"  # type: ignore[union-attr]


def test_a_mac_never_gets_a_second_identity_without_replace(bench: Bench) -> None:
    bench.plug(0, 0)
    bench.batch(manifest(1)).run()
    other = parse(b"asset_id,latitude,longitude,time_zone\nZ9,10,106,Asia/Ho_Chi_Minh")
    (ended,) = bench.batch(other).run()
    assert ended.code == "mac_known" and "Q1-0" in ended.detail
    bench.plug(0, 0)
    (ended,) = bench.batch(other, replace=True).run()
    assert ended.asset_id == "Z9"
    assert journal(bench.state).board(mac(0)).facts["asset_id"] == "Z9"  # type: ignore[union-attr]


def test_a_serial_is_never_used_twice(bench: Bench) -> None:
    bench.plug(0, 0)
    bench.batch(manifest(1)).run()
    other = parse(b"asset_id,serial,latitude,longitude,time_zone\nZ9,S0,10,106,Asia/Ho_Chi_Minh")
    with pytest.raises(Refusals) as refused:
        bench.batch(other).run()
    assert refused.value.code == "serial_used" and refused.value.lines[0][0] == 2
    assert serials(journal(bench.state).entries())["S0"] == (mac(0), "Q1-0")


def test_a_single_run_keeps_the_same_rules(tmp_path: Path) -> None:
    kept = journal(tmp_path)
    claim_one(tmp_path, kept, Plate("A1", "S1"), mac(1), replace=False)
    claim_one(tmp_path, kept, Plate("A1", "S1"), mac(1), replace=False)
    for plate, other, code in (
        (Plate("A2", "S2"), 1, "mac_known"),
        (Plate("A1", "S2"), 2, "mac_known"),
        (Plate("A2", "S1"), 2, "serial_used"),
    ):
        with pytest.raises(Failure) as failed:
            claim_one(tmp_path, kept, plate, mac(other), replace=False)
        assert failed.value.code == code
    assert [entry["event"] for entry in kept.entries()] == ["assigned"]
    claim_one(tmp_path, kept, Plate("A1", "S1"), mac(2), replace=True)
    assert kept.board(mac(1)).event == "replaced"  # type: ignore[union-attr]
    kept.append("sealed", mac=mac(2))
    with pytest.raises(NothingLeft):
        choose(manifest(0 + 1, macs=[mac(9)]).rows, kept.boards(), mac(3), replace=False)


def test_two_batches_on_one_computer_never_give_one_lamp_twice(bench: Bench) -> None:
    code = (
        "import sys; from pathlib import Path; from provisioning.journal import Journal;"
        "from provisioning.assignment import claim; from provisioning.manifest import load;"
        "state, first = Path(sys.argv[1]), int(sys.argv[3]); rows = load(Path(sys.argv[2])).rows;"
        "kept = Journal(state, 'anna', lambda: 0);"
        "[claim(state, kept, rows, f'24:6f:28:00:00:{n:02x}', replace=False) for n in range(first, first + 20)]"
    )
    path = bench.folder / "m.csv"
    rows = "".join(f"A{number},10,106,Asia/Ho_Chi_Minh\n" for number in range(40))
    path.write_text("asset_id,latitude,longitude,time_zone\n" + rows)
    command = [sys.executable, "-P", "-c", code, str(bench.state), str(path)]
    both = [subprocess.Popen([*command, first]) for first in ("0", "20")]
    assert [one.wait() for one in both] == [0, 0]
    assert len({board.facts["asset_id"] for board in journal(bench.state).boards().values()}) == 40


def test_a_full_disk_is_told_before_a_board_is_touched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "LEAST_FREE_BYTES", 1 << 60)
    bench.plug(0, 0)
    with pytest.raises(Failure) as failed:
        bench.batch(manifest(1)).run()
    assert failed.value.code == "disk_full" and "writes" not in bench.take(0)


def test_the_summary_has_a_row_for_every_lamp_and_every_lost_board(bench: Bench) -> None:
    bench.plug(0, 0)
    bench.plug(1, 1, fail="self_test_failed")
    bench.plug(2, 2, fail="no_sync")
    made = manifest(4)
    ended = bench.batch(made).run()
    kept = journal(bench.state)
    head = kept.check().last
    rows = list(csv.DictReader(io.StringIO(summary(made, kept.boards(), ended, head))))
    assert list(rows[0]) == list(COLUMNS)
    assert sorted(row["result"] for row in rows) == ["failed", "failed", "finished", "open", "open"]
    good = next(row for row in rows if row["result"] == "finished")
    assert good["mac"] == mac(0) and good["endpoint"] and good["operator"] == "anna" and good["journal_head"] == head
    assert {row["code"] for row in rows} == {"", "self_test_failed", "no_sync"}
    assert rows[-1]["detail"].startswith(bench.ports[2])


def test_no_cell_of_the_summary_is_a_formula(bench: Bench) -> None:
    made = parse(b"asset_id,latitude,longitude,time_zone\n=2+3,10,106,Asia/Ho_Chi_Minh")
    assert "'=2+3" in summary(made, {}, [], "")


def test_a_person_sees_one_line_a_board(bench: Bench) -> None:
    out = io.StringIO()
    bench.plug(0, 0)
    bench.plug(1, 1, fail="no_sync")
    bench.batch(manifest(2), screen=TableScreen(Console(file=out, width=120), "vi")).run()
    text = out.getvalue()
    assert "xong, hãy thay bo mạch" in text and "Q1-0" in text and "1 trên 2" in text
    assert "lỗi, để sang một bên: no_sync" in text and "Chip không trả lời" in text
