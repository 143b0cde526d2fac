"""What counts as a sign of life, and when a lamp is missed with reason."""

import pytest

from hil.street.chaos_silence import LIFETIME_NS, SECOND_NS, Course, reproach
from hil.street.passages import RECENT, Passages

RAISED = 1000 * SECOND_NS
SILENT = Course((), (), (), ())


def ago(seconds: float) -> int:
    return RAISED - round(seconds * SECOND_NS)


def test_only_what_is_new_and_says_something_is_a_sign_of_life() -> None:
    passages = Passages()
    for number, data in enumerate(
        [
            b"\x40\x02one",
            b"\x40\x02one",
            b"\x60\x00\x00\x01",
            b"\x60\x44an answer",
            b"",
            b"\x40",
            b"\x40\x02two",
        ]
    ):
        passages.delivered(data, number)
    assert list(passages.heard_ns) == [0, 6]


def test_what_was_said_long_ago_is_new_again() -> None:
    passages = Passages()
    for number in range(RECENT + 1):
        passages.delivered(b"\x40\x02 message %d" % number, number)
    passages.delivered(b"\x40\x02 message 0", 999)
    assert passages.heard_ns[-1] == 999


@pytest.mark.parametrize("seconds", [2, 8, 13.5])
def test_a_lamp_that_was_heard_within_its_lifetime_is_not_lost(seconds: float) -> None:
    powerless = [(ago(20), ago(10))]
    assert reproach(RAISED, SILENT._replace(heard=[ago(seconds)], lost=[ago(9)], powerless=powerless)).startswith(
        "was heard"
    )


def test_what_arrives_at_the_very_moment_decides_nothing() -> None:
    for moment in (RAISED - LIFETIME_NS + SECOND_NS // 2, ago(0.5)):
        assert reproach(RAISED, SILENT._replace(heard=[ago(17), moment], lost=[ago(9)])) == ""


def test_a_lamp_without_power_is_lost_with_reason() -> None:
    heard = [ago(17)]
    assert reproach(RAISED, SILENT._replace(heard=heard, powerless=[(ago(16), ago(-5))])) == ""
    assert "of itself" in reproach(RAISED, SILENT._replace(heard=heard, powerless=[(ago(40), ago(30))]))


def test_a_lamp_whose_words_were_lost_is_lost_with_reason() -> None:
    heard = [ago(17)]
    assert reproach(RAISED, SILENT._replace(heard=heard, lost=[ago(12)])) == ""
    assert "of itself" in reproach(RAISED, SILENT._replace(heard=heard, lost=[ago(25)]))


def test_a_backend_that_was_away_has_forgotten_who_is_fresh() -> None:
    assert reproach(RAISED, SILENT._replace(heard=[ago(5)], downtimes=[(ago(22), ago(20))])) == ""
    assert reproach(RAISED, SILENT._replace(heard=[ago(5)], downtimes=[(ago(90), ago(88))])).startswith("was heard")
