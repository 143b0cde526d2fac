"""Differences and their likely reasons. Pure."""

from dataclasses import replace

import pytest

from backend.explain.comparison import Circumstances, differences, reasons
from backend.explain.models import Expected, Said

SAID = Said(at=1000, rung="schedule", level=50, level_now=50, words="w", until=None)
EXPECTED = Expected(
    rung="schedule",
    level=50,
    level_now=50,
    words="w",
    program="Week",
    rule=1,
    schedule_id=1,
    version=1,
    override_id=None,
    source="schedule Centre, version 1",
    since=500,
    until=None,
)
FINE = Circumstances(
    is_online=True,
    heard_words="last heard at noon",
    schedule_status="verified",
    schedule_detail="",
    holds_other_schedule=False,
    override_state=None,
    cancelling=False,
    clock_error_ms=40,
)


def test_what_is_equal_or_unknown_is_no_difference() -> None:
    assert differences(SAID, EXPECTED) == []
    assert differences(SAID, EXPECTED.model_copy(update={"level": None})) == []
    assert differences(SAID.model_copy(update={"rung": None, "level": None}), EXPECTED) == []


def test_rung_and_level_are_compared() -> None:
    found = differences(SAID.model_copy(update={"rung": "default", "level": 80}), EXPECTED)
    assert found == [
        "rung: the lamp says default, the backend schedule",
        "level: the lamp says 80 %, the backend 50 %",
    ]


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (replace(FINE, is_online=False), "last heard at noon"),
        (replace(FINE, override_state="accepted"), "not reached the lamp yet: it is accepted"),
        (replace(FINE, cancelling=True), "was cancelled"),
        (replace(FINE, schedule_status="pending"), "not verified; it is pending."),
        (replace(FINE, schedule_status="refused", schedule_detail="no room"), "refused: no room"),
        (replace(FINE, holds_other_schedule=True), "another schedule"),
        (replace(FINE, clock_error_ms=-1), "no clock"),
        (replace(FINE, clock_error_ms=15_000), "wrong by 15 s"),
        (FINE, "Nothing that the backend knows"),
    ],
)
def test_each_circumstance_has_its_words(known: Circumstances, words: str) -> None:
    (reason,) = reasons(SAID, EXPECTED, known)
    assert words in reason


def test_a_report_from_before_and_a_strange_override_are_told() -> None:
    old = SAID.model_copy(update={"at": 400})
    assert "not reported since" in reasons(old, EXPECTED, FINE)[0]
    strange = SAID.model_copy(update={"rung": "override"})
    assert "did not send" in reasons(strange, EXPECTED, FINE)[0]
    assert "no clock" in reasons(SAID.model_copy(update={"rung": "failsafe"}), EXPECTED, FINE)[0]
