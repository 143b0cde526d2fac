"""SenML packs: what the lamp writes, what peers write, and what must be refused. Source: RFC 8428, OMA LwM2M 1.1."""

import json
import math
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.paths import ROOT, path
from contract.senml import ObjectLink, Record
from firmware.codec.senml import SenmlError, decode_cbor, decode_json, encode_cbor, encode_json

NOW_S = 1_800_000_000
LEVEL = path(3416, 0, 1)

RECORDS = [
    Record(path(3, 0, 0), NOW_S, 'Đèn đường "7" \\ \n'),
    Record(path(3, 0, 9), NOW_S + 60, -5),
    Record(path(3, 0, 11, 0), NOW_S - 60, 1 << 63),
    Record(path(3418, 0, 1), NOW_S, 230.4),
    Record(path(3418, 0, 2), NOW_S, True),
    Record(path(3418, 0, 3), NOW_S, False),
    Record(path(3453, 2, 1), NOW_S, b"\xfb\xff\x00"),
    Record(path(3453, 2, 2), NOW_S, ObjectLink(3454, 65535)),
    Record(path(3453), NOW_S, None),
    Record(path(3453, 2), NOW_S, None),
    Record(path(3453, 2, 3), NOW_S, None),
    Record(ROOT, NOW_S, None),
]


def cbor(*entries: dict[Any, Any]) -> bytes:
    return cbor2.dumps(list(entries))


def text(*entries: dict[str, Any]) -> bytes:
    return json.dumps(list(entries), ensure_ascii=False).encode()


def test_records_come_back_from_cbor_and_from_json() -> None:
    assert decode_cbor(encode_cbor(RECORDS, NOW_S)) == RECORDS
    assert decode_json(encode_json(RECORDS, NOW_S)) == RECORDS
    assert decode_cbor(encode_cbor(RECORDS)) == RECORDS
    assert decode_json(encode_json(RECORDS)) == RECORDS
    assert decode_cbor(encode_cbor([])) == decode_json(encode_json([])) == []


def test_the_pack_says_names_and_times_once() -> None:
    records = [Record(LEVEL, NOW_S, 50), Record(path(3416, 0, 52), NOW_S + 1, 2), Record(path(3418, 0, 1), None, 1.5)]
    expected = [{-2: "/3416/0/", 0: "1", -3: NOW_S, 2: 50}, {0: "52", 2: 2, 6: 1}, {-2: "/3418/0/", 0: "1", 2: 1.5}]
    assert cbor2.loads(encode_cbor(records, NOW_S)) == expected
    assert json.loads(encode_json(records, NOW_S)) == [
        {"bn": "/3416/0/", "n": "1", "bt": NOW_S, "v": 50},
        {"n": "52", "v": 2, "t": 1},
        {"bn": "/3418/0/", "n": "1", "v": 1.5},
    ]


def test_a_list_of_paths_is_a_pack_of_names() -> None:
    """What a composite read sends; a path above a resource must not inherit the base name before it."""
    paths = [path(3416), path(3, 0, 1), path(3, 0), ROOT, path(3, 0, 2)]
    data = encode_cbor([Record(item, None, None) for item in paths])
    assert cbor2.loads(data) == [{0: "/3416"}, {-2: "/3/0/", 0: "1"}, {-2: "/3/0"}, {-2: "/"}, {-2: "/3/0/", 0: "2"}]
    assert [record.path for record in decode_cbor(data)] == paths


@pytest.mark.parametrize(
    "entries",
    [
        [{-2: "/3/0/", 0: "0", 3: "a"}, {0: "1", 3: "b"}],
        [{-2: "/3/0", 0: "/0", 3: "a"}, {0: "/1", 3: "b"}],
        [{0: "/3/0/0", 3: "a"}, {0: "/3/0/1", 3: "b"}],
        [{-2: "/3/0/0", 3: "a"}, {-2: "/3/0/1", 3: "b"}],
        [{-2: "/3/", 0: "0/0", 3: "a", 1: "W", 7: 60, 99: "?", "x": [1]}, {-2: "", 0: "/3/0/1", 3: "b"}],
    ],
)
def test_peers_may_cut_names_where_they_like(entries: list[dict[Any, Any]]) -> None:
    assert decode_cbor(cbor(*entries)) == [Record(path(3, 0, 0), None, "a"), Record(path(3, 0, 1), None, "b")]


@pytest.mark.parametrize(
    ("entry", "now_s", "expected"),
    [
        ({}, NOW_S, None),
        ({-3: NOW_S}, None, NOW_S),
        ({-3: NOW_S, 6: -30}, None, NOW_S - 30),
        ({6: NOW_S}, None, NOW_S),
        ({6: NOW_S + 0.75}, None, NOW_S),
        ({6: cbor2.CBORTag(4, [3, 1_800_000])}, None, NOW_S),
        ({6: -30}, NOW_S, NOW_S - 30),
        ({6: 0}, NOW_S, NOW_S),
        ({6: -30}, None, None),
        ({-3: NOW_S, 6: -NOW_S}, NOW_S, NOW_S),
        ({6: (1 << 28) - 1}, None, None),
        ({6: 1 << 28}, None, 1 << 28),
    ],
)
def test_times_are_resolved_to_whole_seconds(entry: dict[int, Any], now_s: int | None, expected: int | None) -> None:
    time_s = decode_cbor(cbor({0: "/3/0/9", 2: 1, **entry}), now_s)[0].time_s
    assert time_s == expected
    assert isinstance(time_s, int | None)


def test_a_base_value_is_added_to_the_numbers_after_it() -> None:
    data = cbor({-2: "/3/0/", -5: 100, 0: "7", 2: 1}, {0: "8", 2: 0.5}, {0: "9", 4: True}, {-5: 0, 0: "10", 2: 3})
    assert [record.value for record in decode_cbor(data)] == [101, 100.5, True, 3]
    assert decode_json(text({"bn": "/3/0/", "bv": -1, "n": "7", "v": 1}))[0].value == 0


def test_decimal_fractions_are_numbers() -> None:
    values = [cbor2.CBORTag(4, [-2, 27315]), cbor2.CBORTag(4, [2, 15]), cbor2.CBORTag(4, [0, -7])]
    data = cbor(*[{0: "/3/0/9", 2: value} for value in values])
    assert [record.value for record in decode_cbor(data)] == [273.15, 1500, -7]


def test_a_null_is_no_value() -> None:
    assert decode_cbor(cbor({0: "/3/0/9", 2: None}))[0].value is None
    assert decode_json(text({"n": "/3/0/9", "v": None}))[0].value is None
    assert decode_json(text({"n": "/3/0/9", "vd": None}))[0].value is None


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (7, "record 0: it is not a map"),
        ({2: 1}, "has no name"),
        ({0: "", 2: 1}, "has no name"),
        ({0: 7, 2: 1}, "name is not a text"),
        ({-2: b"/3", 0: "7", 2: 1}, "name is not a text"),
        ({0: "/3/0/x", 2: 1}, "'x' is not a number"),
        ({0: "/3/0/0/0/0", 2: 1}, "more than four parts"),
        ({-2: "/3/0/", 0: "/0", 2: 1}, "is not a number"),
        ({0: "/3/0/9", 2: "1"}, "number is expected"),
        ({0: "/3/0/9", 2: True}, "number is expected"),
        ({0: "/3/0/9", 2: math.nan}, "number is expected"),
        ({0: "/3/0/9", 2: math.inf}, "number is expected"),
        ({0: "/3/0/9", 2: 1 << 64}, "number is expected"),
        ({0: "/3/0/9", -5: 1 << 63, 2: 1 << 63}, "number is expected"),
        ({0: "/3/0/9", 2: cbor2.CBORTag(5, [1, 2])}, "number is expected"),
        ({0: "/3/0/9", 2: cbor2.CBORTag(4, 1)}, "exponent and a mantissa"),
        ({0: "/3/0/9", 2: cbor2.CBORTag(4, [1])}, "exponent and a mantissa"),
        ({0: "/3/0/9", 2: cbor2.CBORTag(4, [1, 2.0])}, "has integers"),
        ({0: "/3/0/9", 2: cbor2.CBORTag(4, [1.0, 2])}, "has integers"),
        ({0: "/3/0/9", 2: cbor2.CBORTag(4, [39, 2])}, "exponent within 38"),
        ({0: "/3/0/9", 2: cbor2.CBORTag(4, [-39, 2])}, "exponent within 38"),
        ({0: "/3/0/9", 2: cbor2.CBORTag(4, [38, 2])}, "number is expected"),
        ({0: "/3/0/9", 3: 1}, "type of its label"),
        ({0: "/3/0/9", 3: b"x"}, "type of its label"),
        ({0: "/3/0/9", 4: 1}, "type of its label"),
        ({0: "/3/0/9", 8: "x"}, "type of its label"),
        ({0: "/3/0/9", 2: 1, 3: "x"}, "more than one value"),
        ({0: "/3/0/9", "vlo": 1}, "object link"),
        ({0: "/3/0/9", "vlo": "1"}, "object link"),
        ({0: "/3/0/9", "vlo": "1:"}, "object link"),
        ({0: "/3/0/9", "vlo": "1:65536"}, "object link"),
        ({0: "/3/0/9", "vlo": "1:000001"}, "object link"),
        ({0: "/3/0/9", "vlo": "1:²"}, "object link"),
        ({0: "/3/0/9", "must_": 1}, "field 'must_' must be understood"),
        ({0: "/3/0/9", -1: 11}, "version above 10"),
        ({0: "/3/0/9", -1: 0}, "version above 10"),
        ({0: "/3/0/9", -1: "10"}, "version is not an integer"),
        ({0: "/3/0/9", -1: True}, "version is not an integer"),
        ({0: "/3/0/9", 6: "now"}, "number is expected"),
        ({0: "/3/0/9", 6: 1 << 41}, "time is out of range"),
        ({0: "/3/0/9", -3: -(1 << 40)}, "time is out of range"),
    ],
)
def test_a_record_that_means_nothing_is_refused(entry: Any, words: str) -> None:
    with pytest.raises(SenmlError, match=words):
        decode_cbor(cbor(entry))


def test_the_error_says_which_record() -> None:
    with pytest.raises(SenmlError, match="record 1: it has no name"):
        decode_cbor(cbor({-2: "/3/0/9", 2: 1}, {-2: "", 2: 1}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "cut short"),
        (b"\xa0", "an array is expected, not a map at byte 0"),
        (b"\x80\x00", "left over"),
        (b"\x81\x81\x81\x81\x81\x81\x00", "nested deeper"),
        (b"\x9f\xa1\x00\x61/\x00\xff", "record 1: it is not a map"),
        (b"\x9f\xa1\x00\x61/", "end of the indefinite"),
        (b"\x99\xff\xff", "items are announced"),
        (b"\x81\xa1\x18\x63\x98\x46" + b"\x00" * 70, "too many items: send less at a time at byte"),
        (b"\x82\xa1\x00\x61/\xa1\x18\x63\x98\x46" + b"\x00" * 70, "too many items"),
        (b"\x81" + b"\x00" * 4096, "longer than 4096"),
    ],
)
def test_bytes_that_are_no_cbor_pack_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(SenmlError, match=words):
        decode_cbor(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no SenML-JSON"),
        (b"{}", "an array is expected"),
        (b"[1]", "not a map"),
        (b"[" * 65, "opening brackets"),
        (b'{"a":' * 800, "no SenML-JSON"),
        (b'["\xff"]', "byte 2 is not UTF-8"),
        (b'[{"n":"/3/0/9","vs":"\\ud800"}]', "surrogate"),
        (b'[{"n\\ud800":"/3/0/9"}]', "surrogate"),
        (b'[{"n":"/3/0/9","vd":"a+b"}]', "base64url"),
        (b'[{"n":"/3/0/9","vd":"abcde"}]', "cut short"),
        (b'[{"n":"/3/0/9","vd":7}]', "type of its label"),
        (b'[{"n":"/3/0/9","v":true}]', "number is expected"),
        (b'[{"n":"/3/0/9","v":1e999}]', "number is expected"),
        (b'[{"n":"/3/0/9","v":NaN}]', "number is expected"),
        (b'[{"n":"/3/0/9","v":[1]}]', "number is expected"),
        (b" " * 4097, "longer than 4096"),
    ],
)
def test_bytes_that_are_no_json_pack_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(SenmlError, match=words):
        decode_json(data)


def test_there_is_a_limit_of_records() -> None:
    data = cbor(*[{0: "/3/0/9"}] * 4)
    assert len(decode_cbor(data, max_records=4)) == 4
    with pytest.raises(SenmlError, match="more than 3 records"):
        decode_cbor(data, max_records=3)
    with pytest.raises(SenmlError, match="more than 3 records"):
        decode_cbor(b"\x9f" + data[1:] + b"\xff", max_records=3)
    with pytest.raises(SenmlError, match="more than 1 records"):
        decode_json(text({"n": "/3/0/9"}, {"n": "/3/0/8"}), max_records=1)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.nan, "/3416/0/1: nan is not a number"),
        (-math.inf, "not a number"),
        (1 << 64, "not a number"),
        (-(1 << 63) - 1, "not a number"),
        ("\udfff", "surrogate"),
        ([1], "type list has no SenML form"),
    ],
)
def test_a_value_senml_cannot_carry_is_refused(value: Any, words: str) -> None:
    for encode in (encode_cbor, encode_json):
        with pytest.raises(SenmlError, match=words):
            encode([Record(LEVEL, None, value)])


def test_a_time_that_would_be_read_as_relative_is_refused() -> None:
    with pytest.raises(SenmlError, match="base time 5"):
        encode_cbor([Record(LEVEL, None, 1)], 5)
    with pytest.raises(SenmlError, match="/3416/0/1: time 5"):
        encode_cbor([Record(LEVEL, 5, 1)])


IDS = st.integers(0, 65534)
PATHS = st.builds(path, IDS, IDS, IDS, st.none() | IDS) | st.builds(path, IDS, st.none() | IDS)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.binary(max_size=20)
    | st.builds(ObjectLink, st.integers(0, 65535), st.integers(0, 65535))
)
TIMES = st.none() | st.integers(1 << 28, 1 << 39)
PACKS = st.lists(st.builds(Record, PATHS, TIMES, VALUES), max_size=8)


@given(PACKS, TIMES)
@settings(max_examples=150)
def test_any_records_come_back(records: list[Record], base_time_s: int | None) -> None:
    expected = [Record(item.path, item.time_s or base_time_s, item.value) for item in records]
    assert decode_cbor(encode_cbor(records, base_time_s)) == expected
    assert decode_json(encode_json(records, base_time_s)) == expected
    json.loads(encode_json(records, base_time_s))


LABELS = st.sampled_from([-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, "vlo", "x", "x_"])
FIELDS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5)
FIELDS |= st.sampled_from(["/3/0/", "/3/0", "0", "1:2"]) | st.lists(st.integers(), max_size=2)


@given(st.lists(st.dictionaries(LABELS, FIELDS, max_size=5) | FIELDS, max_size=4), st.none() | st.just(NOW_S))
@settings(max_examples=300)
def test_whatever_a_pack_holds_only_the_one_error_comes_out(entries: list[Any], now_s: int | None) -> None:
    try:
        records = decode_cbor(cbor2.dumps(entries), now_s)
    except SenmlError:
        return
    assert all(isinstance(record, Record) for record in records)


NAMES = st.sampled_from(["bn", "bt", "bv", "bver", "n", "v", "vs", "vb", "vd", "vlo", "t", "u", "x_"])
MEMBERS = FIELDS.filter(lambda value: not isinstance(value, bytes))


@given(st.lists(st.dictionaries(NAMES, MEMBERS, max_size=5) | MEMBERS, max_size=4))
@settings(max_examples=200)
def test_whatever_json_holds_only_the_one_error_comes_out(entries: list[Any]) -> None:
    try:
        decode_json(json.dumps(entries).encode())
    except SenmlError:
        pass


@given(st.binary(max_size=40) | st.text('[]{}"\\,:0123456789.eE+-truefalsn', max_size=40).map(str.encode))
@settings(max_examples=300)
def test_noise_is_refused_and_nothing_else_happens(data: bytes) -> None:
    for decode in (decode_cbor, decode_json):
        try:
            decode(data)
        except SenmlError:
            pass
