import cbor2
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.device_server import senml
from backend.device_server.senml import SenmlError
from contract.paths import parse
from contract.senml import ObjectLink, Record

NOW_S = 1_800_000_000


def cbor(*entries):
    return senml.decode_cbor(cbor2.dumps(list(entries)), NOW_S)


def test_a_pack_with_base_name_and_time_is_read():
    assert cbor({-2: "/3418/0/", -3: 1_700_000_000, 0: "1", 2: 231.5}, {0: "2", 2: 1, 6: 60}) == [
        Record(parse("/3418/0/1"), 1_700_000_000, 231.5),
        Record(parse("/3418/0/2"), 1_700_000_060, 1.0),
    ]


def test_a_base_name_without_its_slash_is_concatenated():
    assert cbor({-2: "/3416/0", 0: "/3", 2: 40})[0].path == parse("/3416/0/3")


def test_every_kind_of_value_is_read():
    records = cbor(
        {0: "/3416/0/54", 4: True},
        {0: "/3/0/0", 3: "Maker"},
        {0: "/9/0/1", 8: b"\1"},
        {0: "/9/0/2", "vlo": "3416:0"},
        {0: "/3416/0/15", 2: cbor2.CBORTag(4, [-1, 25])},
    )
    assert [record.value for record in records] == [True, "Maker", b"\1", "3416:0", 2.5]


def test_an_object_link_of_a_known_resource_is_two_numbers():
    kind = "/3456/0/1"
    link = next(
        (f"/{item.id}/0/{r.id}" for item in _objects() for r in item.resources if r.type == "Objlnk"),
        None,
    )
    if link is None:
        pytest.skip(f"no object link in the contract (looked for {kind})")
    assert cbor({0: link, "vlo": "3416:0"})[0].value == ObjectLink(3416, 0)


def _objects():
    from contract import objects

    return objects.ALL


def test_times_are_absolute_relative_or_missing():
    assert cbor({0: "/3/0/0", 3: "x"})[0].time_s is None
    assert cbor({0: "/3/0/0", 3: "x", 6: 0})[0].time_s == NOW_S
    assert cbor({0: "/3/0/0", 3: "x", 6: -90.5})[0].time_s == NOW_S - 91
    assert cbor({-3: 1_700_000_000.75, 0: "/3/0/0", 3: "x"})[0].time_s == 1_700_000_000


def test_a_base_value_is_added():
    assert cbor({-5: 100, 0: "/3416/0/3", 2: -60})[0].value == 40


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({0: "/3416/0/3"}, "one value is needed, 0"),
        ({0: "/3416/0/3", 2: 1, 3: "x"}, "one value is needed, 2"),
        ({0: "/3416/0/3", 3: 1}, "wrong CBOR type"),
        ({0: "/3416/0/3", 2: "1"}, "wrong type"),
        ({0: "/3416/0/3", 2: True}, "wrong type"),
        ({0: "/3416/0/3", 3: "x"}, "/3416/0/3: expected Integer"),
        ({0: "/3416/0/3", 2: 1.5}, "/3416/0/3: expected Integer, got a fraction"),
        ({0: "/3416/0/3", 2: float("nan")}, "finite"),
        ({0: "/3416/0/3", 2: 2**70}, "64 bits"),
        ({0: "/3416/0/3", 2: 1, 6: "now"}, "wrong type"),
        ({0: "/3416/0/3", 2: 1, -1: 11}, "base version"),
        ({0: "/3416/0/3", 2: 1, "x_": 1}, "label x_ must be understood"),
        ({0: "/3416/0", 2: 1}, "is not one resource"),
        ({0: "3416-0", 2: 1}, "path"),
        ({0: 5, 2: 1}, "a name is text"),
        ({-2: 5, 2: 1}, "a name is text"),
        ({2: 1}, "is not one resource"),
        ([], "not a map"),
        ({0: "/3416/0/3", 2: cbor2.CBORTag(4, [400, 1])}, "wrong type"),
    ],
)
def test_a_broken_record_is_refused_with_its_number_and_reason(entry, reason):
    good = {0: "/3416/0/3", 2: 1}
    with pytest.raises(SenmlError, match=f"record 1: .*{reason}"):
        cbor(good, entry)


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\xa0", b"\x01", b"\x81" * 300, bytes.fromhex("d8236128")])
def test_what_is_no_pack_is_refused(payload):
    with pytest.raises(SenmlError):
        senml.decode_cbor(payload, NOW_S)


def test_too_many_records_are_refused():
    with pytest.raises(SenmlError, match="more than 2000"):
        cbor(*[{0: "/3/0/0", 3: "x"}] * 2001)


def test_json_has_the_same_meaning():
    pack = [
        {"bn": "/3416/0/", "bt": 1_700_000_000, "n": "3", "v": 40},
        {"n": "54", "vb": True},
        {"bn": "/9/0/", "n": "1", "vd": "-_8"},
        {"n": "2", "vlo": "1:2"},
    ]
    records = senml.decode_json(orjson.dumps(pack), NOW_S)
    assert [(record.value, record.time_s) for record in records] == [
        (40, 1_700_000_000),
        (True, 1_700_000_000),
        (b"\xfb\xff", 1_700_000_000),
        ("1:2", 1_700_000_000),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "JSON"), ("{}", "array"), ("[1]", "not a map"), ('[{"n":"/9/0/1","vd":"$"}]', "base64url")],
)
def test_json_that_is_no_pack_is_refused(text, reason):
    with pytest.raises(SenmlError, match=reason):
        senml.decode_json(text.encode(), NOW_S)


VALUES = [
    (parse("/3416/0/1"), 40),
    (parse("/3416/0/52"), 2.5),
    (parse("/3416/0/29"), True),
    (parse("/3/0/14"), "+07:00"),
    (parse("/9/0/1"), b"\xfb\xff"),
    (parse("/3416/0/13/2"), 7),
    (parse("/9/0/7"), ObjectLink(3, 0)),
]


def test_what_is_written_can_be_read_back():
    wanted = [value if not isinstance(value, ObjectLink) else "3:0" for _, value in VALUES]
    for encode, decode in ((senml.encode_cbor, senml.decode_cbor), (senml.encode_json, senml.decode_json)):
        records = decode(encode(VALUES), NOW_S)
        assert [(record.path, record.value) for record in records] == list(
            zip([path for path, _ in VALUES], wanted, strict=True)
        )


def test_one_instance_shares_a_base_name():
    pack = cbor2.loads(senml.encode_cbor(VALUES[:3]))
    assert pack[0][-2] == "/3416/0/" and [entry[0] for entry in pack] == ["1", "52", "29"]
    assert cbor2.loads(senml.encode_cbor(VALUES[:1])) == [{0: "/3416/0/1", 2: 40}]


def test_names_without_values_ask():
    asked = [parse("/3416/0/1"), parse("/3/0")]
    assert cbor2.loads(senml.encode_names_cbor(asked)) == [{0: "/3416/0/1"}, {0: "/3/0"}]
    assert orjson.loads(senml.encode_names_json(asked)) == [{"n": "/3416/0/1"}, {"n": "/3/0"}]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.binary(max_size=8)
LABELS = st.sampled_from([-6, -5, -3, -2, -1, 0, 2, 3, 4, 6, 8, "vlo", "x_", 9])
ENTRIES = st.dictionaries(LABELS, SCALARS | st.sampled_from(["/3416/0/3", "/3/0/", "0"]), max_size=5)


@settings(max_examples=200)
@given(st.binary(max_size=80) | st.lists(ENTRIES | SCALARS, max_size=4).map(cbor2.dumps))
def test_any_cbor_is_read_or_refused(payload):
    try:
        records = senml.decode_cbor(payload, NOW_S)
    except SenmlError as error:
        assert str(error)
    else:
        assert all(isinstance(record, Record) and record.value is not None for record in records)


@settings(max_examples=100)
@given(st.binary(max_size=80) | st.text(alphabet='[]{}":,nvbt0/31e-.', max_size=40).map(str.encode))
def test_any_json_is_read_or_refused(payload):
    try:
        senml.decode_json(payload, NOW_S)
    except SenmlError as error:
        assert str(error)


def test_none_removes_and_each_run_of_an_instance_has_its_base_name() -> None:
    paths = [parse(text) for text in ("/3452", "/3452/0/1", "/3452/0/3/0", "/3453/1/1")]
    values = list(zip(paths, (None, True, 2, 1), strict=True))
    assert cbor2.loads(senml.encode_cbor(values)) == [
        {0: "/3452", 2: None},
        {-2: "/3452/0/", 0: "1", 4: True},
        {0: "3/0", 2: 2},
        {-2: "/3453/1/", 0: "1", 2: 1},
    ]
