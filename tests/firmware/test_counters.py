"""Starts are counted, and a controller that restarts again and again knows it."""

import pytest

from firmware.codec import cbor
from firmware.counters import LOOP, RECORD, STABLE_MS, Counters
from firmware.errors import StorageError
from firmware.store import Store
from tests.firmware.flash import Flash


def start(flash: Flash, cause: str = "watchdog") -> Counters:
    counters = Counters(Store("", files=flash), cause)
    counters.begin()
    return counters


def test_every_start_counts() -> None:
    flash = Flash()
    assert [start(flash, "power").boots for _ in range(3)] == [1, 2, 3]


def test_five_short_starts_in_a_row_are_a_loop() -> None:
    flash = Flash()
    start(flash, "power")
    assert [start(flash).is_looping for _ in range(LOOP + 1)] == [False] * (LOOP - 1) + [True, True]


def test_a_loss_of_power_is_no_loop() -> None:
    flash = Flash()
    for _ in range(LOOP * 2):
        counters = start(flash, "power")
    assert not counters.is_looping


def test_ten_minutes_without_a_restart_end_the_row() -> None:
    flash = Flash()
    for _ in range(LOOP):
        counters = start(flash)
    counters.tick(STABLE_MS - 1)
    assert counters.is_looping
    counters.tick(STABLE_MS)
    counters.tick(STABLE_MS + 1)
    assert not counters.is_looping
    assert not start(flash).is_looping


def test_a_good_start_writes_its_flash_once() -> None:
    flash = Flash()
    counters = start(flash, "power")
    flash.refuse = True
    counters.tick(STABLE_MS)


def test_flash_that_takes_nothing_says_so_and_the_count_is_right() -> None:
    flash = Flash()
    start(flash)
    flash.refuse = True
    counters = Counters(Store("", files=flash), "watchdog")
    with pytest.raises(StorageError):
        counters.begin()
    assert counters.boots == 2


@pytest.mark.parametrize("record", [b"\xff", cbor.encode(4), cbor.encode([4, 1]), cbor.encode(["a", "b", 0])])
def test_a_record_that_makes_no_sense_starts_at_zero(record: bytes) -> None:
    flash = Flash()
    Store("", files=flash).save(RECORD, record)
    assert start(flash).boots == 1
