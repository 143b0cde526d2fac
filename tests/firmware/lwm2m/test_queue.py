"""Reports that wait: order, bounds, restarts, a flash that fails."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import limits
from firmware.lwm2m import queue
from firmware.lwm2m.queue import FAULT, SUMMARY, TELEMETRY, Queue
from tests.firmware.lwm2m.fakes import FakeStore


@pytest.fixture
def store():
    return FakeStore()


def drain(waiting, count=10000):
    """Send and acknowledge up to `count` reports; returns their payloads."""
    payloads = []
    while len(payloads) < count and waiting.next() is not None:
        key, payload = waiting.next()
        payloads.append(payload)
        waiting.acknowledge(key)
    return payloads


def fill(waiting, first, count, kind=TELEMETRY):
    for number in range(first, first + count):
        waiting.put(kind, b"%04d" % number)
    return [b"%04d" % number for number in range(first, first + count)]


class TestOrder:
    def test_faults_go_first_then_the_oldest(self, store):
        waiting = Queue(store)
        waiting.put(TELEMETRY, b"a")
        waiting.put(SUMMARY, b"b")
        waiting.put(TELEMETRY, b"c")
        waiting.put(FAULT, b"d", 1)
        waiting.put(FAULT, b"e", 1)
        assert waiting.waiting() == 5
        assert drain(waiting) == [b"d", b"e", b"a", b"b", b"c"]
        assert waiting.waiting() == 0

    def test_a_report_stays_until_it_is_acknowledged(self, store):
        waiting = Queue(store)
        waiting.put(TELEMETRY, b"a")
        assert waiting.next() == waiting.next()
        waiting.acknowledge(999)
        assert waiting.next()[1] == b"a"

    def test_an_empty_queue_has_nothing(self, store):
        assert Queue(store).next() is None

    def test_telemetry_goes_out_in_order_from_flash_and_ram(self, store):
        waiting = Queue(store)
        expected = fill(waiting, 0, 100)
        assert waiting.waiting() == 100
        assert drain(waiting, 30) == expected[:30]
        expected += fill(waiting, 100, 50)
        assert waiting.waiting() == 120
        assert drain(waiting) == expected[30:]
        assert not [name for name in store.records if name != "reports_faults"]


class TestFlash:
    def test_telemetry_that_is_answered_never_touches_it(self, store):
        waiting = Queue(store)
        for number in range(200):
            waiting.put(TELEMETRY, b"x%d" % number)
            drain(waiting)
        assert store.writes == 0

    def test_telemetry_costs_one_write_for_twenty(self, store):
        waiting = Queue(store)
        fill(waiting, 0, 400)
        assert store.writes == (400 - limits.REPORTS_IN_RAM + 19) // 20

    def test_faults_and_summaries_survive_a_power_cut_at_once(self, store):
        waiting = Queue(store)
        waiting.put(FAULT, b"f", 3)
        waiting.put(SUMMARY, b"s")
        waiting.put(TELEMETRY, b"lost in RAM")
        assert drain(Queue(store)) == [b"f", b"s"]

    def test_segments_survive_and_new_reports_come_after_them(self, store):
        expected = fill(Queue(store), 0, 60)[:40]
        after = Queue(store)
        expected += fill(after, 200, 3)
        after.put(FAULT, b"f", 1)
        assert after.waiting() == 44
        assert drain(after) == [b"f", *expected]

    def test_a_partly_acknowledged_segment_is_sent_again(self, store):
        waiting = Queue(store)
        expected = fill(waiting, 0, 60)
        assert drain(waiting, 25) == expected[:25]
        assert drain(Queue(store)) == expected[20:40]

    def test_a_planned_restart_loses_nothing(self, store):
        waiting = Queue(store)
        expected = fill(waiting, 0, 45)
        waiting.flush()
        assert drain(Queue(store)) == expected

    def test_what_was_acknowledged_is_gone_after_a_restart(self, store):
        waiting = Queue(store)
        waiting.put(FAULT, b"f", 3)
        waiting.put(SUMMARY, b"s")
        drain(waiting)
        assert Queue(store).waiting() == 0

    def test_what_comes_after_a_restart_is_not_mistaken_for_what_was_before(self, store):
        Queue(store).put(SUMMARY, b"s")
        after = Queue(store)
        after.put(FAULT, b"f", 1)
        after.put(TELEMETRY, b"t")
        assert drain(after) == [b"f", b"s", b"t"]

    def test_large_reports_make_small_segments(self, store):
        waiting = Queue(store)
        payloads = [bytes((number,)) * 1700 for number in range(40)]
        for payload in payloads:
            waiting.put(TELEMETRY, payload)
        assert max(len(data) for data in store.records.values()) <= 8192
        assert drain(waiting) == payloads

    def test_a_record_of_another_version_is_not_understood_and_not_fatal(self, store):
        store.records["reports_faults"] = b"\xff"
        store.records["reports_0"] = b"\x83\x00\x00\x81\x01"
        store.records["reports_summaries"] = b"\x01"
        waiting = Queue(store)
        assert waiting.next() is None
        assert waiting.failures == 3

    def test_a_segment_that_is_lost_while_it_waits_is_counted(self, store):
        waiting = Queue(store)
        expected = fill(waiting, 0, 80)
        del store.records["reports_0"]
        assert drain(waiting) == expected[20:]
        assert waiting.dropped == 20


class TestBounds:
    def test_the_oldest_telemetry_goes_and_the_loss_is_counted(self, store):
        waiting = Queue(store)
        total = limits.TELEMETRY_ON_FLASH + limits.REPORTS_IN_RAM + 100
        expected = fill(waiting, 0, total)
        sent = drain(waiting)
        assert sent == expected[waiting.dropped :]
        assert waiting.dropped == 100
        assert waiting.failures == 0

    def test_the_loss_is_known_after_a_restart(self, store):
        before = Queue(store)
        fill(before, 0, 800)
        after = Queue(store)
        after.load()
        assert after.dropped == before.dropped == 180

    def test_dropping_the_segment_that_is_being_sent_counts_what_was_not_acknowledged(self, store):
        waiting = Queue(store)
        fill(waiting, 0, limits.TELEMETRY_ON_FLASH + 15)
        drain(waiting, 5)
        key = waiting.next()[0]
        fill(waiting, 1000, 20)
        assert waiting.dropped == 15
        waiting.acknowledge(key)
        assert waiting.next()[1] == b"0020"

    def test_faults_are_never_dropped_but_flapping_ones_are_merged(self, store):
        waiting = Queue(store)
        waiting.put(FAULT, b"first", 7)
        fault_payloads = []
        for number in range(limits.FAULTS_ON_FLASH + 50):
            payload = b"flap%d" % number
            waiting.put(FAULT, payload, 5)
            fault_payloads.append(payload)
        sent = drain(waiting)
        assert sent[:2] == [b"first", b"flap0"]
        assert sent[-1] == fault_payloads[-1]
        assert len(sent) <= limits.FAULTS_ON_FLASH
        assert len(sent) + waiting.merged == limits.FAULTS_ON_FLASH + 51
        assert waiting.dropped == 0

    def test_merging_keeps_raised_and_cleared_in_turn(self, store):
        waiting = Queue(store)
        for number in range(200):
            waiting.put(FAULT, b"raised" if number % 2 == 0 else b"cleared", 5)
        sent = drain(waiting)
        assert all(one != other for one, other in itertools.pairwise(sent))

    def test_only_so_many_summaries_wait(self, store):
        waiting = Queue(store)
        expected = fill(waiting, 0, 20, SUMMARY)
        assert drain(waiting) == expected[6:]
        assert waiting.dropped == 6


class TestRefusal:
    def test_telemetry_that_is_refused_three_times_is_dropped(self, store):
        waiting = Queue(store)
        fill(waiting, 0, 2)
        for _ in range(3):
            assert waiting.next()[1] == b"0000"
            waiting.refuse(waiting.next()[0])
        assert waiting.next()[1] == b"0001"
        assert waiting.dropped == 1

    def test_a_refused_fault_is_set_aside_until_the_next_registration(self, store):
        waiting = Queue(store)
        waiting.put(FAULT, b"f", 1)
        waiting.put(TELEMETRY, b"t")
        for _ in range(3):
            waiting.refuse(waiting.next()[0])
        assert waiting.next()[1] == b"t"
        waiting.retry()
        assert drain(waiting) == [b"f", b"t"]
        assert waiting.dropped == 0

    def test_refusals_are_counted_for_one_report(self, store):
        waiting = Queue(store)
        fill(waiting, 0, 2)
        waiting.refuse(1)
        waiting.refuse(1)
        waiting.refuse(2)
        waiting.refuse(1)
        assert waiting.dropped == 0


class TestFullFlash:
    def test_faults_stay_in_ram_and_are_kept_when_it_recovers(self, store):
        waiting = Queue(store)
        store.is_full = True
        waiting.put(FAULT, b"f", 1)
        waiting.put(SUMMARY, b"s")
        assert waiting.failures == 2
        store.is_full = False
        waiting.put(FAULT, b"g", 2)
        assert drain(Queue(store)) == [b"f", b"g"]
        assert drain(waiting) == [b"f", b"g", b"s"]

    def test_telemetry_that_cannot_be_kept_is_counted(self, store):
        waiting = Queue(store)
        store.is_full = True
        expected = fill(waiting, 0, 60)
        assert waiting.dropped == 40
        assert drain(waiting) == expected[40:]

    def test_a_segment_that_cannot_be_removed_is_only_sent_again(self, store):
        waiting = Queue(store)
        expected = fill(waiting, 0, 40)
        store.is_full = True
        assert drain(waiting) == expected
        store.is_full = False
        assert drain(Queue(store)) == expected[:20]


@settings(max_examples=100)
@given(
    steps=st.lists(
        st.sampled_from(["telemetry", "telemetry", "burst", "fault", "summary", "send", "send", "drain", "restart"]),
        max_size=60,
    )
)
def test_every_report_is_sent_in_order_or_counted(steps):
    store = FakeStore()
    waiting = Queue(store)
    number = 0
    put, sent = [], []
    for step in steps:
        if step in ("telemetry", "burst"):
            for _ in range(1 if step == "telemetry" else 90):
                number += 1
                waiting.put(TELEMETRY, b"%06d" % number)
                put.append(b"%06d" % number)
        elif step == "fault":
            number += 1
            waiting.put(FAULT, b"%06d" % number, number % 20)
            put.append(b"%06d" % number)
        elif step == "summary":
            number += 1
            waiting.put(SUMMARY, b"%06d" % number)
            put.append(b"%06d" % number)
        elif step == "restart":
            waiting.flush()
            waiting = Queue(store)
        else:
            sent += drain(waiting, 3 if step == "send" else 10000)
    sent += drain(waiting)
    unique = set(sent)
    assert unique <= set(put)
    assert len(unique) + waiting.dropped + waiting.merged >= len(put)
    if waiting.dropped == 0 and waiting.merged == 0:
        assert unique == set(put)


def test_the_segments_hold_what_the_contract_promises():
    assert queue.SEGMENTS * queue.SEGMENT_REPORTS == limits.TELEMETRY_ON_FLASH
