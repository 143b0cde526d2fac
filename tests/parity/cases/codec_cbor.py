"""CBOR: the same bytes, the same values, the same errors on both interpreters."""

from binascii import hexlify, unhexlify

from firmware.codec.cbor import CborError, Simple, Tag, decode, encode

VALUES = [
    0, 23, 24, 255, 256, 65535, 65536, (1 << 32) - 1, 1 << 32, (1 << 64) - 1, 1 << 64, 1 << 100,
    -1, -24, -25, -256, -257, -(1 << 31), -(1 << 32) - 1, -(1 << 64), -(1 << 64) - 1,
    0.0, -0.0, 1.5, 65504.0, 65505.0, 100000.0, 5.960464477539063e-08, 6.1e-05, -4.0, 3.4028234663852886e38,
    float("inf"), -float("inf"), float("nan"), 2.0**-16 + 2.0**-30,
    None, True, False, "", "lamp", "Đèn \U0001f4a1", b"", bytes(range(30)), [], [1, [2, [3]]],
    {}, {"b": 1, "a": 2, 10: 3, -1: 4}, Simple(16), Simple(23), Simple(255), Tag(1, 1800000000), Tag(32, "x"),
]  # fmt: skip

BYTES = (
    "7f657374726561646d696e67ff 5f42010243030405ff bf6346756ef563416d7421ff 9f018202039f0405ffff f97e00 f90001 f98000"
    " fb3ff199999999999a fa47c35000 1c ff 81ff 5f00ff f800 62c080 63eda080 64f4908080 61ff 818181818181818181"
    " 818181818181818100 a10102ff a201010102 a1f501 1b00 9a00010000 c201 c1f6 5affffffff00"
)

for value in VALUES:
    data = encode(value)
    back = decode(data)
    print(hexlify(data).decode(), back == value or value != value, type(back) is type(value))

for text in BYTES.split():
    try:
        data = unhexlify(text)
    except ValueError:
        print(text, "no hex")
        continue
    try:
        print(text, encode(decode(data)))
    except CborError as error:
        print(text, error.offset, error)
