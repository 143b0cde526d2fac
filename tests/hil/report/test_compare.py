"""A comparison finds what was made worse, stays quiet about chance, and refuses what cannot be compared."""

from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from hil import limits
from hil.errors import Incomparable
from hil.limits import Limit
from hil.measurement import Measurement, Sample
from hil.report import compare_table
from hil.report.compare import Change, Course, compare, exit_code
from hil.report.run import Run
from hil.verdict import judge
from tests.hil.report.made_up import about, received, recorded, spread


def run(*measurements: Measurement, bench: str = "desk", is_simulated: bool = True) -> Run:
    verdicts = tuple(verdict for measurement in measurements for verdict in judge(measurement, is_simulated))
    return Run(about(bench, is_simulated), measurements, verdicts)


def course(was: Measurement, now: Measurement) -> Change:
    (found,) = compare(run(was), run(now))
    return found


def one(check: str, value: float, uncertainty: float) -> Measurement:
    return Measurement(check, limits.of(check), (Sample(value, uncertainty),))


def test_the_same_again_is_no_worse() -> None:
    found = course(received(seed=1), received(seed=2))
    assert found.course is Course.NO_WORSE and found.n == (300, 300)
    assert found.interval is not None and found.interval[0] < 0 < found.interval[1]


def test_all_that_moved_towards_the_limit_is_worse_and_away_is_better() -> None:
    assert course(received(0.08), received(0.1, seed=2)).course is Course.WORSE
    assert course(received(0.1), received(0.08, seed=2)).course is Course.BETTER


def test_a_late_tail_is_worse_though_most_are_as_before() -> None:
    found = course(received(), received(seed=2, late_s=0.03))
    assert found.course is Course.WORSE and found.reason == "Its late samples are later."
    assert found.interval is not None and found.interval[0] > 0.01


def test_a_move_that_matters_to_nobody_is_no_worse_however_sure() -> None:
    found = course(received(0.08, 3000), received(0.082, 3000, seed=2))
    assert found.course is Course.NO_WORSE
    assert found.p is not None and found.p < 0.001


def test_a_move_that_the_instrument_cannot_see_is_not_worse() -> None:
    was, now = received(0.08), received(0.1, seed=2)
    vague = replace(now, samples=tuple(replace(sample, uncertainty=0.05) for sample in now.samples))
    assert course(was, vague).course is not Course.WORSE


def test_few_samples_never_say_no_worse() -> None:
    assert course(received(count=100), received(count=100, seed=2)).course is Course.UNKNOWN
    assert course(received(count=10), received(count=10, seed=2)).course is Course.UNKNOWN


def test_a_floor_is_compared_the_other_way_round() -> None:
    limit = Limit("signal", "signal", "dB", "min", "heard", at_least=10.0)

    def signal(level: float) -> Measurement:
        return Measurement("signal", (limit,), tuple(Sample(level + n / 100) for n in range(59)))

    assert course(signal(20), signal(15)).course is Course.WORSE
    assert course(signal(15), signal(20)).course is Course.BETTER


def test_twenty_measurements_without_a_change_give_no_false_alarm() -> None:
    def made(seed: int) -> Run:
        return run(*[replace(received(0.08, seed=seed + number), name=f"m{number}") for number in range(20)])

    for night in range(5):
        changes = compare(made(1000 * night), made(1000 * night + 500))
        assert not [change for change in changes if change.course in {Course.WORSE, Course.BETTER}]


def test_the_more_is_asked_the_more_each_answer_has_to_prove() -> None:
    was, now = received(0.08, 300), received(0.082, 300, seed=2)
    alone = course(was, now)
    others = [replace(received(), name=f"m{number}") for number in range(9)]
    among = compare(run(was, *others), run(now, *others))[0]
    assert alone.p is not None and 0 < alone.p < 0.05
    assert among.p == pytest.approx(min(1.0, 10 * alone.p))
    assert among.interval is not None and alone.interval is not None
    assert among.interval[0] < alone.interval[0] and among.interval[1] > alone.interval[1]


@pytest.mark.parametrize(
    ("after", "expected"),
    [((20.0, 0.5), Course.WORSE), ((5.0, 0.5), Course.BETTER), ((12.0, 0.5), Course.NO_WORSE),
     ((14.0, 3.0), Course.UNKNOWN)],
)  # fmt: skip
def test_a_trend_is_compared_by_its_own_interval(after: tuple[float, float], expected: Course) -> None:
    assert course(one("drift", 12.0, 0.5), one("drift", *after)).course is expected


def test_a_limit_that_is_broken_now_is_worse_whatever_the_statistics_say() -> None:
    kept = Measurement("power-cut", limits.of("power-cut"), (Sample(0.0),) * 59)
    lost = replace(kept, samples=(Sample(1.0), *kept.samples[1:]))
    assert course(kept, kept).course is Course.NO_WORSE
    assert course(kept, lost).course is Course.WORSE


def test_what_is_not_measured_any_more_is_said_and_counts() -> None:
    changes = compare(run(received(), spread()), run(received(), one("drift", 1.0, 0.1)))
    assert [change.course for change in changes] == [Course.NO_WORSE, Course.GONE, Course.NEW]
    assert exit_code(changes) == 1


def test_only_worse_and_gone_are_an_error() -> None:
    for course in Course:
        assert exit_code([Change("x", course, "")]) == (course in {Course.WORSE, Course.GONE})


def test_another_bench_another_kind_or_another_unit_is_refused() -> None:
    with pytest.raises(Incomparable, match="baseline of the same kind"):
        compare(run(is_simulated=True), run(is_simulated=False))
    with pytest.raises(Incomparable, match=r"desk .* roof"):
        compare(run(bench="desk"), run(bench="roof"))
    other = replace(spread(), limits=(replace(spread().limits[0], unit="ms"),))
    with pytest.raises(Incomparable, match="ms and s"):
        compare(run(spread()), run(other))


def test_the_table_tells_it_without_colour(tmp_path: Path) -> None:
    was, now = recorded(tmp_path / "was", received()), recorded(tmp_path / "now", received(0.1, seed=2))
    console = Console(width=140, no_color=True, record=True, quiet=False, file=(tmp_path / "out").open("w"))
    compare_table.show(compare(was, now), console)
    console.file.close()
    text = (tmp_path / "out").read_text()
    assert "✗ worse" in text and "300 → 300" in text and "Bonferroni" in text and "1 worse" in text
