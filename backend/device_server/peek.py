"""What a datagram shows before anything is made of it: enough to send it away at a fiftieth of the cost of serving it.

Source: RFC 7252, section 3 (header), RFC 8613, section 6.1 (the OSCORE option), socket(7) (the kernel's stamp).
"""

import socket
import struct
from typing import Any

from aiocoap.numbers.codes import FETCH, POST

STALE_MS = 15_000
"""A request that lay unread this long is nearly given up (`firmware.lwm2m.uplink`: after 20 s). Serving it would make
all behind it wait as long, until the server does nothing but serve those who have gone."""
SO_TIMESTAMPNS = 35
"""Linux; Python's socket module has no name for it."""


def is_request(data: bytes) -> bool:
    """Whether a datagram is a request, by its code; what answers a request of ours is none."""
    return len(data) >= 4 and 0 < data[1] < 32


def key_id(data: bytes) -> bytes | None:
    """The OSCORE key id in the datagram of a protected request (RFC 8613, 6.1), read without decoding the rest; None
    for anything that a lamp of ours would not send."""
    at = 4 + (data[0] & 15) if len(data) > 4 else 0
    if not at or data[1] not in (POST, FETCH) or data[0] >> 4 not in (4, 5) or len(data) <= at or data[at] >> 4 != 9:
        return None
    length = data[at] & 15
    if length == 13 and len(data) > at + 1:
        at, length = at + 1, 13 + data[at + 1]
    option = data[at + 1 : at + 1 + length]
    if length > 14 or len(option) < length or not option or option[0] & 0xF8 != 0x08:
        return None
    return option[1 + (option[0] & 7) :] or None


def waited_ms(ancdata: Any, now_ns: int) -> int:
    """How long a datagram lay in the socket's buffer, by the kernel's stamp; 0 without one."""
    for level, kind, data in ancdata:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) >= 16:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            return int(max(0, now_ns - seconds * 1_000_000_000 - nanoseconds) // 1_000_000)
    return 0
