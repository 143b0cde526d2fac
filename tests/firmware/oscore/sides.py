"""The two ends of a protected exchange, for the tests: ours on both sides, or aiocoap on one."""

from typing import Any

import aiocoap
from aiocoap import oscore

from firmware.coap import message as coap
from firmware.coap.message import Message
from firmware.oscore.context import Context
from firmware.oscore.protect import Oscore
from firmware.oscore.window import ReplayWindow
from tests.vectors.rfc8613 import SALT, SECRET

LAMP_ID = b"lamp\x07"
SERVER_ID = b"\x01"


class Counting:
    """A `random` that never repeats itself, and does not surprise a test."""

    def __init__(self) -> None:
        self.drawn: list[bytes] = []

    def __call__(self, size: int) -> bytes:
        self.drawn.append((len(self.drawn) + 1).to_bytes(size, "big"))
        return self.drawn[-1]


def side(sender_id: bytes, recipient_id: bytes, restarted: bool = False, **changes: Any) -> Oscore:
    """One of our ends; `restarted`: it does not know what the peer has sent."""
    window = None if restarted else ReplayWindow()
    allow_plain = changes.pop("allow_plain", False)
    arguments: dict[str, Any] = {"master_salt": bytes.fromhex(SALT), "window": window, **changes}
    context = Context(sender_id, recipient_id, bytes.fromhex(SECRET), lambda limit: None, **arguments)
    return Oscore(context, Counting(), allow_plain)


def lamp(**changes: Any) -> Oscore:
    return side(LAMP_ID, SERVER_ID, **changes)


def server(**changes: Any) -> Oscore:
    return side(SERVER_ID, LAMP_ID, **changes)


class Peer(oscore.CanProtect, oscore.CanUnprotect, oscore.SecurityContextUtils):
    """aiocoap's end of the same context, for our messages."""

    alg_aead = oscore.algorithms["AES-CCM-16-64-128"]
    hashfun = oscore.hashfunctions["sha256"]

    def __init__(self, sender_id: bytes, recipient_id: bytes, id_context: bytes | None = None, restarted: bool = False):
        self.sender_id = sender_id
        self.recipient_id = recipient_id
        self.id_context = id_context
        self.sender_sequence_number = 0
        self.recipient_replay_window = oscore.ReplayWindow(32, lambda: None)
        self.echo_recovery = b"peerecho"
        if not restarted:
            self.recipient_replay_window.initialize_empty()
        self.derive_keys(bytes.fromhex(SALT), bytes.fromhex(SECRET))

    def post_seqnoincrease(self) -> None:
        """Nothing is kept: each test is one life."""


def to_peer(message: Message) -> aiocoap.Message:
    """Our message as aiocoap reads it from a datagram."""
    message.mid = 1 if message.mid is None else message.mid
    return aiocoap.Message.decode(coap.encode(message))


def from_peer(message: aiocoap.Message) -> Message:
    """aiocoap's message as we read it from a datagram."""
    message.mid = 1
    message.mtype = aiocoap.CON
    return coap.decode(message.encode())
