"""What the lamp tells by itself, and when, with the clock of a lamp and a queue."""

import pytest

from contract import faults, objects, paths
from firmware.clock import Clock
from firmware.codec import senml
from firmware.lwm2m.node import Node
from firmware.lwm2m.queue import Queue
from firmware.lwm2m.reports import EVIDENCE_PATHS, NUMBERS, SUMMARY_PATHS, TELEMETRY_PATHS, Reports
from firmware.lwm2m.tree import Tree
from tests.firmware.lwm2m.fakes import FakeStore

UTC_MS = 1_800_000_000_000


class Measured(Node):
    """One of the lamp's own objects with some values."""

    def __init__(self, object, values):
        super().__init__()
        self.OBJECT = objects.find_object(object)
        self.values = values

    def present(self, instance):
        return sorted(self.values)

    def read(self, instance, resource):
        return self.values[resource]


class Bench:
    def __init__(self, draw=lambda n: 0):
        self.interval_s = 900
        self.luminaire = Measured(3416, {2: 50, 3: 50, 15: 12.5, 18: 7, 21: None})
        self.meter = Measured(3418, {1: 230.0, 2: 0.2, 4: float("nan"), 5: 0.9, 6: 100.0})
        self.status = Measured(42769, {0: "schedule", 3: "0123456789abcdef", 6: 20, 7: 1, 8: 2, 14: 0})
        self.queue = Queue(FakeStore())
        self.clock = Clock()
        tree = Tree([self.luminaire, self.meter, self.status])
        self.reports = Reports(tree, self.queue, self.clock, lambda: self.interval_s, draw)

    def take(self):
        """The reports that wait, each as {path text: (time_s, value)}."""
        taken = []
        while self.queue.next() is not None:
            key, payload = self.queue.next()
            records = senml.decode_cbor(payload)
            taken.append({paths.format(record.path): (record.time_s, record.value) for record in records})
            self.queue.acknowledge(key)
        return taken


@pytest.fixture
def bench():
    return Bench()


def test_telemetry_holds_what_the_lamp_has_at_one_time(bench):
    bench.clock.offer(UTC_MS, 0, 0)
    bench.reports.report(TELEMETRY_PATHS, 5000)
    [report] = bench.take()
    assert {path: value for path, (_, value) in report.items()} == {
        "/3416/0/2": 50,
        "/3416/0/3": 50,
        "/3416/0/15": 12.5,
        "/3418/0/1": 230.0,
        "/3418/0/2": 0.2,
        "/3418/0/5": 0.9,
        "/3418/0/6": 100.0,
        "/42769/0/0": "schedule",
        "/42769/0/3": "0123456789abcdef",
        "/42769/0/14": 0,
    }
    assert {time_s for time_s, _ in report.values()} == {UTC_MS // 1000 + 5}


def test_a_lamp_without_a_clock_leaves_the_time_to_the_server(bench):
    bench.reports.report(TELEMETRY_PATHS, 5000)
    [report] = bench.take()
    assert {time_s for time_s, _ in report.values()} == {None}


def test_the_driver_temperature_is_told_where_there_is_one(bench):
    bench.luminaire.values[21] = 61.5
    bench.reports.report(TELEMETRY_PATHS, 0)
    assert bench.take()[0]["/3416/0/21"] == (None, 61.5)


def test_evidence_tells_when_a_command_came_and_the_light_changed(bench):
    bench.reports.report(EVIDENCE_PATHS, 0)
    report = bench.take()[0]
    assert [report[path][1] for path in ("/42769/0/6", "/42769/0/7", "/42769/0/8")] == [20, 1, 2]


def test_a_lamp_that_has_nothing_reports_nothing(bench):
    bench.reports.report((9 * NUMBERS,), 0)
    assert bench.take() == []


def test_every_lamp_has_its_own_phase():
    for phase_ms in (0, 123456, 899999):
        bench = Bench(lambda n, phase_ms=phase_ms: phase_ms)
        due_ms = [bench.reports.poll(1000)]
        for _ in range(3):
            due_ms.append(bench.reports.poll(due_ms[-1]))
        assert due_ms == [1000 + phase_ms + 900000 * number for number in range(4)]
        assert len(bench.take()) == 3


def test_nothing_is_reported_before_it_is_due(bench):
    due_ms = bench.reports.poll(0) or bench.reports.poll(0)
    assert due_ms == 900000
    bench.take()
    assert bench.reports.poll(899999) == 900000
    assert bench.take() == []


def test_what_was_missed_is_not_made_up_for(bench):
    bench.reports.poll(0)
    assert bench.reports.poll(10_000_000) == 10_800_000
    assert len(bench.take()) == 1


def test_a_new_interval_counts_from_now(bench):
    bench.reports.poll(0)
    bench.reports.poll(0)
    bench.take()
    bench.interval_s = 10
    assert bench.reports.poll(1000) == 1000
    assert bench.reports.poll(1000) == 11000


def test_a_fault_is_its_resource_and_whether_it_is_so(bench):
    bench.clock.offer(UTC_MS, 0, 0)
    bench.reports.fault(faults.LAMP_FAILURE.code, True, 0)
    bench.reports.fault(faults.OVER_TEMPERATURE.code, False, 7000)
    assert bench.take() == [
        {"/3416/0/5": (UTC_MS // 1000, True)},
        {"/42769/0/12/20": (UTC_MS // 1000 + 7, False)},
    ]


def test_a_fault_that_no_lamp_can_show_is_a_mistake_of_the_program(bench):
    with pytest.raises(ValueError, match="backend only"):
        bench.reports.fault(faults.COMMUNICATION_LOST.code, True, 0)
    with pytest.raises(KeyError):
        bench.reports.fault(99, True, 0)


def test_every_fault_of_the_lamp_can_be_reported(bench):
    for fault in faults.ALL:
        if fault.path is not None:
            bench.reports.fault(fault.code, True, 0)
            [report] = bench.take()
            assert list(report) == [paths.format(fault.path)]


def test_the_summary_has_energy_hours_switches_and_the_extremes_of_the_voltage(bench):
    bench.clock.offer(UTC_MS, 0, 10_000_000)
    bench.reports.summary(10_000_000, ((4_000_000, 221.5), (5_000_000, 239.0)))
    key, payload = bench.queue.next()
    records = senml.decode_cbor(payload)
    bench.queue.acknowledge(key)
    now_s = UTC_MS // 1000
    assert [(paths.format(record.path), record.time_s, record.value) for record in records] == [
        ("/3418/0/6", now_s, 100.0),
        ("/3416/0/15", now_s, 12.5),
        ("/3416/0/18", now_s, 7),
        ("/42769/0/14", now_s, 0),
        ("/3418/0/1", now_s - 6000, 221.5),
        ("/3418/0/1", now_s - 5000, 239.0),
    ]


def test_a_summary_without_a_clock_has_no_times(bench):
    bench.reports.summary(0, ((0, 221.5),))
    assert {time_s for time_s, _ in bench.take()[0].values()} == {None}
    assert len(SUMMARY_PATHS) == 4
