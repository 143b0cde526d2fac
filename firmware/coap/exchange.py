"""The message layer without sockets or clocks: retransmission, de-duplication, matching of answers to requests.

`Exchange` takes datagrams, messages and the time, and gives back events: what to send, what to handle, what became of
what was sent. Time is a parameter (`now_ms`, any epoch, never backwards); ask `deadline_ms()` when to call `poll`.

Source: RFC 7252 sections 4 (messages), 5.2 (responses, piggybacked and separate) and 5.3 (matching).
"""

from collections import namedtuple

from firmware.coap import message as coap
from firmware.coap.answers import Answers
from firmware.coap.counters import Counters
from firmware.coap.errors import Busy, MessageError, Reset, Timeout
from firmware.coap.message import ACK, CON, EMPTY, NON, RST, Message
from firmware.coap.outgoing import Outgoing

# A lamp reports, registers and asks the time, each one at a time, and has at most eight observations to serve: more
# than this many messages under way mean that the peer is gone, and each can hold a kilobyte of the heap.
OUTGOING = 8
# Requests whose handler has not answered yet. Handlers answer at once, but for the few that wait for flash.
PENDING = 4

Send = namedtuple("Send", ("data", "address"))
Answered = namedtuple("Answered", ("outgoing", "message"))
Delivered = namedtuple("Delivered", ("outgoing",))
Failed = namedtuple("Failed", ("outgoing", "error"))
Rejected = namedtuple("Rejected", ("source", "mid"))


class Incoming:
    """A request to be handled, and the event that says so: give it back to `Exchange.answer` with the response."""

    def __init__(self, message, source, acknowledge_ms, expires_ms):
        self.message = message
        self.source = source
        self.acknowledge_ms = acknowledge_ms  # when the peer must hear that it was received; None: it has, or needs not
        self.expires_ms = expires_ms  # when the peer has given up


class Exchange:
    """All message exchanges of one UDP socket.

    `random(n)` gives n random bytes. Events are named tuples, in the order in which they must be carried out:
    `Send(data, address)` · `Incoming` (a request, once, however often it arrives) · `Answered(outgoing, message)` (a
    response; the exchange stays open until `forget`, because a forged one must not end it) · `Delivered(outgoing)` (a
    ping, notification or separate response arrived) · `Failed(outgoing, error)` (Timeout or Reset) ·
    `Rejected(source, mid)` (a Reset for a message that nobody waits for, such as a non-confirmable notification).
    """

    def __init__(self, tuning, random, counters=None):
        self.tuning = tuning
        self.counters = Counters() if counters is None else counters
        self._random = random
        self._mid = coap.decode_uint(random(2))
        self._outgoing = []
        self._pending = []
        self._answers = Answers()

    def send_request(self, message, address, now_ms, context=None, expires_ms=None):
        """Send a request (CON or NON) and wait for its response: returns (Outgoing, events).

        `expires_ms` ends the wait at that time in any case. `context` is kept for the caller on the Outgoing. The token
        is drawn here. Raises Busy when too many messages are under way, MessageError when it cannot be encoded.
        """
        message.token = self._new_token()
        if expires_ms is None:
            tuning = self.tuning
            expires_ms = now_ms + (tuning.exchange_lifetime_ms if message.type == CON else tuning.max_rtt_ms)
        return self._launch(Outgoing(message, address, context, True, expires_ms), now_ms)

    def send_notification(self, message, address, now_ms, context=None):
        """Send a response that nobody asked for just now, with its type and token. Returns (Outgoing, events).

        Raises Busy and MessageError as `send_request` does.
        """
        return self._launch(Outgoing(message, address, context, False, None), now_ms)

    def ping(self, address, now_ms, context=None):
        """Ask whether the peer is there: an empty CON, which it answers by a Reset (RFC 7252 section 4.3)."""
        return self._launch(Outgoing(Message(EMPTY), address, context, False, None), now_ms)

    def forget(self, outgoing, now_ms):
        """Give up or conclude what was sent; returns the events of what waited behind it."""
        if outgoing in self._outgoing:
            self._outgoing.remove(outgoing)
        return self._start_waiting(now_ms)

    def answer(self, incoming, response, now_ms, remember=True):
        """Send the response to a request; returns events. It goes with the ACK, or separately when that has been sent.

        `remember`: keep it for repeats of the request. Answers to strangers are not kept: a flood of them would push
        out those that must not be produced twice. Raises MessageError when the response cannot be encoded; the request
        is then still unanswered. Nothing happens when the request was abandoned, or is older than the peer's patience.
        """
        if incoming not in self._pending:
            return []
        request = incoming.message
        response.token = request.token
        if request.type == CON and incoming.acknowledge_ms is not None:
            response.type, response.mid = ACK, request.mid
            kept = coap.encode(response)
            events = [Send(kept, incoming.source)]
        else:
            # Separate. As NON (RFC 7252 section 5.2.3) where the request was, or when there is no room to repeat it.
            response.type = CON if request.type == CON and len(self._outgoing) < OUTGOING else NON
            events = self._launch(Outgoing(response, incoming.source, None, False, None), now_ms)[1]
            kept = _empty(ACK, request.mid) if request.type == CON else None
        self._pending.remove(incoming)
        if remember:
            self._answers.keep(incoming.source, request.mid, kept, self._lifetime_end_ms(request, now_ms), now_ms)
        return events

    def abandon(self, incoming):
        """Leave a request unanswered: when the peer repeats it, it is handled as a new one."""
        if incoming in self._pending:
            self._pending.remove(incoming)

    def receive(self, data, source, now_ms):
        """Take a datagram from `source`; returns events. Never raises: what is no message is counted and rejected."""
        self.counters.received += 1
        try:
            message = coap.decode(data)
        except MessageError as error:
            self.counters.malformed += 1
            return [] if error.mid is None else [Send(_empty(RST, error.mid), source)]
        if message.type in (ACK, RST):
            return self._conclude(message, source, now_ms)
        repeat = self._repeat(message, source, now_ms)
        if repeat is not None:
            self.counters.duplicates += 1
            return repeat
        if coap.is_request(message.code):
            return self._accept(message, source, now_ms)
        outgoing = self._find_by_token(message, source)
        if outgoing is None:  # a ping as well: empty, and rejected to show that somebody is here
            return [Send(_empty(RST, message.mid), source)]
        acknowledgement = _empty(ACK, message.mid) if message.type == CON else None
        self._answers.keep(source, message.mid, acknowledgement, self._lifetime_end_ms(message, now_ms), now_ms)
        events = [] if acknowledgement is None else [Send(acknowledgement, source)]
        outgoing.acknowledge()
        return events + [Answered(outgoing, message)] + self._start_waiting(now_ms)

    def poll(self, now_ms):
        """What is due: events with retransmissions, acknowledgements of slow requests, and failures."""
        events = []
        for incoming in self._pending:
            if incoming.acknowledge_ms is not None and incoming.acknowledge_ms <= now_ms:
                events.append(self._acknowledge(incoming))
        for outgoing in list(self._outgoing):
            if outgoing.due_ms is None or outgoing.due_ms > now_ms:
                continue
            if outgoing.repeat(now_ms, self.tuning):
                self.counters.retransmitted += 1
                events.append(Send(outgoing.data, outgoing.address))
            else:
                self._outgoing.remove(outgoing)
                events.append(Failed(outgoing, Timeout(outgoing.timeout_words())))
        return events + self._start_waiting(now_ms)

    def deadline_ms(self):
        """When `poll` has something to do, or None while there is nothing to wait for."""
        times = [outgoing.due_ms for outgoing in self._outgoing] + [item.acknowledge_ms for item in self._pending]
        times = [time for time in times if time is not None]
        return min(times) if times else None

    def _launch(self, outgoing, now_ms):
        outgoing.message.mid = self._next_mid()
        outgoing.data = coap.encode(outgoing.message)
        if outgoing.message.type == NON and not outgoing.is_request:
            return outgoing, [Send(outgoing.data, outgoing.address)]
        if len(self._outgoing) >= OUTGOING:
            raise Busy("%d messages are under way already; wait for one of them to end" % OUTGOING)
        self._outgoing.append(outgoing)
        return outgoing, self._start_waiting(now_ms)

    def _start_waiting(self, now_ms):
        """Send what NSTART allows (RFC 7252 section 4.7), first come, first served."""
        events = []
        for outgoing in self._outgoing:
            if not outgoing.is_started and self._in_flight(outgoing.address) < self.tuning.nstart:
                outgoing.start(now_ms, self.tuning.first_timeout_ms(self._random))
                events.append(Send(outgoing.data, outgoing.address))
        return events

    def _in_flight(self, address):
        return sum(1 for item in self._outgoing if item.in_flight and item.address == address)

    def _conclude(self, message, source, now_ms):
        """An ACK or a Reset, matched by message id and source (RFC 7252 section 4.2) or ignored in silence."""
        outgoing = None
        for item in self._outgoing:
            if item.is_started and item.message.mid == message.mid and item.address == source:
                outgoing = item
        if message.type == RST:
            if outgoing is None:
                return [Rejected(source, message.mid)]
            self._outgoing.remove(outgoing)
            if outgoing.message.code == EMPTY:
                event = Delivered(outgoing)
            else:
                event = Failed(outgoing, Reset("the peer rejected the message: it may have restarted; register again"))
            return [event] + self._start_waiting(now_ms)
        if outgoing is None:
            return []
        if message.code == EMPTY:
            outgoing.acknowledge()
            if outgoing.is_request:
                return self._start_waiting(now_ms)
            self._outgoing.remove(outgoing)
            return [Delivered(outgoing)] + self._start_waiting(now_ms)
        if not outgoing.is_request or outgoing.message.token != message.token or not coap.is_response(message.code):
            self.counters.malformed += 1
            return []
        outgoing.acknowledge()
        return [Answered(outgoing, message)] + self._start_waiting(now_ms)

    def _repeat(self, message, source, now_ms):
        """The events for a message that has been received before, or None for a new one.

        The answer bears the token of the newest copy: no security protects a token, and the first copy may have come
        with a wrong one.
        """
        for incoming in self._pending:
            if incoming.message.mid == message.mid and incoming.source == source:
                incoming.message.token = message.token
                return [self._acknowledge(incoming)] if message.type == CON else []
        kept = self._answers.find(source, message.mid, now_ms)
        if kept is None:
            return None
        return [Send(coap.with_token(kept.data, message.token), source)] if kept.data else []

    def _accept(self, message, source, now_ms):
        self._pending = [incoming for incoming in self._pending if incoming.expires_ms > now_ms]
        if len(self._pending) >= PENDING:
            self.counters.dropped += 1  # unanswered: the peer sends a confirmable one again, when there may be room
            return []
        acknowledge_ms = now_ms + self.tuning.acknowledge_after_ms if message.type == CON else None
        incoming = Incoming(message, source, acknowledge_ms, self._lifetime_end_ms(message, now_ms))
        self._pending.append(incoming)
        return [incoming]

    def _acknowledge(self, incoming):
        incoming.acknowledge_ms = None
        return Send(_empty(ACK, incoming.message.mid), incoming.source)

    def _find_by_token(self, message, source):
        if coap.is_response(message.code):
            for item in self._outgoing:
                if item.is_request and item.message.token == message.token and item.address == source:
                    return item
        return None

    def _lifetime_end_ms(self, message, now_ms):
        tuning = self.tuning
        return now_ms + (tuning.exchange_lifetime_ms if message.type == CON else tuning.non_lifetime_ms)

    def _next_mid(self):
        self._mid = (self._mid + 1) & 0xFFFF
        return self._mid

    def _new_token(self):
        """Four random bytes: what RFC 7252 section 5.3.1 asks for where an answer might be forged."""
        while True:
            token = self._random(4)
            if all(item.message.token != token for item in self._outgoing):
                return token


def _empty(type, mid):
    return coap.encode(Message(EMPTY, type, mid))
