"""A cheap load of protected reports: many lamps, each with one confirmable POST /dp outstanding, in one loop over
epoll.

Written by hand on `cryptography` so that the generator costs a tenth of a server: RFC 7252 (section 3), RFC 8613
(sections 5 and 6, Appendix B.1.2). It knows only what the bench needs, and counts every response that is not a 2.04
which decrypts.
"""

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contract.limits import SERVER_ID

SALT = b"ingestbench"
_RETRY_S = 3.0


def keys_of(index: int) -> tuple[bytes, bytes]:
    """(sender id, master secret) of lamp `index`."""
    return b"L" + index.to_bytes(3, "big"), b"bench" + index.to_bytes(11, "big")


def payload_of(index: int, number: int) -> bytes:
    """A telemetry report of 70 to 80 bytes: six values with a base time."""
    return cbor2.dumps(
        [
            {-2: "/3418/0/", -3: 1_700_000_000 + number * 900, 0: "1", 2: 231.5},
            {0: "2", 2: 0.25},
            {0: "3", 2: 57.5},
            {0: "6", 2: 1000.5 + number},
            {-2: "/3416/0/", 0: "3", 2: 40 + index % 50},
        ]
    )


@dataclass
class Result:
    """Of one phase. `acknowledged` counts 2.04; latencies in seconds."""

    acknowledged: int = 0
    refused: int = 0
    retransmitted: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.acknowledged / self.seconds

    def percentile_ms(self, percent: int) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000


class Lamp:
    """One client: its socket, its keys and the request that is outstanding."""

    def __init__(self, index: int, port: int) -> None:
        self.index = index
        self.kid, secret = keys_of(index)
        self._sender = AESCCM(derive(secret, self.kid, "Key", 16, SALT), 8)
        self._recipient = AESCCM(derive(secret, SERVER_ID, "Key", 16, SALT), 8)
        self._iv = int.from_bytes(derive(secret, b"", "IV", 13, SALT), "big")
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.connect(("127.0.0.1", port))
        self.sequence = 0
        self.number = 0
        self.sent_at = 0.0
        self._datagram = b""
        self._token = b""
        self._aad = b""
        self._nonce = b""

    def _nonce_of(self, sender: bytes, partial_iv: bytes) -> bytes:
        padded = bytes([len(sender)]) + sender.rjust(7, b"\0") + partial_iv.rjust(5, b"\0")
        return (int.from_bytes(padded, "big") ^ self._iv).to_bytes(13, "big")

    def send(self, now: float, echo: bytes = b"") -> None:
        """The next report, or the same one with an Echo option."""
        if not echo:
            self.number += 1
        partial_iv = self.sequence.to_bytes(5, "big").lstrip(b"\0") or b"\0"
        self.sequence += 1
        external = cbor2.dumps([1, [10], self.kid, partial_iv, b""])
        self._aad = cbor2.dumps(["Encrypt0", b"", external])
        self._nonce = self._nonce_of(self.kid, partial_iv)
        options = b"\xb2dp\x11\x70"  # Uri-Path (11) "dp", Content-Format (12) 112
        if echo:
            options += bytes([0xD0 | len(echo), 252 - 12 - 13]) + echo
        inner = b"\x02" + options + b"\xff" + payload_of(self.index, self.number)
        option = bytes([0x08 | len(partial_iv)]) + partial_iv + self.kid
        self._token = self.sequence.to_bytes(4, "big")
        head = b"\x44\x02" + (self.sequence & 0xFFFF).to_bytes(2, "big") + self._token
        body = self._sender.encrypt(self._nonce, inner, self._aad)
        self._datagram = head + bytes([0x90 | len(option)]) + option + b"\xff" + body
        self.sent_at = now
        self.socket.send(self._datagram)

    def send_again(self) -> None:
        self.socket.send(self._datagram)

    def receive(self) -> tuple[int, bytes] | None:
        """(code, Echo value) of the response that was awaited; None for anything else. An empty ACK is passed over
        and a separate response acknowledged."""
        try:
            data = self.socket.recv(2048)
        except BlockingIOError:
            return None
        if len(data) < 8 or data[1] == 0:
            return None
        if data[0] >> 4 == 4:
            self.socket.send(b"\x60\x00" + data[2:4])
        if data[4:8] != self._token:
            return None
        at = 8
        if data[at] >> 4 != 9:  # no OSCORE option: a plain error
            return data[1], b""
        length = data[at] & 15
        option, ciphertext = data[at + 1 : at + 1 + length], data[at + 2 + length :]
        nonce = self._nonce
        if length:
            nonce = self._nonce_of(SERVER_ID, option[1 : 1 + (option[0] & 7)])
        inner = self._recipient.decrypt(nonce, ciphertext, self._aad)
        if inner[0] == 0x81 and len(inner) > 3:
            return inner[0], inner[3 : 3 + (inner[1] & 15)]
        return inner[0], b""


def derive(secret: bytes, role: bytes, kind: str, size: int, salt: bytes) -> bytes:
    """A key or IV of `size` bytes (RFC 8613, 3.2.1)."""
    info = cbor2.dumps([role, None, 10, kind, size])
    return HKDF(algorithm=SHA256(), length=size, salt=salt, info=info).derive(secret)


def run(lamps: list[Lamp], seconds: float, clock: Callable[[], float] = time.perf_counter) -> Result:
    """Keep one report of every lamp outstanding for `seconds`, then wait for the last answers."""
    result = Result()
    poller = select.epoll()
    by_fd = {lamp.socket.fileno(): lamp for lamp in lamps}
    for fd in by_fd:
        poller.register(fd, select.EPOLLIN)
    begin = clock()
    end, check = begin + seconds, begin + _RETRY_S
    outstanding = set(lamps)
    for lamp in lamps:
        lamp.send(begin)
    while outstanding and clock() < end + 10:
        for fd, _ in poller.poll(0.5):
            lamp = by_fd[fd]
            answer = lamp.receive()
            if answer is None:
                continue
            now = clock()
            code, echo = answer
            if echo:
                lamp.send(now, echo)
                continue
            if code == 0x44:
                result.acknowledged += 1
                result.latencies.append(now - lamp.sent_at)
            else:
                result.refused += 1
            if now < end:
                lamp.send(now)
            else:
                outstanding.discard(lamp)
        if clock() > check:
            check = clock() + _RETRY_S
            for lamp in outstanding:
                if lamp.sent_at < check - 2 * _RETRY_S:
                    result.retransmitted += 1
                    lamp.send_again()
    result.seconds = clock() - begin
    poller.close()
    return result
