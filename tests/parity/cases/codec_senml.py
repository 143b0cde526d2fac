"""SenML: the same packs, the same records, the same refusals on both interpreters."""

from binascii import hexlify

from contract.paths import format as format_path
from contract.paths import path
from contract.senml import ObjectLink, Record
from firmware.codec import cbor
from firmware.codec.senml import SenmlError, decode_cbor, decode_json, encode_cbor, encode_json

NOW_S = 1800000000
RECORDS = [
    Record(path(3, 0, 0), NOW_S, 'Đèn "7" \\ \n'),
    Record(path(3, 0, 11, 0), NOW_S - 60, -5),
    Record(path(3418, 0, 1), NOW_S + 1, 230.5),
    Record(path(3418, 0, 2), None, 1 << 63),
    Record(path(3453, 2, 1), NOW_S, b"\xfb\xff\x00"),
    Record(path(3453, 2, 2), NOW_S, ObjectLink(3454, 1)),
    Record(path(3453, 2, 3), NOW_S, True),
    Record(path(3453, 2, 4), NOW_S, False),
    Record(path(3453), NOW_S, None),
]


def show(decode, data):
    try:
        for record in decode(data, NOW_S):
            print(" ", format_path(record.path), record.time_s, type(record.value).__name__, record.value)
    except SenmlError as error:
        print(" ", error)


for base_time_s in (None, NOW_S):
    data = encode_cbor(RECORDS, base_time_s)
    print(hexlify(data).decode())
    show(decode_cbor, data)
    data = encode_json(RECORDS, base_time_s)
    print(data.decode())
    show(decode_json, data)

ENTRIES = [
    [{-2: "/3/0", 0: "/0", 3: "a"}, {0: "/1", 2: 1.5, 6: -30}],
    [{0: "/3/0/9", 2: cbor.Tag(4, [-2, 27315])}, {0: "/3/0/9", 2: cbor.Tag(4, [38, 1])}],
    [{0: "/3/0/9", 2: True}],
    [{0: "/3/0/9", 2: float("nan")}],
    [{0: "/3/0/9", 4: 1}],
    [{0: "/3/0/9", "vlo": "3454:1"}, {0: "/3/0/9", "vlo": "1:65536"}],
    [{0: "/3/0/9", "x_": 1}],
    [{0: "/3/0/x"}],
    [{2: 1}],
    [7],
    {},
]
for entries in ENTRIES:
    print(entries if len(entries) < 1 else len(entries))
    show(decode_cbor, cbor.encode(entries))

for text in (
    '[{"bn":"/3/0/","n":"9","v":1e3,"t":0}]',
    '[{"n":"/3/0/9","vd":"-_8"}]',
    '[{"n":"/3/0/9","vd":"+/8"}]',
    '[{"n":"/3/0/9","vs":"\\ud800"}]',
    '[{"n":"/3/0/9","vs":"\\u0111"}]',
    '[{"n":"/3/0/9","v":1e999}]',
    "{}",
    "[[",
):
    print(text)
    if text == "[[":
        try:
            decode_json(text.encode())
        except SenmlError as error:
            print(" ", str(error).split(":")[0])
    else:
        show(decode_json, text.encode())
