"""Block-wise transfer: the option, what a client sends and fetches, what a server puts together and hands out.

Sans-IO, and above security: under OSCORE these options are inner ones (RFC 8613 section 4.1.3.4).

Source: RFC 7959; RFC 9175 section 3 (Request-Tag).
"""

from firmware.coap import message as coap
from firmware.coap.errors import MessageError, Refused, TooLarge, Unexpected
from firmware.coap.message import BLOCK1, BLOCK2, ETAG, OBSERVE, REQUEST_TAG, SIZE1, SIZE2, Message

# 512 bytes leave room for OSCORE and options in the 1152 bytes that RFC 7252 section 4.6 expects of every network, and
# lose less than 1024 when a datagram is lost.
BLOCK_BYTES = 512
LARGEST_EXPONENT = 6  # 1024 bytes; 7 is reserved (RFC 7959 section 2.2)
BODY_BYTES = (
    8192  # the largest body of a request or response: an eighth of the heap while it is put together and parsed
)
TRANSFERS = 2  # bodies under way at once, each way: one peer, and one more so that its restart need not wait
# What tells one transfer from another does not include these (RFC 7959 section 2.5, RFC 7252 section 5.4.2).
_NOT_IN_KEY = (BLOCK1, BLOCK2, SIZE1, SIZE2, OBSERVE, coap.ECHO)


class Block:
    """The value of a Block1 or Block2 option: `number` 0..1048575, `more`, `exponent` 0..6 for 16..1024 bytes."""

    def __init__(self, number, more, exponent):
        self.number = number
        self.more = more
        self.exponent = exponent

    @property
    def size(self):
        """Bytes in a full block."""
        return 16 << self.exponent

    @property
    def start(self):
        """Where the block begins in the body."""
        return self.number << (self.exponent + 4)

    def encode(self):
        """The value of the option."""
        return coap.encode_uint(self.number << 4 | (8 if self.more else 0) | self.exponent)


def find_block(message, option):
    """The Block of `option` (BLOCK1 or BLOCK2), or None. Raises MessageError when its value is not allowed."""
    value = message.option(option)
    if value is None:
        return None
    if len(value) > 3 or (value and value[-1] & 7 > LARGEST_EXPONENT):
        raise MessageError("a block option has at most 3 bytes and a size exponent of at most %d" % LARGEST_EXPONENT)
    bits = coap.decode_uint(value)
    return Block(bits >> 4, bits & 8 != 0, bits & 7)


def exponent_of(size):
    """The exponent of a block size in bytes. Raises ValueError when it is not a power of two from 16 to 1024."""
    for exponent in range(LARGEST_EXPONENT + 1):
        if size == 16 << exponent:
            return exponent
    raise ValueError("a block has 16, 32, 64, 128, 256, 512 or 1024 bytes")


class Transfer:
    """The client's side of one request: a large payload goes out in blocks, a large answer is fetched in blocks.

    Send `next()` (as often as need be), give the response to `receive`, until that returns it whole. A request with
    a Block2 option of its own asks for that one block and is answered with it alone. `tag` (bytes) marks the body that
    is sent, so that blocks of an abandoned one cannot slip in.
    """

    def __init__(self, request, tag=b"", block_bytes=BLOCK_BYTES, body_bytes=BODY_BYTES):
        self._request = request
        self._tag = tag
        self._exponent = exponent_of(block_bytes)
        self._body_bytes = body_bytes
        self._sent = 0  # bytes of the payload that the peer has confirmed
        self._in_blocks = len(request.payload) > block_bytes
        self._collects = request.option(BLOCK2) is None
        self._first = None  # the response that began a Block2 transfer, while it is collected
        self._received = []
        self._received_bytes = 0

    def next(self):
        """The next request to send: a message of its own."""
        message = self._request.copy()
        if self._in_blocks and self._tag:
            message.add(REQUEST_TAG, self._tag)
        if self._first is not None:
            message.payload = b""
            message.remove(OBSERVE)
            block = Block(self._received_bytes >> (self._exponent + 4), False, self._exponent)
            return message.add(BLOCK2, block.encode())
        if self._in_blocks:
            payload = self._request.payload
            if self._sent == 0:
                message.add(SIZE1, len(payload))
            block = self._block1()
            message.payload = payload[block.start : block.start + block.size]
            message.add(BLOCK1, block.encode())
        return message

    def receive(self, response):
        """The whole response, or None when `next` has more to send.

        Raises Unexpected when the response does not continue the transfer, TooLarge when its body is too long.
        """
        try:
            block1 = find_block(response, BLOCK1)
            block2 = find_block(response, BLOCK2)
        except MessageError as error:
            raise Unexpected(f"{error}: the peer's block-wise transfer is faulty") from None
        if self._in_blocks and self._first is None and self._goes_on(response, block1):
            return None
        if response.code == coap.CONTINUE:
            raise Unexpected("the peer waits for more blocks than there are; send the request again")
        if block2 is None or not self._collects:
            if self._first is not None and coap.is_success(response.code):
                raise Unexpected("a block was asked for and the answer is none; send the request again")
            return response
        return self._collect(response, block2)

    def _block1(self):
        size = 16 << self._exponent
        return Block(self._sent // size, self._sent + size < len(self._request.payload), self._exponent)

    def _goes_on(self, response, block1):
        """Whether another block of the request's payload is to be sent."""
        sent = self._block1()
        smaller = block1 is not None and block1.exponent < self._exponent
        if response.code == coap.REQUEST_ENTITY_TOO_LARGE and smaller and self._sent == 0:
            self._exponent = block1.exponent
            return True
        if not sent.more or not coap.is_success(response.code):
            return False
        if block1 is None or block1.number != sent.number:
            raise Unexpected("the answer confirms another block than the one that was sent; send the request again")
        self._sent += sent.size
        if smaller:
            self._exponent = block1.exponent
        return True

    def _collect(self, response, block):
        first = response if self._first is None else self._first
        if block.start != self._received_bytes:
            raise Unexpected("the answer holds another block than the one asked for; send the request again")
        if response.option(ETAG) != first.option(ETAG) or response.code != first.code:
            raise Unexpected("the resource changed while it was fetched; send the request again")
        if len(response.payload) > block.size or (block.more and len(response.payload) < block.size):
            raise Unexpected("a block is shorter or longer than it says; send the request again")
        self._received.append(response.payload)
        self._received_bytes += len(response.payload)
        if self._received_bytes > self._body_bytes or (response.uint(SIZE2) or 0) > self._body_bytes:
            raise TooLarge("the answer has more than %d bytes; ask for a smaller part of it" % self._body_bytes)
        if block.more:
            self._first = first
            self._exponent = block.exponent
            return None
        whole = first.copy().remove(BLOCK2).remove(SIZE2)
        whole.payload = b"".join(self._received)
        return whole


class Reassembly:
    """The server's side of Block1: bodies put together, at most TRANSFERS at once and `body_bytes` each."""

    def __init__(self, lifetime_ms, body_bytes=BODY_BYTES):
        self._lifetime_ms = lifetime_ms
        self._body_bytes = body_bytes
        self._bodies = []  # [key, chunks, bytes so far, expires_ms], the one used last at the end

    def receive(self, request, source, now_ms):
        """The request with its whole payload, or None when more blocks are to come (answer 2.31 Continue).

        Raises Refused: 4.00 for a faulty block, 4.08 for one that does not follow, 4.13 for a body that is too large.
        """
        block = _checked_block(request, BLOCK1)
        if block is None:
            return request
        if len(request.payload) > block.size or (block.more and len(request.payload) < block.size):
            raise Refused(coap.BAD_REQUEST, "a block's payload is shorter or longer than it says")
        key = transfer_key(request, source)
        found = None
        for body in self._bodies:
            if body[0] == key:
                found = body
        self._bodies = [body for body in self._bodies if body is not found and body[3] > now_ms]
        total = block.start + len(request.payload)
        if max(total, request.uint(SIZE1) or 0) > self._body_bytes:
            words = "a request has at most %d bytes here; send it in parts" % self._body_bytes
            response = Message(coap.REQUEST_ENTITY_TOO_LARGE, payload=words.encode()).add(SIZE1, self._body_bytes)
            raise Refused(coap.REQUEST_ENTITY_TOO_LARGE, words, response)
        if block.number == 0:
            found = [key, [], 0, 0]
        elif found is None or found[3] <= now_ms or found[2] != block.start:
            raise Refused(coap.REQUEST_ENTITY_INCOMPLETE, "blocks are missing; start again with the first one")
        found[1].append(request.payload)
        found[2] = total
        found[3] = now_ms + self._lifetime_ms
        if block.more:
            self._bodies = (self._bodies + [found])[-TRANSFERS:]
            return None
        whole = request.copy()
        whole.payload = b"".join(found[1])
        return whole


class Serving:
    """The server's side of Block2: large responses kept while they are fetched, at most TRANSFERS at once."""

    def __init__(self, lifetime_ms, random, block_bytes=BLOCK_BYTES):
        self._lifetime_ms = lifetime_ms
        self._exponent = exponent_of(block_bytes)
        self._etag = coap.decode_uint(random(4))  # not from 0: a restart must not give an old ETag to a new body
        self._kept = []  # [key, response, expires_ms], the one used last at the end

    def find(self, request, source, now_ms):
        """The kept response that a request for a later block belongs to, cut to that block; None: ask the handler.

        Raises Refused: 4.00 for a faulty option or a block beyond the end, 4.08 when the body of a request that cannot
        simply be handled again is no longer kept.
        """
        block = self._wanted(request)
        self._kept = [item for item in self._kept if item[2] > now_ms]
        if block.number == 0:
            return None
        key = transfer_key(request, source)
        for item in self._kept:
            if item[0] == key:
                part = _cut(item[1], block)
                if block.start + block.size >= len(item[1].payload):
                    self._kept.remove(item)
                return part
        if request.code != coap.GET:
            raise Refused(coap.REQUEST_ENTITY_INCOMPLETE, "the answer is no longer kept; send the request again")
        return None

    def cut(self, request, response, source, now_ms):
        """The block of `response` that the request asks for, which is all of it when it is small.

        Raises Refused (4.00) when there is no such block.
        """
        block = self._wanted(request)
        if len(response.payload) <= block.size and block.number == 0:
            return response
        if response.option(ETAG) is None:
            self._etag = (self._etag + 1) & 0xFFFFFFFF
            response.add(ETAG, self._etag.to_bytes(4, "big"))
        if request.uint(SIZE2) is not None:
            response.add(SIZE2, len(response.payload))
        part = _cut(response, block)
        key = transfer_key(request, source)
        others = [item for item in self._kept if item[0] != key]
        self._kept = (others + [[key, response, now_ms + self._lifetime_ms]])[-TRANSFERS:]
        return part

    def _wanted(self, request):
        """The block that is asked for, in blocks that are not larger than ours."""
        block = _checked_block(request, BLOCK2)
        if block is None:
            return Block(0, False, self._exponent)
        if block.exponent > self._exponent:
            return Block(block.start >> (self._exponent + 4), False, self._exponent)
        return block


def _cut(response, block):
    end = block.start + block.size
    if block.start >= len(response.payload):
        raise Refused(coap.BAD_REQUEST, "there is no block %d in this answer" % block.number)
    part = response.copy()
    part.payload = response.payload[block.start : end]
    return part.add(BLOCK2, Block(block.number, end < len(response.payload), block.exponent).encode())


def _checked_block(request, option):
    try:
        return find_block(request, option)
    except MessageError as error:
        raise Refused(coap.BAD_REQUEST, str(error)) from None


def transfer_key(request, source):
    """What blocks of one transfer have in common: the peer, the method and the options that name the resource."""
    options = [item for item in request.options if item[0] not in _NOT_IN_KEY]
    return source, request.code, coap.encode_body(options, b"")
