"""The replay window: what was seen is refused for ever. Source: RFC 8613 section 7.4."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.oscore.window import SIZE, ReplayWindow


def test_a_number_is_accepted_once() -> None:
    window = ReplayWindow()
    assert window.is_fresh(0)
    window.mark(0)
    assert not window.is_fresh(0)
    assert window.is_fresh(1)


def test_late_numbers_are_accepted_within_the_window() -> None:
    window = ReplayWindow()
    window.mark(40)
    assert window.is_fresh(9)
    assert not window.is_fresh(8)
    window.mark(9)
    assert not window.is_fresh(9)
    assert window.is_fresh(10)


def test_a_jump_beyond_the_window_forgets_nothing() -> None:
    window = ReplayWindow()
    for number in (3, 3 + SIZE, 3 + 5 * SIZE, (1 << 40) - 1):
        window.mark(number)
        assert not window.is_fresh(number)
        assert window.is_fresh(number - 1)
        assert not window.is_fresh(number - SIZE)


def test_what_is_below_the_start_counts_as_seen() -> None:
    window = ReplayWindow(100)
    assert not any(window.is_fresh(number) for number in range(100))
    assert window.is_fresh(100)


@given(st.lists(st.integers(0, 120), max_size=60), st.integers(0, 60))
@settings(max_examples=200)
def test_the_window_does_what_a_set_would_do(numbers: list[int], lowest: int) -> None:
    window = ReplayWindow(lowest)
    seen: set[int] = set()
    for number in numbers:
        highest = max(seen, default=lowest - 1)
        expected = number >= lowest and number not in seen and number > highest - SIZE
        assert window.is_fresh(number) == expected
        if expected:
            window.mark(number)
            seen.add(number)
