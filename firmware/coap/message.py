"""CoAP messages: bytes to `Message` and back, with the codes and option numbers in use.

Sources: RFC 7252 sections 3 (format), 5.4 (options), 12.1 (codes), 12.2 (option numbers); others are named in place.
"""

from firmware.coap.errors import MessageError

CON = 0  # RFC 7252 section 3
NON = 1
ACK = 2
RST = 3

EMPTY = 0x00  # RFC 7252 section 12.1.1; a code is class << 5 | detail, so 2.05 is 0x45
GET = 0x01
POST = 0x02
PUT = 0x03
DELETE = 0x04
FETCH = 0x05  # RFC 8132 section 4
PATCH = 0x06
IPATCH = 0x07

CREATED = 0x41  # RFC 7252 section 12.1.2
DELETED = 0x42
VALID = 0x43
CHANGED = 0x44
CONTENT = 0x45
CONTINUE = 0x5F  # RFC 7959 section 2.9
BAD_REQUEST = 0x80
UNAUTHORIZED = 0x81
BAD_OPTION = 0x82
FORBIDDEN = 0x83
NOT_FOUND = 0x84
METHOD_NOT_ALLOWED = 0x85
NOT_ACCEPTABLE = 0x86
REQUEST_ENTITY_INCOMPLETE = 0x88  # RFC 7959 section 2.9
CONFLICT = 0x89  # RFC 8132 section 4
PRECONDITION_FAILED = 0x8C
REQUEST_ENTITY_TOO_LARGE = 0x8D
UNSUPPORTED_CONTENT_FORMAT = 0x8F
UNPROCESSABLE_ENTITY = 0x96  # RFC 8132 section 4
TOO_MANY_REQUESTS = 0x9D  # RFC 8516
INTERNAL_SERVER_ERROR = 0xA0
NOT_IMPLEMENTED = 0xA1
BAD_GATEWAY = 0xA2
SERVICE_UNAVAILABLE = 0xA3
GATEWAY_TIMEOUT = 0xA4
PROXYING_NOT_SUPPORTED = 0xA5

IF_MATCH = 1  # RFC 7252 section 12.2
URI_HOST = 3
ETAG = 4
IF_NONE_MATCH = 5
OBSERVE = 6  # RFC 7641 section 2
URI_PORT = 7
LOCATION_PATH = 8
OSCORE = 9  # RFC 8613 section 2
URI_PATH = 11
CONTENT_FORMAT = 12
MAX_AGE = 14
URI_QUERY = 15
ACCEPT = 17
LOCATION_QUERY = 20
BLOCK2 = 23  # RFC 7959 section 2.1
BLOCK1 = 27
SIZE2 = 28  # RFC 7959 section 4
PROXY_URI = 35
PROXY_SCHEME = 39
SIZE1 = 60
ECHO = 252  # RFC 9175 section 2.2.1
NO_RESPONSE = 258  # RFC 7967 section 2
REQUEST_TAG = 292  # RFC 9175 section 3.2.1

TOKEN_BYTES = 8
PAYLOAD_MARKER = 0xFF
# The payload of a UDP datagram in IPv6's smallest MTU: 1280 - 40 - 8. The sockets read 1280 bytes and cut the rest off
# in silence, so a datagram that may have been cut is always longer than this. RFC 7252 section 4.6 asks for 1152.
MESSAGE_BYTES = 1232
# An option can take a single byte, and then costs some forty times that in a list: 1,200 of them would fill half of the
# lamp's heap before anybody has been authenticated. Our longest request has 14.
OPTIONS = 64


class Message:
    """One CoAP message.

    `code`, `type` and option numbers are the constants of this module; `mid` is 0..65535 or None until the exchange
    layer draws one; `token` has 0..8 bytes; `options` is a list of (number, bytes) whose order matters only between
    equal numbers; `payload` is bytes. `observation` is set by `coap.server` on a request that asks to observe.
    """

    def __init__(self, code, type=CON, mid=None, token=b"", options=None, payload=b""):
        self.code = code
        self.type = type
        self.mid = mid
        self.token = token
        self.options = [] if options is None else options
        self.payload = payload
        self.observation = None

    def __repr__(self):
        # Payloads may be large and options may be secret to others: sizes and numbers are enough for a log.
        return "<%s %s mid=%s options=%s payload_bytes=%d>" % (
            ("CON", "NON", "ACK", "RST")[self.type],
            format_code(self.code),
            self.mid,
            [number for number, _ in self.options],
            len(self.payload),
        )

    def copy(self):
        """A message of its own with the same content (the options' list is new)."""
        return Message(self.code, self.type, self.mid, self.token, list(self.options), self.payload)

    def option(self, number):
        """The value of the first option `number`, or None."""
        for found, value in self.options:
            if found == number:
                return value
        return None

    def options_of(self, number):
        """The values of all options `number`, in order."""
        return [value for found, value in self.options if found == number]

    def uint(self, number):
        """The first option `number` read as an unsigned integer, or None when it is absent."""
        value = self.option(number)
        return None if value is None else decode_uint(value)

    def add(self, number, value):
        """Append an option; `value` is bytes, text (written as UTF-8) or a non-negative int. Returns the message."""
        if isinstance(value, str):
            value = value.encode()
        elif isinstance(value, int):
            value = encode_uint(value)
        self.options.append((number, value))
        return self

    def remove(self, number):
        """Take out every option `number`. Returns the message."""
        self.options = [item for item in self.options if item[0] != number]
        return self

    def path(self):
        """Uri-Path as text: "rd/5", "" for the root. A "/" or "%" inside a segment is written %2F or %25.

        Raises MessageError when a segment is not UTF-8.
        """
        return join_path(self.options_of(URI_PATH))

    def location(self):
        """Location-Path as text, in the same form as `path`."""
        return join_path(self.options_of(LOCATION_PATH))

    def query(self):
        """The Uri-Query options as texts, such as ["ep=lamp", "lt=300"]. Raises MessageError when one is not UTF-8."""
        return [_text(value, "Uri-Query") for value in self.options_of(URI_QUERY)]

    def add_path(self, path):
        """Append the segments of a path as `path()` writes it; a leading "/" is allowed. Returns the message."""
        path = path[1:] if path.startswith("/") else path
        if path:
            for segment in path.split("/"):
                self.add(URI_PATH, segment.replace("%2F", "/").replace("%25", "%"))
        return self


def join_path(segments):
    """Path segments (bytes) as one text; raises MessageError when one is not UTF-8."""
    return "/".join(_text(segment, "a path segment").replace("%", "%25").replace("/", "%2F") for segment in segments)


def _text(value, name):
    try:
        return value.decode()
    except UnicodeError:
        raise MessageError(f"{name} is not UTF-8 text") from None


def format_code(code):
    """A code as people write it: 0x45 is "2.05"."""
    return "%d.%02d" % (code >> 5, code & 0x1F)


def is_request(code):
    """Whether a code is a method, known or not (class 0 but the empty code)."""
    return 0 < code < 0x20


def is_response(code):
    """Whether a code is a response, of any class that is not reserved (2 to 5)."""
    return 0x40 <= code < 0xC0


def is_success(code):
    """Whether a code is a response of class 2."""
    return code >> 5 == 2


def is_critical(number):
    """Whether a peer that does not know this option must refuse the message (RFC 7252 section 5.4.6)."""
    return number & 1 == 1


def encode_uint(value):
    """The shortest big-endian bytes of a non-negative int: 0 is b"" (RFC 7252 section 3.2)."""
    size = 0
    while value >> (8 * size):
        size += 1
    return value.to_bytes(size, "big")


def decode_uint(value):
    """An unsigned integer from big-endian bytes; leading zeros are allowed (RFC 7252 section 3.2)."""
    return int.from_bytes(value, "big")


def encode(message):
    """The datagram of a message; its `mid` must have been given.

    Raises MessageError when it cannot be written, or would be longer than MESSAGE_BYTES.
    """
    if message.mid is None or not 0 <= message.mid <= 0xFFFF:
        raise MessageError("a message needs a message id from 0 to 65535 before it is encoded")
    if len(message.token) > TOKEN_BYTES:
        raise MessageError("a token has at most 8 bytes")
    if message.code == EMPTY and (message.token or message.options or message.payload):
        raise MessageError("an empty message has no token, options or payload")
    head = bytes((0x40 | message.type << 4 | len(message.token), message.code, message.mid >> 8, message.mid & 0xFF))
    data = head + message.token + encode_body(message.options, message.payload)
    if len(data) > MESSAGE_BYTES:
        raise MessageError(
            "a message has at most %d bytes, this one %d: use block-wise transfer" % (MESSAGE_BYTES, len(data))
        )
    return data


def decode(data):
    """The message in a datagram.

    Raises MessageError for anything that RFC 7252 section 3 does not allow; its `mid` says whether a Reset is due.
    """
    if len(data) < 4:
        raise MessageError("a message has at least 4 bytes")
    if data[0] >> 6 != 1:
        raise MessageError("the version of CoAP is not 1")
    type = data[0] >> 4 & 3
    token_bytes = data[0] & 0x0F
    code = data[1]
    mid = data[2] << 8 | data[3]
    try:
        if len(data) > MESSAGE_BYTES:
            raise MessageError("a message has at most %d bytes: use block-wise transfer" % MESSAGE_BYTES)
        if token_bytes > TOKEN_BYTES:
            raise MessageError("token lengths 9 to 15 are reserved")
        if code == EMPTY and len(data) > 4:
            raise MessageError("an empty message has no bytes after the message id")
        if code >> 5 in (1, 6, 7):
            raise MessageError("code %s belongs to a reserved class" % format_code(code))
        if 4 + token_bytes > len(data):
            raise MessageError("the token is cut short")
        options, payload = decode_body(data[4 + token_bytes :])
    except MessageError as error:
        error.mid = mid if type in (CON, NON) else None
        raise
    return Message(code, type, mid, bytes(data[4 : 4 + token_bytes]), options, payload)


def with_token(data, token):
    """An encoded message with another token; an empty one has none and stays."""
    if data[1] == EMPTY:
        return data
    return bytes((data[0] & 0xF0 | len(token),)) + data[1:4] + token + data[4 + (data[0] & 0x0F) :]


def encode_body(options, payload):
    """Options and payload as they follow the token (and, in OSCORE, the inner code).

    Raises MessageError when an option's number or length cannot be written.
    """
    body = bytearray()
    last = 0
    for number, value in _in_order(options):
        delta, delta_extra = _nibble(number - last, "number")
        length, length_extra = _nibble(len(value), "length")
        body.append(delta << 4 | length)
        body += delta_extra
        body += length_extra
        body += value
        last = number
    if payload:
        body.append(PAYLOAD_MARKER)
        body += payload
    return bytes(body)


def decode_body(data):
    """The bytes after the token as a list of (number, bytes) in order, and the payload. Raises MessageError."""
    options = []
    number = position = 0
    end = len(data)
    while position < end:
        head = data[position]
        position += 1
        if head == PAYLOAD_MARKER:
            if position == end:
                raise MessageError("there is no payload after the payload marker")
            return options, bytes(data[position:])
        if len(options) == OPTIONS:
            raise MessageError("a message has at most %d options" % OPTIONS)
        delta, position = _extended(data, position, head >> 4, "delta")
        length, position = _extended(data, position, head & 0x0F, "length")
        number += delta
        if number > 0xFFFF:
            raise MessageError("an option number is above 65535")
        if position + length > end:
            raise MessageError("the value of option %d is cut short" % number)
        options.append((number, bytes(data[position : position + length])))
        position += length
    return options, b""


def _in_order(options):
    """Options by number. Equal numbers keep their order, which MicroPython's `sorted` does not promise."""
    ordered = []
    for item in options:
        place = len(ordered)
        while place and ordered[place - 1][0] > item[0]:
            place -= 1
        ordered.insert(place, item)
    return ordered


def _nibble(value, what):
    """The four bits and the extension bytes of an option's delta or length (RFC 7252 section 3.1)."""
    if value < 13:
        return value, b""
    if value < 269:
        return 13, bytes((value - 13,))
    if value <= 0xFFFF:
        return 14, (value - 269).to_bytes(2, "big")
    raise MessageError(f"an option's {what} is above 65535")


def _extended(data, position, nibble, what):
    """Read a delta or length whose four bits are `nibble`; returns (value, position after it)."""
    if nibble < 13:
        return nibble, position
    if nibble == 15:
        raise MessageError(f"option {what} 15 is reserved for the payload marker")
    size = nibble - 12
    if position + size > len(data):
        raise MessageError(f"the extended option {what} is cut short")
    value = int.from_bytes(data[position : position + size], "big")
    return value + (13 if size == 1 else 269), position + size
