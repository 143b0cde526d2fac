"""The probe's driver against the probe's program: every edge, one clock, and no trace with a hole in it."""

import os
import pty
import subprocess
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil.drivers.photodiode import Photodiode
from hil.drivers.probe import Probe, open_port
from hil.errors import InstrumentFailed, InstrumentReset, InstrumentSilent, NothingSeen, TraceOverflow
from tests.firmware.hal import vm
from tests.hil.drivers.fake_probe import FakePort, Time

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SECOND_NS = 1_000_000_000


@contextmanager
def a_probe(port: FakePort | None = None) -> Iterator[tuple[Probe, FakePort]]:
    port = port or FakePort(Time())
    probe = Probe(port, "/dev/fake", port.time.now_ns)
    try:
        yield probe, port
    finally:
        probe.close()


def test_it_says_who_it_is() -> None:
    with a_probe() as (probe, _):
        assert probe.describe() == "stand-in 0123 of a chip, 2 channels, 8 ns"


def test_every_edge_is_told_with_its_moment_and_level() -> None:
    with a_probe() as (probe, port):
        probe.start()
        port.time.ns += SECOND_NS // 2
        trace = probe.trace("0", 0)
    assert trace.t_ns[:4] == (0, 500_000, 1_000_000, 1_500_000)
    assert trace.level[:4] == (0, 1, 0, 1)
    assert {b - a for a, b in zip(trace.t_ns, trace.t_ns[1:], strict=False)} == {500_000}
    assert len(trace) > 1000
    assert (trace.resolution_ns, trace.uncertainty_ns, trace.source) == (8, 16, "stand-in/0")


def test_a_trace_from_the_middle_begins_with_the_level_in_force() -> None:
    with a_probe() as (probe, port):
        probe.start()
        port.time.ns += 10_000_000
        trace = probe.trace("0", 2_700_000)
        at_an_edge = probe.trace("0", 3_000_000)
    assert (trace.t_ns[:2], trace.level[:2]) == ((2_700_000, 3_000_000), (1, 0))
    assert (at_an_edge.t_ns[:2], at_an_edge.level[:2]) == ((3_000_000, 3_500_000), (0, 1))


def test_a_channel_that_rests_is_dark_from_the_start() -> None:
    with a_probe() as (probe, _):
        probe.start()
        trace = probe.trace("1", 0)
    assert (trace.t_ns, trace.level) == ((0,), (0,))


def test_the_counter_may_turn_many_times_between_edges() -> None:
    """2**32 steps of 8 ns are 34 s: an edge each 47 s, for 20 minutes, in which ticks_us turns as well."""
    port = FakePort(Time(), half_periods_us=(47_000_000, 0))
    with a_probe(port) as (probe, _):
        probe.start()
        for _ in range(1200):
            port.time.ns += SECOND_NS
            port.turn()
        trace = probe.trace("0", 0)
    assert trace.t_ns == tuple(number * 47 * SECOND_NS for number in range(len(trace)))
    assert len(trace) == 26


def test_a_host_moment_is_found_on_the_probes_clock() -> None:
    port = FakePort(Time())
    port.skew_ppm = 80
    with a_probe(port) as (probe, _):
        before_ns = port.time.ns
        probe.start()
        for _ in range(3):
            host_ns = port.time.now_ns()
            begun_ns = before_ns * (1_000_000 + 80) // 1_000_000
            truth_ns = host_ns * (1_000_000 + 80) // 1_000_000 - begun_ns
            found = probe.stamp(host_ns)
            # start itself lies within its first write
            assert abs(found.t_ns - truth_ns) <= found.uncertainty_ns + port.delay_ns + 50_000
            assert 20_000 < found.uncertainty_ns < 2 * port.delay_ns + 60_000
            port.time.ns += 600 * SECOND_NS // 1000
            port.turn()


def test_waiting_ends_with_the_edge() -> None:
    with a_probe() as (probe, port):
        probe.start()
        port.time.ns += 10_000_000
        port.turn()
        assert probe.wait("0", 1_600_000, 1) == 2_000_000
        assert probe.wait("0", 2_000_000, 1) == 2_500_000


def test_waiting_for_nothing_says_where_to_look() -> None:
    with a_probe() as (probe, _):
        probe.start()
        with pytest.raises(NothingSeen, match=r"channel 1 .*common ground"):
            probe.wait("1", 0, 0.01)


@pytest.mark.parametrize("verb", ["trace", "stamp", "wait", "start"])
def test_a_probe_that_falls_silent_is_silent_and_not_still(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.drivers.probe.ANSWER_S", 0.05)
    monkeypatch.setattr(Probe._ask, "__defaults__", (0.05,))
    with a_probe() as (probe, port):
        probe.start()
        port.is_silent = True
        with pytest.raises(InstrumentSilent, match="does not answer"):
            {
                "trace": lambda: probe.trace("0", 0),
                "stamp": lambda: probe.stamp(port.time.now_ns()),
                "wait": lambda: probe.wait("1", 0, 0.01),
                "start": probe.start,
            }[verb]()


def test_no_probe_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe._ask, "__defaults__", (0.05,))
    port = FakePort(Time())
    port.is_silent = True
    with pytest.raises(InstrumentSilent, match=r"/dev/fake does not answer.*bench\.toml"):
        Probe(port, "/dev/fake", port.time.now_ns)
    with pytest.raises(InstrumentSilent, match="cannot be opened"):
        open_port(str(HERE / "no-such-port"))


def test_a_cable_that_is_pulled_is_said() -> None:
    with a_probe() as (probe, port):
        probe.start()
        port.unplug()
        with pytest.raises(InstrumentSilent, match="is gone"):
            probe.trace("0", 0)


def test_a_reset_in_the_middle_is_another_clock() -> None:
    with a_probe() as (probe, port):
        probe.start()
        port.time.ns += 10_000_000
        port.turn()
        port.reset()
        with pytest.raises(InstrumentReset, match="started again"):
            probe.trace("0", 0)
        probe.start()
        assert probe.trace("0", 0).t_ns[0] == 0


def test_an_overflow_hands_out_no_trace() -> None:
    with a_probe() as (probe, port):
        probe.start()
        port.time.ns += 2 * SECOND_NS  # 4000 edges, a ring of 2048
        with pytest.raises(TraceOverflow, match="channel 0"):
            probe.trace("0", 0)


def test_a_lost_frame_hands_out_no_trace() -> None:
    with a_probe() as (probe, port):
        probe.start()
        port.swallow = 1
        port.time.ns += 10_000_000
        port.turn()
        with pytest.raises(TraceOverflow, match="1 frames"):
            probe.trace("0", 0)


def test_garbage_between_frames_harms_nothing() -> None:
    port = FakePort(Time())
    port.garbage = b"\0MPY: soft reboot\r\n\0\x07\x08\0"
    with a_probe(port) as (probe, _):
        probe.start()
        port.time.ns += 10_000_000
        assert len(probe.trace("0", 0)) > 20


def test_a_probe_with_another_program_is_refused() -> None:
    port = FakePort(Time())
    port.version = 9
    with pytest.raises(InstrumentFailed, match=r"speaks version 9.*anew"):
        Probe(port, "/dev/fake", port.time.now_ns)


def test_a_channel_that_there_is_not_is_named() -> None:
    with a_probe() as (probe, _):
        probe.start()
        for wrong in ("2", "D0", "-1", ""):
            with pytest.raises(InstrumentFailed, match="0 to 1"):
                probe.trace(wrong, 0)


def test_a_second_start_forgets_the_first() -> None:
    with a_probe() as (probe, port):
        probe.start()
        port.time.ns += SECOND_NS // 2
        port.turn()
        probe.start()
        port.time.ns += 2_000_000
        assert len(probe.trace("0", 0)) < 50


def test_light_comes_as_a_waveform() -> None:
    with a_probe() as (probe, _):
        with pytest.raises(InstrumentFailed, match="not started"):
            Photodiode(probe).waveform(0.1)
        probe.start()
        found = Photodiode(probe).waveform(0.1)
    assert len(found.level) == 2000
    assert found.period_ns == 50_000
    assert found.level[1000] == pytest.approx(1000 / 4095)


def test_a_bright_light_is_no_measurement_and_some_probes_have_no_sensor() -> None:
    with a_probe() as (probe, port):
        probe.start()
        port.chip.samples = lambda: b"\xff\x0f" * 2000  # type: ignore[method-assign]
        with pytest.raises(InstrumentFailed, match="saturated"):
            Photodiode(probe).waveform(0.1)
        for wrong in (0, 60):
            with pytest.raises(ValueError, match="long"):
                Photodiode(probe).waveform(wrong)
    with a_probe(FakePort(Time(), has_sensor=False)) as (probe, _):
        probe.start()
        with pytest.raises(InstrumentFailed, match="cannot sample"):
            Photodiode(probe).waveform(0.1)


def test_the_program_on_micropython_serves_the_driver_over_a_terminal() -> None:
    """Only the chip is a stand-in: interpreter, port, wire and driver are the true ones, and so is the time."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    command = [*vm.VM, "-X", "heapsize=96wK", str(ROOT / "tests/hil/probe/main.py"), str(ROOT), "77"]
    process = subprocess.Popen(command, stdin=master, stdout=master, env=vm.environment())
    try:
        probe = Probe(open_port(os.ttyname(slave)), os.ttyname(slave))
        try:
            probe.start()
            edge_ns = probe.wait("0", 0, 5)
            trace = probe.trace("0", 0)
            found = probe.stamp(probe._now_ns())
            waveform = Photodiode(probe).waveform(0.05)
            probe.quit()
            assert process.wait(10) == 0
        finally:
            probe.close()
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
    assert edge_ns == 500_000
    assert trace.t_ns == tuple(500_000 * number for number in range(len(trace)))
    assert len(trace) > 1
    # The last edge that was told, and now, are on one clock.
    assert 0 < found.t_ns - trace.t_ns[-1] < SECOND_NS
    assert len(waveform.level) == 1000
