"""Every fault that a pole can have today, from the broken part to the operator's list and back."""

import pytest

from firmware.hal.simulated_conditions import FAULTS
from tests.system.faulty import CASES, UNPOWERED, Books, Case

# A cycling lamp is left alone for an hour before it is believed: 52 s at the rate of the play.
pytestmark = pytest.mark.timeout(240)


def test_no_fault_is_reported_of_poles_in_good_order(faulty_street: Books) -> None:
    assert faulty_street.before == []
    assert faulty_street.exit_codes == []


def test_every_fault_that_can_be_planted_is_played() -> None:
    assert {case.planted for case in CASES} == {*FAULTS, UNPOWERED}


@pytest.mark.parametrize("case", CASES, ids=[case.planted for case in CASES])
def test_a_fault_is_raised_once_by_its_name_cleared_after_the_repair_and_no_other_appears(
    faulty_street: Books, case: Case
) -> None:
    raised = faulty_street.raised[case.planted]
    assert set(raised) == set(case.reported)
    assert faulty_street.cleared[case.planted] == raised
    once = {name: count for name, count in raised.items() if (case.planted, name) != ("cycling", "lamp_failure")}
    assert set(once.values()) <= {1}
