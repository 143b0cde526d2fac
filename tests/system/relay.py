"""A stand-in for the network between lamps and backend: it passes datagrams on, keeps a copy, and can misbehave.

Like a NAT it gives every lamp a socket of its own towards the backend. Bounded: it keeps the newest datagrams only.
"""

import queue
import random
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from aiocoap import Message

KEPT = 20_000
LARGEST = 65_535
ACK, RESET = 2, 3

Address = tuple[str, int]


@dataclass(frozen=True)
class Datagram:
    """One datagram on its way: `up` from a lamp to the backend, else down; `lamp` is the lamp's address."""

    up: bool
    lamp: Address
    data: bytes

    @property
    def kind(self) -> int:
        """CoAP type: 0 CON, 1 NON, 2 ACK, 3 RST; -1 when it is no CoAP."""
        return self.data[0] >> 4 & 3 if len(self.data) >= 4 and self.data[0] >> 6 == 1 else -1

    @property
    def is_request(self) -> bool:
        return self.kind in (0, 1) and 1 <= self.data[1] < 32

    @property
    def mid(self) -> bytes:
        return self.data[2:4]


def with_new_mid(data: bytes) -> bytes:
    """The same message under a message id of its own, so that no cache of answers stands before the security; and
    confirmable, so that it is answered: what a lamp sends only once is refused in silence."""
    return bytes([data[0] & 0xCF]) + data[1:2] + random.randbytes(2) + data[4:]


class Relay:
    """Runs in a thread from `start` to `close`. `change(datagram)` may return other bytes, or None to drop it."""

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self.port: int = self._front.getsockname()[1]
        self._seen: deque[Datagram] = deque(maxlen=KEPT)
        self.change: Callable[[Datagram], bytes | None] = lambda datagram: datagram.data
        self._behind: dict[Address, socket.socket] = {}
        self._asked: dict[tuple[bool, bytes], queue.Queue[bytes]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._front, selectors.EVENT_READ)
        self._lock = threading.RLock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self.forget()
        self._selector.close()
        self._front.close()

    @property
    def seen(self) -> list[Datagram]:
        """The datagrams so far, as they came, whatever became of them."""
        with self._lock:
            return list(self._seen)

    @property
    def lamp(self) -> Address:
        """Address of the lamp that was heard last."""
        return next(datagram.lamp for datagram in reversed(self.seen) if datagram.up)

    def forget(self, kid: bytes | None = None) -> None:
        """The mapping of the lamp with this key id (None: of all) is gone, as when a NAT forgets: what the backend
        still sends there finds no port."""
        with self._lock:
            for lamp in self._addresses(kid):
                behind = self._behind.pop(lamp, None)
                if behind is not None:
                    self._selector.unregister(behind)
                    behind.close()

    def _addresses(self, kid: bytes | None) -> list[Address]:
        if kid is None:
            return list(self._behind)
        return list({one.lamp for one in self.seen if one.up and one.is_request and kid in one.data[:40]})

    def tell_lamp(self, data: bytes) -> None:
        """Send bytes to the lamp that look as if the backend had sent them."""
        self._front.sendto(data, self.lamp)

    def tell_backend(self, data: bytes) -> None:
        """Send bytes to the backend that look as if the lamp had sent them."""
        with self._lock:
            self._behind[self.lamp].send(data)

    def ask_lamp(self, data: bytes, timeout_s: float = 5.0) -> Message:
        """The lamp's answer to an injected confirmable message; it does not reach the backend."""
        return self._ask(True, data, self.tell_lamp, timeout_s)

    def ask_backend(self, data: bytes, timeout_s: float = 5.0) -> Message:
        """The backend's answer to an injected confirmable message; it does not reach the lamp."""
        return self._ask(False, data, self.tell_backend, timeout_s)

    def _ask(self, up: bool, data: bytes, tell: Callable[[bytes], None], timeout_s: float) -> Message:
        answers = self._asked[(up, data[2:4])] = queue.Queue()
        try:
            tell(data)
            return Message.decode(answers.get(timeout=timeout_s))
        except queue.Empty:
            raise AssertionError("the injected message was not answered") from None
        finally:
            del self._asked[(up, data[2:4])]

    def _run(self) -> None:
        while not self._ending.is_set():
            for key, _ in self._selector.select(0.05):
                received = key.fileobj
                assert isinstance(received, socket.socket)
                try:
                    data, source = received.recvfrom(LARGEST)
                except OSError:
                    continue  # the echo of a datagram to a lamp or a backend that is gone, or forgotten meanwhile
                if received is self._front:
                    self._pass(Datagram(True, source, data))
                else:
                    self._pass(Datagram(False, key.data, data))

    def _pass(self, datagram: Datagram) -> None:
        with self._lock:
            self._seen.append(datagram)
        waiting = self._asked.get((datagram.up, datagram.mid))
        if waiting is not None and datagram.kind in (ACK, RESET):
            waiting.put(datagram.data)
            return
        data = self.change(datagram)
        if data is None:
            return
        try:
            if datagram.up:
                self._upstream(datagram.lamp).send(data)
            else:
                self._front.sendto(data, datagram.lamp)
        except OSError:
            pass  # nobody is there: a lost datagram

    def _upstream(self, lamp: Address) -> socket.socket:
        with self._lock:
            if lamp not in self._behind:
                behind = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                behind.connect(self._server)
                self._behind[lamp] = behind
                self._selector.register(behind, selectors.EVENT_READ, lamp)
            return self._behind[lamp]
