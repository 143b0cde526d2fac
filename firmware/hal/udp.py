"""One UDP socket, the same way on the ESP32 and on the unix VM.

Traps that this file is about (measured on the VM, read in the source of the ESP32 port):
- An empty datagram latches the ESP32's socket as closed: from then on it reads b"" for ever while poll says readable,
  so anyone could deafen a lamp. On b"" the socket is closed, made anew and bound to the same port.
- There is no `getsockname`, so a port that outlives the socket cannot be had from the system: it is drawn at random.
  The port must stay, because a NAT and the server know the lamp by it.
- `recvfrom` truncates silently: one byte more than the largest datagram is asked for, and what fills it is dropped.
- ECONNREFUSED is the echo of an earlier datagram to a closed port. Sending may raise ETIMEDOUT, ENOMEM or
  EHOSTUNREACH. Each of them is a lost datagram, which CoAP repeats.
- An address is a tuple on the ESP32; on unix it is bytes from `recvfrom` and a bytearray, which is not hashable, from
  `getaddrinfo`. As bytes the two are equal.
"""

import asyncio
import socket

from firmware import heap

DATAGRAM_BYTES = 1280  # RFC 7252 section 4.6: what a path that carries IPv6 carries whole
# What is asked for when the heap has no place for that: a server that keeps to blocks of 512 bytes sends no more.
NARROW_BYTES = 640

EAGAIN = 11
ECONNREFUSED = (111, 104)  # Linux; lwIP

# IANA's dynamic range (RFC 6335 section 6).
FIRST_PORT = 49152
PORTS = 16384
ATTEMPTS = 16

REOPEN_MS = 1000


def _plain(address):
    """A hashable form of an address that `sendto` takes as well."""
    return bytes(address) if isinstance(address, bytearray) else address


class Udp:
    """`wait(socket)` is awaited until the socket is readable (`firmware.hal.udp_wait`); `random(n)` draws the port;
    `sleep_ms` paces attempts to reopen. Raises OSError when no port can be bound."""

    def __init__(self, wait, random, sleep_ms=None):
        self._wait = wait
        self._random = random
        self._sleep_ms = sleep_ms or asyncio.sleep_ms
        self._socket = None
        self.port = 0
        self.lost = 0
        self.reopened = 0
        self._open()

    def resolve(self, host, port):
        """The address of `host` (name or dotted IPv4) and `port`. Raises OSError.

        A name blocks everything while DNS answers: feed the watchdog first, and provision a dotted address if you can.
        """
        try:
            found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_DGRAM)
        except OSError as error:
            raise OSError("no address for %s (%s): check server_host and the network's DNS" % (host, error)) from None
        return _plain(found[0][-1])

    def send(self, data, address):
        """Send one datagram. False when it was lost on the way out; CoAP repeats what matters."""
        try:
            self._socket.sendto(data, address)
        except (OSError, AttributeError):  # no socket: `receive` is about to make a new one
            self.lost += 1
            return False
        return True

    async def receive(self):
        """Wait for the next datagram: (data, address of the sender). Never ends but by cancellation."""
        while True:
            if self._socket is None:
                await self._reopen()
            # What came before has been answered: what it left would cut the free heap into pieces.
            heap.collect()
            await self._readable()
            most = DATAGRAM_BYTES
            try:
                try:
                    data, source = self._read(most)
                except MemoryError:
                    # The datagram is still there, and a lamp that hears only what is short is not deaf.
                    most = NARROW_BYTES
                    data, source = self._read(most)
            except OSError as error:
                code = error.args[0]
                if code != EAGAIN and code not in ECONNREFUSED:
                    self._discard()
                continue
            if not data:
                self._discard()
            elif len(data) > most:
                self.lost += 1
            else:
                return data, _plain(source)

    def close(self):
        """Give the socket back. Cancel the task in `receive` first: a closed socket never becomes readable."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _readable(self):
        await self._wait(self._socket)

    def _read(self, most):
        return self._socket.recvfrom(most + 1)

    def _discard(self):
        self.close()
        self.reopened += 1

    async def _reopen(self):
        """Back on the old port; while the system refuses it (no memory, no network) a second of patience each time."""
        while self._socket is None:
            try:
                self._bind(self.port)
            except OSError:
                await self._sleep_ms(REOPEN_MS)

    def _open(self):
        attempts = ATTEMPTS
        while self._socket is None:
            drawn = self._random(2)
            port = FIRST_PORT + (drawn[0] << 8 | drawn[1]) % PORTS
            try:
                self._bind(port)
            except OSError:
                attempts -= 1
                if not attempts:
                    raise

    def _bind(self, port):
        address = socket.getaddrinfo("0.0.0.0", port, socket.AF_INET, socket.SOCK_DGRAM)[0][-1]
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.bind(address)
        except OSError:
            opened.close()
            raise
        self._socket = opened
        self.port = port
