"""Bugs that are planted in the firmware are found by the check that must find them, and by no other."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from hil.checks.table import named
from hil.drivers.simulated_bench import SimulatedBenches
from hil.effort import Effort
from hil.measurement import Outcome
from hil.report import results
from hil.run import session
from tests.hil.planted import BUGS, tree_with

# Enough to see what is broken; two boards, so that several benches fit on one computer.
EFFORT = Effort(samples=2, latency=20, commands=200, is_quick=True)
BOARDS = 2
QUICK_CHECKS = ("latency", "fade", "watchdog", "heap")
FOUND_BY = {
    "a fade takes 20 % too long": "fade",
    "a step is missed": "step",
    "a command is applied 400 ms late": "latency",
    "a hung task stays hung": "watchdog",
    "a command leaks 100 bytes": "heap",
}
AT_A_TIME = 3

Found = dict[str, set[Outcome]]


def measure(bug: str, directory: Path) -> Found:
    """Outcomes by check."""
    checks = named([*QUICK_CHECKS, *(["step"] if FOUND_BY[bug] == "step" else [])])
    tree = tree_with(bug, directory / "tree")
    benches = SimulatedBenches(directory / "bench", BOARDS, tree)
    with session(benches, directory / "report", checks, EFFORT):
        pass
    run = results.read(directory / "report")
    check_of = {name: check.name for check in checks for name in check.measures}
    found: Found = {check.name: set() for check in checks}
    for verdict in run.verdicts:
        found[check_of[verdict.check]].add(verdict.outcome)
        print(bug, verdict.check, verdict.outcome, verdict.reason)
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Future[Found]]:
    """All of them, the longest first."""
    stage = ThreadPoolExecutor(AT_A_TIME)
    bugs = sorted(BUGS, key=lambda bug: FOUND_BY[bug] != "step")
    begun = {bug: stage.submit(measure, bug, tmp_path_factory.mktemp("planted")) for bug in bugs}
    stage.shutdown(wait=False)
    return begun


@pytest.mark.timeout(400)
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_fails_exactly_the_right_check(bug: str, runs: dict[str, Future[Found]]) -> None:
    found = runs[bug].result()
    assert {check for check, outcomes in found.items() if Outcome.FAILED in outcomes} == {FOUND_BY[bug]}
    # So few commands cannot prove that nothing leaks; all else must have passed.
    rest = {check: outcomes for check, outcomes in found.items() if check not in (FOUND_BY[bug], "heap")}
    assert all(outcomes == {Outcome.PASSED} for outcomes in rest.values()), rest
