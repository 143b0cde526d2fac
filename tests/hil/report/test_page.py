"""The page, the JUnit file and the terminal tell the facts of the run, all of them and nothing else."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from random import Random

import pytest
from rich.console import Console

from hil import limits
from hil.edges import EdgeTrace
from hil.measurement import Measurement, Sample
from hil.report import figures, junit, page, terminal
from hil.report.run import Run
from hil.verdict import judge
from tests.hil.report.made_up import about, received, recorded, spread


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return recorded(tmp_path, received(), spread())


class Elements(HTMLParser):
    """Every start tag with its attributes, and every tag that was not closed."""

    VOID = {"meta", "br", "link", "img"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def words(text: str) -> str:
    body = re.sub(r"<style>.*?</style>", "", text, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", body))


def test_the_page_needs_nothing_but_itself(run: Run) -> None:
    text = page.document(run)
    elements = Elements(text)
    assert not elements.open
    for tag, attributes in elements.found:
        assert tag not in {"script", "link", "img", "iframe"}
        assert (attributes.get("href") or "#").startswith("#") and "src" not in attributes
    assert "url(" not in text and "http:" not in text and "https:" not in text and "@import" not in text


def test_the_answer_stands_first_with_what_is_wrong(run: Run) -> None:
    text = words(page.document(run))
    assert "✗ FAILED 2 passed, 1 failed, 1 inconclusive, 1 not carried by this bench" in text
    assert text.index("✗ failed spread") < text.index("Boards") < text.index("Every limit")
    for fact in ("desk (simulated)", "2026-11-23 09:00:00 UTC", "ab" * 32, "12.3 ms", "1.24.1", "look at its LED"):
        assert fact in text, fact


def test_each_check_shows_its_requirement_its_samples_and_its_worst(run: Run) -> None:
    text = page.document(run)
    sections = page.sections(run)
    assert [section.check for section in sections] == ["received", "spread", "watchdog"]
    for requirement in ("a command is seen at once", "a zone switches as one"):
        assert f"Requirement: {requirement}." in text
    assert sections[0].worst is not None and sections[0].worst.facts == {"number": 7}
    assert sections[0].waveform and sections[0].histogram
    assert not sections[1].waveform and "no trace was kept" in text
    assert "Board was warm." in text


def test_a_simulated_run_says_so_on_every_page_and_a_real_one_nowhere(tmp_path: Path) -> None:
    simulated = page.document(recorded(tmp_path / "vm", spread()))
    real = page.document(recorded(tmp_path / "real", spread(), is_simulated=False))
    # The banner on the screen, the head of each printed page, and the mark behind its text.
    assert '<p class="simulated"' in simulated and 'content: "SIMULATED' in simulated
    assert '<div class="watermark" aria-hidden="true">SIMULATED</div>' in simulated
    assert "SIMULATED" in (re.search("<title>(.*?)</title>", simulated) or [""])[0]
    assert "SIMULATED" not in real and "Jitter floor" not in real


def test_what_a_board_says_of_itself_is_text(run: Run) -> None:
    text = page.document(run)
    assert "<script>" not in text and "ESP32 &lt;script&gt;" in text


def test_figures_and_tables_can_be_heard(run: Run) -> None:
    text = page.document(run)
    images = re.findall(r"<svg.*?</svg>", text, flags=re.S)
    assert len(images) == 3
    for image in images:
        drawn = ET.fromstring(image)
        title, described = drawn.find("title"), drawn.find("desc")
        assert title is not None and described is not None and drawn.get("role") == "img"
        assert drawn.get("aria-labelledby") == f"{title.get('id')} {described.get('id')}"
    assert text.count("<caption>") == text.count("<table")
    identifiers = [attributes["id"] for _, attributes in Elements(text).found if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    for outcome in ("✓ passed", "✗ failed", "? inconclusive"):
        assert outcome in text


def test_twenty_measurements_of_ten_thousand_samples_fit_in_two_megabytes() -> None:
    drawn = Random(3)
    edges = tuple(range(0, 200_000_000, 1000))
    trace = EdgeTrace("d", edges, tuple(float(n % 2) for n in range(len(edges))), 8, 20, "probe")
    measurements = []
    for number in range(20):
        samples = [Sample(drawn.gauss(0.1, 0.01)) for _ in range(9_999)] + [Sample(0.2, trace=trace)]
        measurements.append(Measurement(f"m{number}", limits.of("received"), tuple(samples)))
    verdicts = tuple(verdict for measurement in measurements for verdict in judge(measurement, True))
    text = page.document(Run(about(), tuple(measurements), verdicts))
    assert len(text.encode()) < 2_000_000


def test_a_run_that_was_broken_off_or_measured_nothing_has_not_passed() -> None:
    assert "? INCONCLUSIVE" in page.document(Run(about())) and "Nothing was judged." in page.document(Run(about()))
    good = spread(0.1)
    broken = Run(about(), (good,), tuple(judge(good, True)), is_complete=False)
    assert "? INCONCLUSIVE" in page.document(broken) and "broken off" in page.document(broken)


def test_every_sample_is_in_a_bar_and_a_far_limit_points_outwards() -> None:
    drawn = ET.fromstring(figures.histogram([1.0] * 599 + [1.1], "s", {"max ≤": 50.0}, {"max": 1.1}, "h", "t"))
    heights = [float(bar.get("height", "")) for bar in drawn.iter("rect")]
    assert len(heights) == 2 and heights[0] == figures.PLOT and heights[1] == 2.0
    (limit,) = [text for text in drawn.iter("text") if "limit" in (text.text or "")]
    assert limit.text == "limit max ≤ 50 →" and limit.get("class") == "limit beyond"
    near = figures.histogram([1.0, 1.1], "s", {"max ≤": 1.2}, {}, "h", "t")
    assert "→" not in near


def test_samples_that_are_all_alike_can_be_drawn() -> None:
    for value in (0.0, 5.0):
        assert (
            len(list(ET.fromstring(figures.histogram([value] * 59, "s", {"max ≤": 0.0}, {}, "h", "t")).iter("rect")))
            == 1
        )


def test_a_waveform_has_its_marks_where_they_were() -> None:
    trace = EdgeTrace("dim0", (0, 500_000_000), (0.0, 1.0), 1000, 1000, "probe")
    drawn = ET.fromstring(figures.waveform(trace, {"asked": 0, "changed": 500_000_000}, "w", "t"))
    marks = [line for line in drawn.iter("line") if line.get("class") == "mark"]
    assert {text.text for text in drawn.iter("text")} >= {"asked 0 ms", "changed 500 ms"}
    (path,) = drawn.iter("path")
    # The step of the path stands at the mark.
    assert f"H{marks[1].get('x1')}V" in path.get("d", "")


def test_pulses_that_are_too_many_to_draw_are_a_band_with_the_duty_in_it() -> None:
    stamps, levels = [], []
    for number in range(5000):
        stamps += [number * 1_000_000, number * 1_000_000 + 250_000]
        levels += [1.0, 0.0]
    trace = EdgeTrace("d", tuple(stamps), tuple(levels), 8, 20, "probe")
    drawn = ET.fromstring(figures.waveform(trace, {}, "w", "t"))
    band, mean = drawn.iter("path")
    assert band.get("class") == "band"
    heights = [float(point.split()[1]) for point in mean.get("d", "")[1:].split("L")]
    top, bottom = 8.0, 8.0 + figures.PLOT
    middle = heights[len(heights) // 2]
    assert (bottom - middle) / (bottom - top) == pytest.approx(0.25, abs=0.03)


def test_a_long_trace_is_shown_around_its_marks() -> None:
    trace = EdgeTrace("d", tuple(range(0, 10**12, 10**9)), (0.0, 1.0) * 500, 8, 20, "probe")
    marks = {"asked": 5 * 10**11, "changed": 5 * 10**11 + 10**9}
    text = figures.waveform(trace, marks, "w", "t")
    # Twice the time between the marks on either side, and room for the last level.
    assert ": 7 levels in 5500 ms" in (ET.fromstring(text).findtext("desc") or "")
    assert figures.waveform(EdgeTrace("d", (), (), 8, 20, ""), {}, "w", "t") == ""


def test_junit_says_failure_error_and_skipped_for_what_they_are(run: Run, tmp_path: Path) -> None:
    junit.write(run, tmp_path / "junit.xml")
    suite = ET.parse(tmp_path / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["5", "1", "1", "1"]
    cases = {(case.get("classname"), case.get("name")): case for case in suite.iter("testcase")}
    passed = cases["hil.received", "command handed to the network to light starts changing: p95"]
    assert passed.find("failure") is None and passed.find("error") is None
    properties = {one.get("name"): one.get("value") for one in passed.iter("property")}
    assert properties["n"] == "300" and properties["limit"] == "0.15" and properties["firmware"] == "ab" * 32
    assert {"p50", "p95", "p99", "max", "uncertainty", "board", "bench"} <= set(properties)
    (failed,) = [case for key, case in cases.items() if key[0] == "hil.spread"]
    assert failed.find("failure") is not None
    error = cases["hil.watchdog", "watchdog"].find("error")
    assert error is not None and error.get("type") == "inconclusive" and "LED" in (error.get("message") or "")
    assert cases["hil.pwm-frequency", "pwm-frequency"].find("skipped") is not None


def test_a_run_that_was_broken_off_is_an_error_in_junit() -> None:
    good = spread(0.1)
    document = junit.document(Run(about(), (good,), tuple(judge(good, True)), is_complete=False))
    assert ET.fromstring(document).get("errors") == "1"


def test_the_terminal_tells_it_without_colour(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as file:
        terminal.show(run, Console(width=120, no_color=True, file=file))
    text = (tmp_path / "out").read_text()
    assert "SIMULATED" in text and "✓ passed" in text and "✗ failed" in text and "? inconclusive" in text
    assert "look at its LED" in text and "p95 ≤ 0.15 s" in text and "not carried by this bench" in text
    assert text.rstrip().splitlines()[-1].startswith("✗ FAILED on desk (SIMULATED): 2 passed, 1 failed")
