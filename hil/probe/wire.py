"""What a probe and the computer say to one another, as bytes; one module for both, on CPython and on MicroPython.

A frame is a zero, a body without zeros (COBS, Cheshire and Baker, 1999) and a zero, so that after garbage the next zero
is a beginning. The body is kind, number, boot id, payload and CRC-32 (IEEE 802.3), all little-endian. A probe numbers
its frames without a gap; a gap is a loss. The boot id is drawn at each start: another one is another clock.

A probe tells everything that it stamped before a moment before it tells the moment: after SYNC or BEAT with clock t no
earlier edge follows.
"""

import struct
from binascii import crc32

VERSION = 1

# From the computer.
ASK_HELLO = 0x01
ASK_START = 0x02  # START
ASK_SYNC = 0x03  # TOKEN; it is stamped at its receipt
ASK_SAMPLE = 0x04  # SAMPLE
ASK_QUIT = 0x05  # back to the MicroPython prompt, for a new program

# From the probe. Clocks are us since STARTED.
HELLO = 0x81  # HELLO_HEAD, then the probe's name as text
SYNC = 0x82  # SYNC_REPLY
STARTED = 0x83
EDGES = 0x84  # EDGES_HEAD, then one 32-bit word an edge: the counter's steps since STARTED, without its higher bits
BEAT = 0x85  # BEAT_BODY, each half second
WAVE = 0x86  # WAVE_HEAD, then 16-bit samples, 0..4095; a total of 0: this probe has no sensor

START = "<B"  # channels to watch, a bit each
TOKEN = "<I"
SAMPLE = "<II"  # period, ns; how many
HELLO_HEAD = "<BBBII"  # VERSION; channels; bits of the counter; its step, ps; uncertainty of a stamp, ns
SYNC_REPLY = "<IQB"  # token; clock; channels that have lost edges since STARTED
EDGES_HEAD = "<BBQ"  # channel; level of the first edge, which alternates from there on; clock when they were fetched
BEAT_BODY = "<QBB"  # clock; levels of the channels now; channels that have lost edges since STARTED
WAVE_HEAD = "<QIII"  # clock of sample 0; period, ns; how many there will be; number of the first in this frame

WORDS_A_FRAME = 128
SAMPLES_A_FRAME = 256
BEAT_MS = 500
LARGEST_BYTES = 1024

_HEAD = "<BHI"
_HEAD_BYTES = 7
_CHECK_BYTES = 4


def encode(kind: int, number: int, boot: int, payload: bytes = b"") -> bytes:
    """A whole frame; `number` is taken modulo 65,536."""
    body = struct.pack(_HEAD, kind, number & 0xFFFF, boot) + payload
    return b"\0" + stuff(body + struct.pack("<I", crc32(body))) + b"\0"


def stuff(data: bytes) -> bytes:
    """COBS: no zero is left; a byte more, and one more in 254."""
    stuffed = bytearray()
    at = 0
    while True:
        end = data.find(b"\0", at, at + 254)
        found = end >= 0
        if not found:
            end = min(at + 254, len(data))
        stuffed.append(end - at + 1)
        stuffed += data[at:end]
        at = end + 1 if found else end
        if not found and at == len(data):
            return bytes(stuffed)


def unstuff(stuffed: bytes) -> bytes:
    """The opposite; raises ValueError for what `stuff` cannot have made."""
    data = bytearray()
    at = 0
    while at < len(stuffed):
        code = stuffed[at]
        block = stuffed[at + 1 : at + code]
        if code == 0 or len(block) != code - 1:
            raise ValueError("no COBS")
        data += block
        at += code
        if code < 255 and at < len(stuffed):
            data.append(0)
    return bytes(data)


class Receiver:
    """Bytes in, frames out; `garbage` counts what was between zeros and is no frame."""

    def __init__(self) -> None:
        self.garbage = 0
        self._rest = b""

    def feed(self, data: bytes) -> "list[tuple[int, int, int, bytes]]":
        """(kind, number, boot id, payload) of each frame that is whole now."""
        pieces = (self._rest + data).split(b"\0")
        self._rest = pieces.pop()
        if len(self._rest) > 2 * LARGEST_BYTES:
            self._rest = b"\1"  # whatever it is, it is no frame any more
        frames = []
        for piece in pieces:
            if not piece:
                continue
            try:
                frames.append(_parse(unstuff(piece)))
            except ValueError:
                self.garbage += 1
        return frames


def _parse(body: bytes) -> "tuple[int, int, int, bytes]":
    end = len(body) - _CHECK_BYTES
    if end < _HEAD_BYTES or struct.unpack("<I", body[end:])[0] != crc32(body[:end]):
        raise ValueError("no frame")
    kind, number, boot = struct.unpack(_HEAD, body[:_HEAD_BYTES])
    return kind, number, boot, body[_HEAD_BYTES:end]
