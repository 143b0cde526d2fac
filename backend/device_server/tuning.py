"""Everything in which we differ from stock aiocoap 0.4.17 (OSCORE: `lean`), each with its reason; nothing else here
subclasses it.

Written against the source of that version: when the constraint moves, read this file beside the new one. Measured with
`make bench-ingest`. RFC 7252 (sections 3, 4.2 and 4.8.2) and RFC 8613 (section 8) decide what is right.
"""

import asyncio
import contextlib
import errno
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from aiocoap import Context, Message, error
from aiocoap.messagemanager import MessageManager
from aiocoap.numbers.codes import SERVICE_UNAVAILABLE
from aiocoap.numbers.constants import TransportTuning
from aiocoap.numbers.types import CON
from aiocoap.pipe import Pipe
from aiocoap.tokenmanager import TokenManager
from aiocoap.transports.udp6 import MessageInterfaceUDP6, UDP6EndpointAddress

from backend.device_server.errors import PortTaken
from backend.device_server.peek import SO_TIMESTAMPNS, STALE_MS, waited_ms

EXCHANGE_LIFETIME_S = 247
"""RFC 7252, 4.8.2, with the default parameters."""
EMPTY_ACK_DELAY_S = 1.0
REPORTS_OF_OTHERS = 8
"""A datagram is handed to the kernel so often: each time it may report what ICMP said of another one."""
_OF_OTHERS = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EPROTO, errno.EACCES}
"""Stock acknowledges a request after 0.1 s and answers it separately later. A separate response is two datagrams more
exactly when there is too much to do, and a lamp that has its acknowledgement no longer repeats: when this process
ends in between it waits for nothing (`firmware.lwm2m.uplink`, 20 s). A client repeats after 2 s at the earliest (RFC
7252, 4.8), so that one second is left for the way."""
_MAX_OPTIONS = 64
_MAX_OPTION_NUMBER = 0xFFFF


class _Incoming(TransportTuning):  # type: ignore[misc]
    EMPTY_ACK_DELAY = EMPTY_ACK_DELAY_S


_INCOMING = _Incoming()


class Malformed(ValueError):
    """A datagram that is not CoAP."""


def check_datagram(data: bytes) -> None:
    """Raise Malformed unless `data` has the form of RFC 7252, section 3.

    aiocoap takes tokens of 15 bytes and a marker without payload, adds up option numbers without a limit and keeps
    every number that it ever saw: a stranger could fill the memory with them.
    """
    if len(data) < 4 or data[0] >> 6 != 1:
        raise Malformed("no CoAP header")
    kind, token_length, code = data[0] >> 4 & 3, data[0] & 15, data[1]
    at = 4 + token_length
    if token_length > 8 or at > len(data):
        raise Malformed("token")
    if code == 0:
        if kind == 1 or len(data) > 4:
            raise Malformed("an empty message is four bytes")
        return
    if code >> 5 not in (0, 2, 4, 5) or kind == 3 or (kind == 2 and code < 32):
        raise Malformed("code and type")
    check_options(data, at)


def check_options(data: bytes, at: int) -> None:
    """As `check_datagram`, for the options and the payload from byte `at` on (also of an OSCORE plaintext)."""
    number = count = 0
    end = len(data)
    while at < end:
        head = data[at]
        at += 1
        if head == 0xFF:
            if at == end:
                raise Malformed("a marker without payload")
            return
        delta, length = head >> 4, head & 15
        if delta == 15 or length == 15:
            raise Malformed("option header")
        if delta == 13:
            delta, at = (data[at] + 13 if at < end else 0), at + 1
        elif delta == 14:
            delta, at = int.from_bytes(data[at : at + 2], "big") + 269, at + 2
        if length == 13:
            length, at = (data[at] + 13 if at < end else 0), at + 1
        elif length == 14:
            length, at = int.from_bytes(data[at : at + 2], "big") + 269, at + 2
        number += delta
        count += 1
        at += length
        if at > end or number > _MAX_OPTION_NUMBER or count > _MAX_OPTIONS:
            raise Malformed("options")


class Address(UDP6EndpointAddress):  # type: ignore[misc]
    """Stock parses both IP addresses with `ipaddress` for every response to find out whether they are multicast; we
    never join a group, and the kernel drops datagrams from multicast sources."""

    is_multicast = False
    is_multicast_locally = False

    def as_response_address(self) -> "Address":
        return self

    @property
    def text(self) -> str:
        """ "[::ffff:192.0.2.1]:5683": what `Endpoint.address` takes back."""
        return f"[{self.sockaddr[0]}]:{self.sockaddr[1]}"


class Datagrams(MessageInterfaceUDP6):  # type: ignore[misc]
    """The UDP socket. Kept from udp6: answers leave from the address that was asked (pktinfo), ICMP errors end
    requests."""

    malformed: Callable[[], None]
    turns_away: Callable[[bytes, int], bool]

    @classmethod
    async def open(
        cls,
        messages: "Messages",
        host: str,
        port: int,
        receive_buffer_bytes: int,
        malformed: Callable[[], None],
        turns_away: Callable[[bytes, int], bool],
    ) -> "Datagrams":
        """Bind. Stock sets SO_REUSEPORT, so that a forgotten second server silently takes half of the traffic."""
        try:
            found = socket.getaddrinfo(host, port, socket.AF_INET6, socket.SOCK_DGRAM, 0, socket.AI_V4MAPPED)
            bound = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        except OSError as problem:
            raise PortTaken(
                f"CoAP cannot listen on {host}: {problem}; check the host name and that IPv6 sockets exist"
            ) from (problem)
        try:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
            with contextlib.suppress(OSError):  # without the stamp, nothing is ever late
                bound.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            bound.bind(found[0][4])
        except OSError as problem:
            bound.close()
            if problem.errno == errno.EADDRINUSE:
                advice = (
                    f"another process holds it (look with: ss -lunp sport = :{port}); stop it or choose another port"
                )
            else:
                advice = "check the address and that the port is allowed for this user"
            raise PortTaken(f"UDP port {port} on {host} cannot be bound: {problem.strerror}; {advice}") from problem
        protocol: Datagrams = await cls._create_transport_endpoint(bound, messages, messages.log, messages.loop)
        protocol.malformed = malformed
        protocol.turns_away = turns_away
        return protocol

    @property
    def port(self) -> int:
        return int(self._local_port())

    def datagram_msg_received(self, data: bytes, ancdata: Any, flags: int, address: Any) -> None:
        """Stock lets a wrong UTF-8 option fly into the event loop and never answers what it cannot read. Here a
        broken CON gets a reset (RFC 7252, 4.2) and a string option that is no text 4.02 (5.4.1)."""
        pktinfo = next(
            (d for level, kind, d in ancdata if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO)), None
        )
        remote = Address(address, self, pktinfo=pktinfo)
        late_ms = waited_ms(ancdata, time.time_ns())
        if self.turns_away(data, late_ms):
            if late_ms < STALE_MS and data[0] >> 4 == 4:
                token = data[4 : 4 + (data[0] & 15)]
                self.send_bytes(bytes([0x60 | len(token), SERVICE_UNAVAILABLE]) + data[2:4] + token, remote)
            return
        try:
            check_datagram(data)
            message = Message.decode(data, remote)
        except (Malformed, error.UnparsableMessage):
            self.malformed()
            if len(data) >= 4 and data[0] >> 4 == 4:  # version 1, CON
                self.send_bytes(b"\x70\x00" + data[2:4], remote)
            return
        except UnicodeDecodeError:
            self.malformed()
            if data[0] >> 4 == 4 and data[1] < 32:
                token = data[4 : 4 + (data[0] & 15)]
                self.send_bytes(bytes([0x60 | len(token), 0x82]) + data[2:4] + token, remote)
            return
        message.transport_tuning = _INCOMING
        self._ctx.dispatch_message(message)

    def datagram_errqueue_received(self, data: bytes, ancdata: Any, flags: int, address: Any) -> None:
        """Stock takes nothing but the ICMP error itself; the kernel puts its stamp beside it."""
        errors = [item for item in ancdata if item[0] == socket.IPPROTO_IPV6]
        super().datagram_errqueue_received(data, errors, flags, address)

    def send(self, message: Message) -> None:
        """Confirmable messages come this way, first or again."""
        self.send_bytes(message.encode(), message.remote)

    def send_bytes(self, data: bytes, remote: Address) -> None:
        """The kernel reports on the next datagram what became of an earlier one, whoever that went to, and does not
        send; stock takes it for the fate of this one, and ends what the wrong lamp is waiting for. Whose it was, the
        error queue tells."""
        ancdata = [] if remote.pktinfo is None else [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, remote.pktinfo)]
        problem: OSError | None = None
        for _ in range(REPORTS_OF_OTHERS):
            try:
                self.transport.get_extra_info("socket").sendmsg((data,), ancdata, 0, remote.sockaddr)
                return
            except OSError as refused:
                problem = refused
                if refused.errno not in _OF_OTHERS:
                    break
        assert problem is not None
        self._ctx.dispatch_error(problem, remote)


class _NoLine(dict[Any, Any]):
    """Looks empty whatever is put in: where stock keeps what waits for its turn, by address."""

    def __contains__(self, key: object) -> bool:
        return False

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __delitem__(self, key: Any) -> None:
        pass


class InTheOpen(Message):  # type: ignore[misc]
    """A refusal without protection: of what nobody has proved to have sent."""


def _with_token(data: bytes, token: bytes) -> bytes:
    """The encoded message with another token; an empty acknowledgement has none and stays."""
    if data[1] == 0:
        return data
    return bytes([data[0] & 0xF0 | len(token)]) + data[1:4] + token + data[4 + (data[0] & 0x0F) :]


class Messages(MessageManager):  # type: ignore[misc]
    """Nothing waits in line (RFC 7252, 4.7, NSTART): the gateway asks a lamp one thing at a time anyway. Stock would
    keep a separate response behind a request that the lamp does not answer, because it has just restarted, and throw it
    away when that request is given up: the lamp, which has its empty ACK, waits in vain. It also looks through all
    exchanges at each ACK for who may be next.

    De-duplication with a bound. Stock keeps each request and its response (2.3 KB) for 247 s with a timer of its
    own: at 2,000 datagrams a second, from anybody, a gigabyte. Here the encoded answers live in one ordered
    dictionary.

    A datagram that was harmed on its way does not spoil those that follow: neither message id nor token is protected by
    OSCORE. What was refused in the open is not remembered, so that the next copy is looked at afresh; and the answer to
    a copy bears the copy's token, for the first may have come with a wrong one, be genuine all the same, and have its
    answer go to nobody."""

    def __init__(self, tokens: TokenManager, limit: int) -> None:
        super().__init__(tokens)
        self._backlogs = _NoLine()
        self._recent: OrderedDict[tuple[Any, int], tuple[float, bytes | None]] = OrderedDict()
        self._limit = limit

    def _deduplicate_message(self, message: Message) -> bool:
        key = (message.remote, message.mid)
        now = self.loop.time()
        known = self._recent.get(key)
        if known is not None and known[0] > now:
            if message.mtype is CON and known[1] is not None:
                self.message_interface.send_bytes(_with_token(known[1], message.token), message.remote)
            return True
        self._recent[key] = (now + EXCHANGE_LIFETIME_S, None)
        self._recent.move_to_end(key)
        while len(self._recent) > self._limit or next(iter(self._recent.values()))[0] <= now:
            self._recent.popitem(last=False)
        return False

    def _continue_backlog(self, remote: Any) -> None:
        """Nobody waits."""

    def forget(self, message: Message) -> None:
        """Repeat a request no more. Stock goes on when nobody wants the answer, and when it gives up it fails all that
        is on its way to the same address."""
        _, repetition = (self._active_exchanges or {}).pop((message.remote, message.mid), (None, None))
        if repetition is not None:
            repetition.cancel()

    def _send_initially(self, message: Message, messageerror_monitor: Any = None) -> None:
        if message.mtype is CON:
            super()._send_initially(message, messageerror_monitor)
            return
        data = message.encode()
        key = (message.remote, message.mid)
        known = self._recent.get(key)
        if isinstance(message, InTheOpen):
            self._recent.pop(key, None)
        elif known is not None:
            self._recent[key] = (known[0], data)
        self.message_interface.send_bytes(data, message.remote)

    def _store_response_for_duplicates(self, message: Message) -> None:
        """Done above; called by stock for CON, whose message id is our own and no request's."""


class Endpoint(Context):  # type: ignore[misc]
    """The CoAP endpoint. Stock makes a task for every request and names it by the `repr` of the message, which
    formats two IP addresses, and wraps the site in two more pipes; here `receive(pipe)` is called at once and answers
    when it can."""

    tokens: TokenManager
    datagrams: Datagrams

    @classmethod
    async def open(
        cls,
        receive: Callable[[Pipe], None],
        host: str,
        port: int,
        *,
        receive_buffer_bytes: int,
        recent_messages: int,
        malformed: Callable[[], None],
        turns_away: Callable[[bytes, int], bool] = lambda data, late_ms: False,
    ) -> "Endpoint":
        """Bind and listen; `malformed()` is called for every datagram that is not CoAP. `turns_away(data, late_ms)`
        sees every datagram as it came, with how long it lay unread: True sends it away (5.03, a stale one in silence)
        before anything is made of it. Raises PortTaken."""
        self = cls(loop=asyncio.get_running_loop(), loggername="streetlight.coap")
        self.receive = receive
        self.tokens = TokenManager(self)
        messages = Messages(self.tokens, recent_messages)
        self.datagrams = await Datagrams.open(messages, host, port, receive_buffer_bytes, malformed, turns_away)
        messages.message_interface = self.datagrams
        self.tokens.token_interface = messages
        self.request_interfaces.append(self.tokens)
        return self

    def render_to_pipe(self, pipe: Pipe) -> None:
        self.receive(pipe)

    def address(self, text: str) -> Address:
        """The address that `Address.text` was taken from. Raises ValueError."""
        host, separator, port = text.rpartition(":")
        if not separator or not port.isdigit() or host[:1] != "[" or host[-1:] != "]":
            raise ValueError(f"{text!r} is no address")
        return Address((host[1:-1], int(port), 0, 0), self.datagrams)

    def request(
        self, message: Message, tuning: TransportTuning
    ) -> tuple["asyncio.Future[Message]", Callable[[], None]]:
        """Send a request whose `remote` is set, without block-wise transfer and without looking for credentials,
        which stock does by scanning patterns. Returns the future of the response and the function that gives up
        waiting and repeating."""
        message.transport_tuning = tuning
        future: asyncio.Future[Message] = self.loop.create_future()
        pipe = Pipe(message, self.log)

        def on_event(event: Any) -> bool:
            if not future.done():
                if event.message is not None:
                    future.set_result(event.message)
                else:
                    problem = event.exception
                    future.set_exception(problem() if isinstance(problem, type) else problem)
            return False

        lose_interest = pipe.on_event(on_event)
        self.tokens.request(pipe)

        def stop() -> None:
            lose_interest()
            self.tokens.token_interface.forget(message)

        return future, stop


def is_wanted(pipe: Pipe) -> bool:
    """False when the client gave up or the endpoint closed: an answer would only be logged as a warning."""
    return pipe._event_callbacks is not False


def drop(pipe: Pipe) -> None:
    """End a request without an answer. Stock forgets to, and keeps its token for ever."""
    for callback, is_interest in list(pipe._event_callbacks or ()):
        if is_interest:
            pipe._unregister_on_event(callback)
