"""The bench as somebody with boards on a desk meets it: doctor, run and pytest over a bench.toml."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.bench_cli import FAILED, PASSED, UNUSABLE
from hil.bench_file import load
from hil.desk import ENDED
from hil.measurement import Outcome
from hil.real_bench import RealBenches
from hil.report import results
from hil.scene import Scene
from tests.hil.workbench.desk import Workbench

pytestmark = pytest.mark.timeout(400)

CHECKS = ("boot", "latency", "fade", "output")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    desk = Workbench(tmp_path_factory.mktemp("desk"))
    try:
        yield desk
    finally:
        desk.close()


def test_the_doctor_finds_nothing_wrong_with_a_healthy_desk(desk: Workbench) -> None:
    done = desk.run("streetlight", "hil", "doctor", "--bench", str(desk.file()))
    assert done.returncode == PASSED, done.stdout + done.stderr
    assert "as bench.toml says" in done.stdout


def test_the_doctor_names_channels_that_are_swapped(desk: Workbench) -> None:
    swapped = desk.file(**{"channel = 0": "channel = 9", "channel = 1": "channel = 0", "channel = 9": "channel = 1"})
    done = desk.run("streetlight", "hil", "doctor", "--bench", str(swapped))
    assert done.returncode == FAILED, done.stdout + done.stderr
    assert done.stdout.count("channels swapped") == 2
    assert "2 found" in done.stdout


def test_checks_measure_boards_through_the_probe(desk: Workbench, tmp_path: Path) -> None:
    only = [word for check in CHECKS for word in ("--only", check)]
    done = desk.run(
        "streetlight", "hil", "run", "--bench", str(desk.file()), "--quick", "--report", str(tmp_path / "run"), *only
    )
    assert done.returncode == PASSED, done.stdout + done.stderr
    run = results.read(tmp_path / "run")
    assert not run.about.is_simulated
    assert "stand-in on a desk" in run.about.instrument
    assert {verdict.outcome for verdict in run.verdicts} == {Outcome.PASSED}
    measured = {verdict.check: verdict for verdict in run.verdicts}
    assert {"boot", "override", "received", "fade", "fade-step", "duty", "pwm-frequency"} <= set(measured)
    # Half a percent and one percent are asked of a lamp whose minimum is ten.
    (duty,) = (one for one in run.measurements if one.name == "duty")
    levels = [sample.facts["level"] for sample in duty.samples if sample.board == "board-0"]
    assert levels == [10, 10, 10, 50, 90, 99, 100]


def test_pytest_runs_the_same_checks(desk: Workbench) -> None:
    done = desk.run("pytest", "hil", "--bench", str(desk.file()), "--quick", "--only", "boot", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_what_a_run_left_behind_is_in_no_way_of_the_next(desk: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", desk.paths)
    for _ in range(2):
        benches = RealBenches(load(desk.file()))
        try:
            benches.start()
            with benches.open(Scene()) as bench:
                known = bench.desk.api.pages("/overrides", active=True, limit=500)
                assert all(ENDED.issuperset(override["outcomes"]) for override in known)
                bench.desk.override(0, 40)
                bench.desk.override_together([0, 1], 45, int(bench.clock.utc_ms(time.monotonic_ns())) + 60_000)
        finally:
            benches.close()


def test_a_board_that_the_city_does_not_know_is_refused(desk: Workbench) -> None:
    stranger = desk.file(**{desk.endpoints[1]: "urn:dev:mac:0123456789abcdef"})
    done = desk.run("streetlight", "hil", "run", "--bench", str(stranger))
    assert done.returncode == UNUSABLE
    assert "no lamp of the bench's city has the endpoint urn:dev:mac:0123456789abcdef" in done.stderr


def test_a_city_that_is_not_there_is_refused(desk: Workbench) -> None:
    done = desk.run("streetlight", "hil", "doctor", "--bench", str(desk.file(**{'"city"': '"village"'})))
    assert done.returncode == UNUSABLE
    assert "provision the boards into the backend over it" in done.stderr
