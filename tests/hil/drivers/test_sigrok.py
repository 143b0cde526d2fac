"""A logic analyser: its dumps are read as they stream, the marker finds its clock, and it never ends unnoticed."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.drivers.sigrok import INSTALL, Setting, Sigrok
from hil.drivers.vcd import Change, Dump
from hil.errors import InstrumentFailed, InstrumentSilent, NothingSeen

HERE = Path(__file__).parent
DUMP = b"""$date Mon $end
$version libsigrok 0.5.2 $end
$comment
  Acquisition with 2/4 channels at 100 kHz
$end
$timescale 10 us $end
$scope module libsigrok $end
$var wire 1 ! D0 $end
$var wire 1 " D1 $end
$upscope $end
$enddefinitions $end
#0 1! 0"
#1 0! 1"
#4 1!
#5
"""
CHANGES = [
    Change(0, "D0", 1),
    Change(0, "D1", 0),
    Change(10_000, "D0", 0),
    Change(10_000, "D1", 1),
    Change(40_000, "D0", 1),
]


@given(st.integers(1, 60))
def test_a_dump_is_read_in_pieces_of_any_size(size: int) -> None:
    dump = Dump()
    assert [change for at in range(0, len(DUMP), size) for change in dump.feed(DUMP[at : at + size])] == CHANGES


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (DUMP.replace(b"#4", b"#-nan"), "time is"),
        (DUMP.replace(b"1!\n#5", b"1?\n#5"), "never named"),
        (DUMP.replace(b"1!\n#5", b"b101 !\n#5"), "no bit"),
        (DUMP.replace(b"$timescale 10 us $end", b""), "no timescale"),
        (b"x" * 200_000, "no value change dump"),
    ],
)
def test_what_is_no_dump_is_refused(wrong: bytes, words: str) -> None:
    with pytest.raises(InstrumentFailed, match=words):
        Dump().feed(wrong)


class Fifo:
    """A marker: its moment goes to the fake analyser, which dumps it."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._file = os.open(path, os.O_RDWR)
        self.is_cut = False

    def tell(self, text: str) -> None:
        os.write(self._file, f"{text}\n".encode())

    def toggle(self) -> None:
        if not self.is_cut:
            self.tell(str(time.monotonic_ns()))

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sigrok, Fifo]]:
    program = tmp_path / "sigrok-cli"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{HERE / "fake_sigrok.py"}" "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    marker = Fifo(tmp_path / "marks")
    sigrok = Sigrok(Setting(f"fake:{tmp_path / 'marks'}", 10_000_000, ("D0", "D1"), "D1", ppm=100), marker)
    yield sigrok, marker
    sigrok.close()


def test_edges_come_by_the_calibrated_clock_and_marks_lead_to_it(fake: tuple[Sigrok, Fifo]) -> None:
    sigrok, _ = fake
    assert sigrok.describe().startswith("sigrok-cli 0.7.2-fake, fake:")
    sigrok.start()
    first_ns = sigrok.wait("D0", 0, 5)
    assert abs(first_ns - 1_000_000) <= 200
    begun_ns = time.monotonic_ns()
    found = sigrok.stamp(begun_ns)
    later_ns = time.monotonic_ns()
    trace = sigrok.trace("D0", 0)
    assert sigrok.stamp(later_ns).t_ns - found.t_ns == pytest.approx(later_ns - begun_ns, abs=2_000_000)
    # All that was before the mark is there: an edge a millisecond.
    assert trace.t_ns[-1] > found.t_ns - found.uncertainty_ns - 1_000_000
    assert len(trace) >= found.t_ns // 1_000_000
    assert all(abs(t_ns - number * 1_000_000) <= 200 for number, t_ns in enumerate(trace.t_ns))
    # And each trace has made a mark of its own, to know that.
    assert len(sigrok.trace("D1", 0)) + 1 == len(sigrok.trace("D1", 0))
    assert (trace.level[:3], trace.resolution_ns) == ((0, 1, 0), 100)


def test_a_marker_that_is_not_wired_is_said(fake: tuple[Sigrok, Fifo], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.drivers.sigrok.MARK_S", 0.1)
    sigrok, marker = fake
    sigrok.start()
    marker.is_cut = True
    with pytest.raises(InstrumentSilent, match="marker_port"):
        sigrok.stamp(time.monotonic_ns())


def test_an_analyser_that_is_pulled_or_prints_junk_ends_the_measurement(fake: tuple[Sigrok, Fifo]) -> None:
    sigrok, marker = fake
    for order, words in (("quit", "ended by itself .fx2lafw: device is gone"), ("junk", "time is")):
        sigrok.start()
        marker.tell(order)
        with pytest.raises(InstrumentFailed, match=words):
            sigrok.wait("D1", 2**62, 5)


def test_nothing_seen_and_a_wrong_channel_are_told_apart(fake: tuple[Sigrok, Fifo]) -> None:
    sigrok, _ = fake
    sigrok.start()
    with pytest.raises(NothingSeen, match="channel D1"):
        sigrok.wait("D1", 10**12, 0.01)
    with pytest.raises(InstrumentFailed, match="D0, D1"):
        sigrok.trace("D7", 0)


def test_without_sigrok_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstrumentSilent, match="apt-get install sigrok-cli"):
        Sigrok(Setting("demo", 1000, ("D0",), "D0"), Fifo(tmp_path / "marks"))


def test_the_true_sigrok_streams_the_edges_of_its_demo_device(tmp_path: Path) -> None:
    """The demo device has no marker; what is shown is the command line, the stream and the end of it."""
    assert shutil.which("sigrok-cli"), f"there is no sigrok-cli: {INSTALL}"
    setting = Setting("demo:logic_channels=4:analog_channels=0", 20_000, ("D0", "D1"), "D1")
    sigrok = Sigrok(setting, Fifo(tmp_path / "marks"))
    try:
        sigrok.start()
        moments = [sigrok.wait("D0", 0, 10)]
        while len(moments) < 200:
            moments.append(sigrok.wait("D0", moments[-1], 10))
        process = sigrok._process
        assert process is not None
    finally:
        sigrok.close()
    assert process.returncode == 0  # it ended because it was told to, and was not killed
    assert moments == sorted(set(moments))
    assert all(t_ns % 50_000 == 0 for t_ns in moments)
    assert "sigrok-cli 0.7" in sigrok.describe()
