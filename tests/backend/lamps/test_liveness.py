"""Status is a pure function of (last heard, lifetime, signed off, now)."""

import pytest

from backend.lamps.liveness import Status, status

NOW = 1_763_800_000_000


@pytest.mark.parametrize(
    ("silent_s", "lifetime_s", "active", "expected"),
    [
        (0, 300, True, Status.ONLINE),
        (300, 300, True, Status.ONLINE),
        (300 + 0.001, 300, True, Status.OFFLINE),
        (1e6, 0, True, Status.ONLINE),
        (0, 300, False, Status.OFFLINE),
        (0, 0, False, Status.OFFLINE),
        (-5, 300, True, Status.ONLINE),
    ],
)
def test_a_lamp_is_there_within_its_lifetime_and_a_grace(
    silent_s: float, lifetime_s: int, active: bool, expected: Status
) -> None:
    assert status(NOW - int(silent_s * 1000), lifetime_s, active, NOW) is expected


def test_a_lamp_that_never_registered_was_never_there() -> None:
    assert status(None, None, None, NOW) is Status.NEVER
