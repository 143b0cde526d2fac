"""CoAP messages read, written and refused: the same on both interpreters."""

from firmware.coap import message as coap
from firmware.coap.errors import MessageError
from firmware.coap.message import Message

message = Message(coap.POST, coap.NON, 0x7D34, b"tok", payload=b"22.3 C")
for number, value in ((60, 3072), (15, "b=2"), (15, "a=1"), (11, "rd"), (11, "5%/a"), (292, b"x" * 300), (65535, b"y")):
    message.add(number, value)
data = coap.encode(message)
read = coap.decode(data)
print(data, read, read.path(), read.query(), read.uint(60), coap.encode(read) == data)
print(coap.encode(Message(coap.GET, mid=1).add_path("/rd/5%25%2Fa")))
print([coap.encode_uint(value) for value in (0, 1, 255, 256, 65536, 2**32, 2**53 + 1)])
print([coap.format_code(code) for code in (0, 1, 69, 132, 255)])

WRONG = (
    b"",
    b"\x80\x01\x00\x01",
    b"\x49\x01\x00\x01",
    b"\x48\x01\x00\x01token",
    b"\x40\x00\x00\x01\x00",
    b"\x40\x20\x00\x01",
    b"\x40\x01\x00\x01\xff",
    b"\x40\x01\x00\x01\xf0",
    b"\x40\x01\x00\x01\x0f",
    b"\x40\x01\x00\x01\xd0",
    b"\x40\x01\x00\x01\x0e\x00",
    b"\x40\x01\x00\x01\xe0\xff\xff",
    b"\x40\x01\x00\x01\xb5temp",
    b"\x40\x01\x00\x01" + bytes(65),
    b"\x40\x01\x00\x01\xff" + bytes(1300),
    b"\x60\x45\x00\x01\xff",
)
for data in WRONG:
    try:
        print(coap.decode(data))
    except MessageError as error:
        print(error, error.mid)
for option in ((11, b"\xff"), (15, b"\xc3")):
    wrong = Message(coap.GET, options=[option])
    try:
        print(wrong.path(), wrong.query())
    except MessageError as error:
        print(error)
for wrong in (
    Message(coap.GET),
    Message(coap.GET, mid=1, token=b"123456789"),
    Message(0, mid=1, payload=b"x"),
    Message(1, mid=1, options=[(1, b"x" * 65536)]),
    Message(1, mid=1, payload=b"x" * 1300),
):
    try:
        print(coap.encode(wrong))
    except MessageError as error:
        print(error)

# A fixed linear congruence instead of `random`, which differs between the interpreters.
state = 1
outcomes = {}
for _ in range(400):
    noise = bytearray(b"\x41\x02")
    for _ in range(14):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        noise.append(state >> 16 & 0xFF)
    try:
        text = "read" if coap.encode(coap.decode(bytes(noise))) else ""
    except MessageError as error:
        text = str(error)
    outcomes[text] = outcomes.get(text, 0) + 1
for text in sorted(outcomes):
    print(text, outcomes[text])
