"""A run: lanes side by side, each check judged once, and a bench that fails is nobody else's trouble."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from hil.bench import Bench
from hil.checks.table import CHECKS, Check, named
from hil.effort import QUICK, Effort
from hil.errors import BenchError, NothingSeen
from hil.limits import LIMITS, of
from hil.measurement import Measurement, Outcome, Sample
from hil.report import results
from hil.report.recorder import Recorder
from hil.scene import Scene, Traits
from hil.seams import BoardFacts
from hil.session import NICENESS, Session, about
from hil.street.backend import BackendFailed


class Benches:
    """Counts the scenes that are opened; `broken` scenes do not open."""

    name = "made up"

    def __init__(self, is_simulated: bool = True, boards: int = 2, has_consoles: bool = True) -> None:
        self.traits = Traits(is_simulated, boards, has_consoles)
        self.opened: list[Scene] = []
        self.broken: list[Scene] = []
        self.open_now = 0

    def start(self) -> None: ...

    @contextmanager
    def open(self, scene: Scene, is_settled: bool = True) -> Iterator[Bench]:
        if scene in self.broken:
            raise BackendFailed("it does not start")
        self.opened.append(scene)
        self.open_now += 1
        try:
            yield cast(Bench, None)
        finally:
            self.open_now -= 1

    def describe(self) -> str:
        return "nothing"

    def boards(self) -> tuple[tuple[str, BoardFacts], ...]:
        return ()

    def firmware_sha256(self) -> str:
        return ""

    def jitter_floor_s(self) -> float | None:
        return 0.001

    def close(self) -> None: ...


def good(name: str) -> Any:
    def procedure(bench: Bench, effort: Effort) -> list[Measurement]:
        return [Measurement(name, of(name), tuple(Sample(0.01) for _ in range(20)))]

    return procedure


def raising(error: Exception) -> Any:
    def procedure(bench: Bench, effort: Effort) -> list[Measurement]:
        raise error

    return procedure


def run(benches: Benches, directory: Path, *checks: Check, are_named: bool = False) -> tuple[Session, list[str]]:
    heard: list[str] = []
    with Recorder(directory, about(benches, QUICK)) as recorder:
        session = Session(
            benches, checks, QUICK, recorder, are_named, lambda check, event: heard.append(f"{check} {event}")
        )
        session.start()
        session.finish()
    return session, heard


def outcomes(directory: Path) -> dict[str, Outcome]:
    return {verdict.check: verdict.outcome for verdict in results.read(directory).verdicts}


def test_checks_of_one_scene_share_it_and_each_is_judged(tmp_path: Path) -> None:
    benches = Benches()
    session, heard = run(
        benches, tmp_path / "r", Check("boot", ("boot",), good("boot")), Check("spread", ("spread",), good("spread"))
    )
    assert len(benches.opened) == 1
    assert outcomes(tmp_path / "r") == {"boot": Outcome.PASSED, "spread": Outcome.PASSED}
    assert [verdict.check for verdict in session.result("spread")] == ["spread"]
    assert heard.index("boot ends") < heard.index("spread begins")
    assert results.read(tmp_path / "r").outcome is Outcome.PASSED


@pytest.mark.parametrize("error", [NothingSeen("no edge came", "look"), BackendFailed("500"), ZeroDivisionError("x")])
def test_a_check_that_cannot_measure_is_inconclusive_and_the_next_has_a_scene_of_its_own(
    tmp_path: Path, error: Exception
) -> None:
    benches = Benches()
    run(
        benches,
        tmp_path / "r",
        Check("latency", ("override", "received"), raising(error)),
        Check("boot", ("boot",), good("boot")),
    )
    assert outcomes(tmp_path / "r") == {
        "override": Outcome.INCONCLUSIVE,
        "received": Outcome.INCONCLUSIVE,
        "boot": Outcome.PASSED,
    }
    assert len(benches.opened) == 2
    assert benches.open_now == 0
    assert str(error) in results.read(tmp_path / "r").verdicts[0].reason
    assert results.read(tmp_path / "r").outcome is Outcome.INCONCLUSIVE


def test_a_scene_that_does_not_open_fails_its_checks_one_by_one_and_no_other(tmp_path: Path) -> None:
    benches = Benches()
    night = Scene(datetime(2027, 1, 1))
    benches.broken.append(night)
    run(
        benches,
        tmp_path / "r",
        Check("boot", ("boot",), good("boot"), night),
        Check("step", ("step",), good("step"), night),
        Check("spread", ("spread",), good("spread")),
    )
    assert outcomes(tmp_path / "r") == {
        "boot": Outcome.INCONCLUSIVE,
        "step": Outcome.INCONCLUSIVE,
        "spread": Outcome.PASSED,
    }


def test_lanes_of_a_simulated_bench_run_side_by_side_and_boards_have_one(tmp_path: Path) -> None:
    for is_simulated in (True, False):
        at_once = threading.Barrier(2)

        def meet(bench: Bench, effort: Effort, barrier: threading.Barrier = at_once) -> list[Measurement]:
            try:
                barrier.wait(2)
            except threading.BrokenBarrierError:
                raise BenchError("alone", "") from None
            return [Measurement("boot", of("boot"), (Sample(0.1),))]

        directory = tmp_path / str(is_simulated)
        first, second = Check("boot", ("boot",), meet), Check("rejoin", ("rejoin",), meet, lane=1)
        session, _ = run(Benches(is_simulated), directory, first, second)
        met = {verdict.outcome for name in ("boot", "rejoin") for verdict in session.result(name)}
        assert (Outcome.INCONCLUSIVE in met) is not is_simulated


def test_a_check_whose_result_cannot_be_judged_is_inconclusive_and_nobody_elses_trouble(tmp_path: Path) -> None:
    def nonsense(bench: Bench, effort: Effort) -> list[Measurement]:
        return [Measurement("boot", of("boot"), (Sample(0.1, uncertainty=-1.0),))]

    session, _ = run(
        Benches(), tmp_path / "r", Check("boot", ("boot",), nonsense), Check("rejoin", ("rejoin",), good("rejoin"))
    )
    (verdict,) = session.result("boot")
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "the check itself broke" in verdict.reason
    assert session.result("rejoin")
    assert [one.check for one in results.read(tmp_path / "r").verdicts] == ["boot", "rejoin"]


def test_a_lane_waits_for_what_wants_the_computer_alone(tmp_path: Path) -> None:
    alone = Check("latency", ("boot",), good("boot"))
    later = Check("rejoin", ("rejoin",), good("rejoin"), lane=1, after=("latency", "fade"))
    _, heard = run(Benches(), tmp_path / "r", alone, later)
    assert heard.index("latency ends") < heard.index("rejoin begins")


def test_a_lane_that_counts_gives_way_with_its_processes_and_the_others_do_not(tmp_path: Path) -> None:
    found: dict[str, int] = {}

    def look(name: str) -> Any:
        def procedure(bench: Bench, effort: Effort) -> list[Measurement]:
            done = subprocess.run(["nice"], capture_output=True, text=True, check=True)
            found[name] = int(done.stdout)
            return good(name)(bench, effort)

        return procedure

    usual = os.getpriority(os.PRIO_PROCESS, 0)
    timed = Check("boot", ("boot",), look("boot"))
    counts = Check("heap", ("heap",), look("heap"), lane=1, gives_way=True)
    run(Benches(), tmp_path / "simulated", timed, counts)
    assert found == {"boot": usual, "heap": min(usual + NICENESS, 19)}
    run(Benches(is_simulated=False), tmp_path / "real", timed, counts)
    assert found == {"boot": usual, "heap": usual}


def test_a_lane_gives_way_as_a_whole_or_not_at_all() -> None:
    giving = {check.lane for check in CHECKS if check.gives_way}
    assert giving == {2, 6}
    assert all(check.gives_way for check in CHECKS if check.lane in giving)


def test_one_lane_of_one_board_at_most_runs_beside_what_is_timed_in_milliseconds() -> None:
    first = [check.name for check in CHECKS if check.lane == 0]
    heads = {check.lane: check for check in reversed(CHECKS)}
    beside = [head for lane, head in heads.items() if lane and not head.after]
    assert [head.scene.boards for head in beside] == [1]
    assert {name for head in heads.values() for name in head.after} <= set(first)


def test_what_a_bench_cannot_carry_is_said_and_not_run(tmp_path: Path) -> None:
    real = Benches(is_simulated=False, boards=1, has_consoles=False)
    session, _ = run(real, tmp_path / "r", *named([]))
    omitted = {one.check: one.reason for one in results.read(tmp_path / "r").not_carried}
    assert "2 boards" in omitted["spread"]
    assert "console" in omitted["watchdog"]
    assert "--only step-alone" in omitted["step-alone"]
    assert "true time" in omitted["step-spring"]
    assert "update" in omitted["update-interrupted"]
    assert session.result("spread") == []


def test_a_check_that_takes_hours_runs_with_boards_when_it_is_named(tmp_path: Path) -> None:
    check = named(["drift"])[0]
    real = Traits(is_simulated=False, boards=3, has_consoles=True)
    assert check.obstacle(real, is_named=False)
    assert not check.obstacle(real, is_named=True)


def test_every_limit_belongs_to_exactly_one_check() -> None:
    measured = [name for check in CHECKS for name in check.measures]
    assert sorted(measured) == sorted({limit.check for limit in LIMITS})
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_a_check_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(KeyError, match=r"no check is named bott: boot, latency"):
        named(["bott"])


def test_what_is_under_way_when_the_run_is_broken_off_is_no_part_of_it(tmp_path: Path) -> None:
    go_on = threading.Event()

    def slow(bench: Bench, effort: Effort) -> list[Measurement]:
        go_on.wait(10)
        return [Measurement("boot", of("boot"), (Sample(0.1),))]

    benches = Benches()
    with Recorder(tmp_path / "r", about(benches, QUICK)) as recorder:
        session = Session(benches, [Check("boot", ("boot",), slow)], QUICK, recorder)
        session.start()
        session.abandon()
    go_on.set()
    found = results.read(tmp_path / "r")
    assert found.verdicts == ()
    assert not found.is_complete
