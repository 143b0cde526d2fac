import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.device_server import tlv
from backend.device_server.tlv import TlvError
from backend.device_server.values import ValueRefused
from contract.paths import parse

# LwM2M Core 1.1, 7.4.3.2.1: the Device object of the example client, /3/0, as single resources.
EXAMPLE_MANUFACTURER = bytes.fromhex("C800144F70656E204D6F62696C6520416C6C69616E6365")
EXAMPLE_MODEL = bytes.fromhex("C801164C69676874776569676874204D324D20436C69656E74")
EXAMPLE_ERRORS = bytes.fromhex("860B410000")[:0] + bytes.fromhex("830B410000")


def test_the_example_of_the_specification_is_read():
    data = EXAMPLE_MANUFACTURER + EXAMPLE_MODEL + EXAMPLE_ERRORS
    assert tlv.decode(parse("/3/0"), data) == [
        (parse("/3/0/0"), "Open Mobile Alliance"),
        (parse("/3/0/1"), "Lightweight M2M Client"),
        (parse("/3/0/11/0"), 0),
    ]


def test_an_object_comes_in_instances():
    data = bytes([0x08, 0, len(EXAMPLE_MODEL)]) + EXAMPLE_MODEL
    assert tlv.decode(parse("/3"), data) == [(parse("/3/0/1"), "Lightweight M2M Client")]
    assert tlv.decode(parse("/3/0"), data) == [(parse("/3/0/1"), "Lightweight M2M Client")]


def test_a_resource_and_a_resource_instance_are_read_by_their_path():
    assert tlv.decode(parse("/3416/0/1"), bytes.fromhex("c10128")) == [(parse("/3416/0/1"), 40)]
    assert tlv.decode(parse("/3416/0/13"), bytes.fromhex("860d410005410107")) == [
        (parse("/3416/0/13/0"), 5),
        (parse("/3416/0/13/1"), 7),
    ]
    assert tlv.decode(parse("/3416/0/13/1"), bytes.fromhex("410107")) == [(parse("/3416/0/13/1"), 7)]


def test_floats_come_in_two_sizes():
    short = b"\xc4\x34" + struct.pack(">f", 2.5)
    long = b"\xc8\x34\x08" + struct.pack(">d", 2.5)
    for data in (short, long):
        assert tlv.decode(parse("/3416/0"), data) == [(parse("/3416/0/52"), 2.5)]


def test_an_unknown_resource_comes_as_bytes():
    assert tlv.decode(parse("/9/0"), bytes.fromhex("c10128")) == [(parse("/9/0/1"), b"(")]


@pytest.mark.parametrize(
    ("base", "data", "reason"),
    [
        ("/3/0", "c8", "cut off"),
        ("/3/0", "c80014", "20 bytes, 0 are left"),
        ("/3/0", "e8", "cut off"),
        ("/3/0/1", "c1002a", "resource 0 does not fit /3/0/1"),
        ("/3", "c1002a", "resource 0 does not fit /3"),
        ("/3/0/1", "00 00", "object instance does not fit"),
        ("/3/1", "00 00", "object instance does not fit"),
        ("/3/0", "40 00", "resource instance does not fit"),
        ("/3/0/11/1", "4100 00", "resource instance does not fit"),
        ("/3/0", "82 0b c100", "1 bytes, 0 are left"),
        ("/3/0", "83 0b c10000", "may hold resource instances only"),
        ("/3", "02 00 0000", "may hold resources only"),
        ("/3416/0", "c3 01 000001", "/3416/0/1: expected Integer of 1, 2, 4 or 8"),
        ("/3416/0", "c1 34 00", "expected Float of 4 or 8"),
        ("/3416/0", "c4 34 7fc00000", "finite"),
        ("/3416/0", "c1 1d 02", "expected Boolean"),
        ("/3/0", "c1 00 ff", "expected String in UTF-8"),
    ],
)
def test_a_broken_value_is_refused_with_the_reason(base, data, reason):
    with pytest.raises(TlvError, match=reason):
        tlv.decode(parse(base), bytes.fromhex(data))


def test_too_many_entries_are_refused():
    with pytest.raises(TlvError, match="more than 2000"):
        tlv.decode(parse("/9/0"), bytes.fromhex("c000") * 2001)


def test_what_is_written_can_be_read_back():
    values = {1: 40, 52: 2.5, 29: True, 13: {0: 5, 300: -40000}, 50: 1_700_000_000, 1000: 2**40}
    expected = [
        (parse("/3416/0/1"), 40),
        (parse("/3416/0/52"), 2.5),
        (parse("/3416/0/29"), True),
        (parse("/3416/0/13/0"), 5),
        (parse("/3416/0/13/300"), -40000),
        (parse("/3416/0/50"), 1_700_000_000),
        (parse("/3416/0/1000"), (2**40).to_bytes(8, "big")),
    ]
    assert tlv.decode(parse("/3416/0"), tlv.encode(parse("/3416/0"), values)) == expected
    assert tlv.decode(parse("/3416"), tlv.encode_instance(parse("/3416/0"), values)) == expected


@pytest.mark.parametrize("size", [0, 7, 8, 255, 256, 65536])
def test_lengths_of_every_size_are_written(size):
    data = tlv.encode(parse("/9/0"), {1: b"x" * size})
    assert tlv.decode(parse("/9/0"), data) == [(parse("/9/0/1"), b"x" * size)]


def test_text_and_a_wrong_type():
    assert tlv.encode(parse("/3/0"), {14: "+7"}) == b"\xc2\x0e+7"
    with pytest.raises(ValueRefused):
        tlv.encode(parse("/3416/0"), {1: "forty"})


@settings(max_examples=200)
@given(st.sampled_from(["/3416", "/3416/0", "/3416/0/13", "/3416/0/13/0", "/3/0", "/9/0"]), st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(base, data):
    try:
        values = tlv.decode(parse(base), data)
    except TlvError as error:
        assert str(error)
    else:
        assert all(path.resource is not None for path, _ in values)
