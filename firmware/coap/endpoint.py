"""One UDP socket that is CoAP client and server at once: the asyncio shell around the exchange, blocks and observation.

Source: RFC 7252; Echo: RFC 9175 section 2.3.
"""

import asyncio

from firmware.coap import message as coap
from firmware.coap import options as option_rules
from firmware.coap.blockwise import BLOCK_BYTES, BODY_BYTES, Transfer
from firmware.coap.counters import Counters
from firmware.coap.errors import Busy, MessageError, Refused, Unprotected, Unverified
from firmware.coap.exchange import Answered, Delivered, Exchange, Failed, Incoming, Send
from firmware.coap.message import CON, ECHO, NON, Message
from firmware.coap.observe import Observation
from firmware.coap.server import Server
from firmware.coap.tuning import Tuning

PAUSE_MS = 100  # after a failure of the socket, so that one that fails at once does not take the whole processor


class Plain:
    """The security of lab mode: none."""

    def protect_request(self, message):
        return message.copy(), None

    def unprotect_request(self, message):
        return message, None

    def protect_response(self, message, binding, notification=False):
        return message

    def unprotect_response(self, message, binding):
        return message


class _Waiter:
    """A request of ours until its response or its error is there."""

    def __init__(self, binding):
        self.binding = binding
        self.event = asyncio.Event()
        self.response = None
        self.error = None

    def settle(self, response=None, error=None):
        self.response = response
        self.error = error
        self.event.set()


class Endpoint:
    """`board`: `ticks_ms()`, `sleep_ms(ms)`, `random(n)`; `udp`: `send`, `receive`; `security`: the seam described in
    docs/architecture.md, which may be replaced while no request of ours is under way; `handler(request)`: see
    `coap.server`. `log(words, **values)` hears of failures, `counters` (coap.counters) count, `observations`
    (coap.observe) are those of our resources.
    """

    def __init__(
        self,
        board,
        udp,
        security,
        handler,
        tuning=None,
        random=None,
        log=None,
        block_bytes=BLOCK_BYTES,
        body_bytes=BODY_BYTES,
    ):
        self._board = board
        self._udp = udp
        self.security = security
        self._log = log or _no_log
        self._random = random or board.random
        self._sizes = (block_bytes, body_bytes)
        tuning = tuning or Tuning()
        self.counters = Counters()
        self._exchange = Exchange(tuning, self._random, self.counters)
        self._server = Server(handler, tuning, self._random, self.counters, self._log, block_bytes, body_bytes)
        self.observations = self._server.observations
        self._transfers = 0
        self._slow = []  # tasks of handlers that were not ready at once
        self._wake = asyncio.Event()
        self._alarm_ms = None  # when the timer wakes by itself, None: not at all

    async def request(self, code, path, address, options=(), payload=b"", timeout_ms=None, confirmable=True):
        """Ask the peer at `address` and wait for the whole response, whatever its code.

        `path` as in "rd/5"; `options`: (number, bytes) pairs. `timeout_ms` bounds all of it; without one each message
        has the patience of the tuning. Payloads and answers of more than a block travel in blocks; with a Block2
        option of its own the request gets that one block. Raises the RequestErrors of `coap.errors`, and MessageError
        when the request cannot be encoded.
        """
        expires_ms = None if timeout_ms is None else self._board.ticks_ms() + timeout_ms
        request = Message(code, CON if confirmable else NON, payload=payload).add_path(path)
        request.options.extend(options)
        self._transfers = (self._transfers + 1) & 0xFF
        transfer = Transfer(request, bytes((self._transfers,)), self._sizes[0], self._sizes[1])
        while True:
            response = await self._ask(transfer.next(), address, expires_ms)
            echo = response.option(ECHO)
            if response.code == coap.UNAUTHORIZED and echo is not None:
                # For the blocks that follow as well: to some servers it is part of what holds them together.
                request.remove(ECHO).add(ECHO, echo)
                response = await self._ask(transfer.next(), address, expires_ms)
            whole = transfer.receive(response)
            if whole is not None:
                return whole

    async def ping(self, address):
        """Return when the peer has shown that it is there (RFC 7252 section 4.3); raises Timeout or Busy."""
        await self._wait(lambda now_ms, waiter: self._exchange.ping(address, now_ms, waiter), _Waiter(None))

    def notify(self, observation, message, confirmable=False):
        """Send a new state to an observer; returns whether that was possible. An error code ends the observation.

        While a confirmable notification is under way the newest state waits for its end.
        """
        if not observation.is_active:
            return False
        if observation.outgoing is not None:
            observation.waiting = (message, confirmable)
            return True
        now_ms = self._board.ticks_ms()
        source = observation.source
        try:
            part = self._server.cut(observation.request, message.copy(), source, now_ms)
            observation.dress(part, self.observations.next_sequence(), confirmable, now_ms)
            protected = self.security.protect_response(part, observation.binding, True)
            outgoing, events = self._exchange.send_notification(protected, source, now_ms, observation)
        except Busy:
            self.counters.dropped += 1
            return False
        except Exception as error:  # of a codec or of the security: the next state may fare better
            self.counters.failed += 1
            self._log("notification failed", error=repr(error))
            return False
        observation.mid = outgoing.message.mid
        if outgoing.message.type == CON:
            observation.outgoing = outgoing
        if not coap.is_success(message.code):
            self.observations.end(observation)
        self._carry_out(events)
        return True

    async def run(self):
        """Receive for ever; only cancellation ends it, no datagram and no failure of the socket does."""
        timer = asyncio.create_task(self._keep_time())
        try:
            while True:
                try:
                    data, source = await self._udp.receive()
                    self._carry_out(self._exchange.receive(data, source, self._board.ticks_ms()))
                except Exception as error:
                    self.counters.failed += 1
                    self._log("receiving failed", error=repr(error))
                    await self._board.sleep_ms(PAUSE_MS)
        finally:
            for task in [timer] + self._slow:
                task.cancel()

    async def _ask(self, message, address, expires_ms):
        try:
            protected, binding = self.security.protect_request(message)
        except Exception as error:
            raise Unprotected("the request could not be protected (%r) and was not sent" % error) from error
        return await self._wait(
            lambda now_ms, waiter: self._exchange.send_request(protected, address, now_ms, waiter, expires_ms),
            _Waiter(binding),
        )

    async def _wait(self, send, waiter):
        outgoing, events = send(self._board.ticks_ms(), waiter)
        try:
            self._carry_out(events)
            await waiter.event.wait()
        finally:
            self._carry_out(self._exchange.forget(outgoing, self._board.ticks_ms()))
        if waiter.error is not None:
            raise waiter.error
        return waiter.response

    async def _keep_time(self):
        """Poll the exchange when it is due. The alarm is a task, so that an earlier deadline can replace it."""
        while True:
            self._wake.clear()
            now_ms = self._board.ticks_ms()
            try:
                self._carry_out(self._exchange.poll(now_ms))
            except Exception as error:
                self.counters.failed += 1
                self._log("polling failed", error=repr(error))
                await self._board.sleep_ms(PAUSE_MS)
            self._alarm_ms = self._exchange.deadline_ms()
            alarm = None
            if self._alarm_ms is not None:
                alarm = asyncio.create_task(self._ring(self._alarm_ms - now_ms))
            try:
                await self._wake.wait()
            finally:
                if alarm is not None:
                    alarm.cancel()

    async def _ring(self, ms):
        await self._board.sleep_ms(max(ms, 0))
        self._wake.set()

    def _carry_out(self, events):
        for event in events:
            if isinstance(event, Send):
                self._send(event)
            elif isinstance(event, Incoming):
                self._handle(event)
            elif isinstance(event, Answered):
                self._answered(event.outgoing, event.message)
            elif isinstance(event, Delivered):
                self._delivered(event.outgoing.context)
            elif isinstance(event, Failed):
                self._failed(event.outgoing.context, event.error)
            else:
                self.observations.reject(event.source, event.mid)
        deadline_ms = self._exchange.deadline_ms()
        if deadline_ms is not None and (self._alarm_ms is None or deadline_ms < self._alarm_ms):
            self._wake.set()

    def _send(self, event):
        try:
            taken = self._udp.send(event.data, event.address) is not False
        except OSError:  # no memory, no network: a lost datagram, which CoAP repeats where it matters
            taken = False
        if taken:
            self.counters.sent += 1
        else:
            self.counters.dropped += 1

    def _handle(self, incoming):
        try:
            self._begin(incoming)
        except Exception as error:
            self._abandon(incoming, error)

    def _begin(self, incoming):
        message = incoming.message
        try:
            request, binding = self.security.unprotect_request(message)
        except Exception as error:
            # What is ready-made may be protected, and must not be made twice; the rest costs nothing to say again.
            remember = isinstance(error, Refused) and error.response is not None
            refusal = self._server.failure(message, error)
            self._answer(incoming, lambda: refusal, remember)
            return
        result = self._server.begin(request, binding, incoming.source, message.token, self._board.ticks_ms())
        if hasattr(result, "code"):
            self._finish(incoming, request, binding, result)
        else:
            self._slow.append(asyncio.create_task(self._handle_slowly(incoming, request, binding, result)))

    async def _handle_slowly(self, incoming, request, binding, result):
        task = asyncio.current_task()
        try:
            response = await result
        except Exception as error:
            response = self._server.failure(request, error)
        self._slow.remove(task)
        try:
            self._finish(incoming, request, binding, response)
        except Exception as error:
            self._abandon(incoming, error)

    def _abandon(self, incoming, error):
        """There was no memory even for an error response: make room, because the peer asks again."""
        self._exchange.abandon(incoming)
        self.counters.failed += 1
        self._log("request abandoned", error=repr(error))

    def _finish(self, incoming, request, binding, response):
        response = self._server.finish(request, response, incoming.source, self._board.ticks_ms())
        self._answer(incoming, lambda: self.security.protect_response(response, binding), True)

    def _answer(self, incoming, make, remember):
        """Answer with what `make()` returns. When that fails nothing is protected again: a second response under the
        same binding would use its nonce twice, so the peer gets a bare 5.00.
        """
        now_ms = self._board.ticks_ms()
        try:
            events = self._exchange.answer(incoming, make(), now_ms, remember)
        except Exception as error:
            self.counters.failed += 1
            self._log("answering failed", error=repr(error))
            self.observations.end_of(incoming.source, incoming.message.token)
            events = self._exchange.answer(incoming, Message(coap.INTERNAL_SERVER_ERROR), now_ms, remember)
        self._carry_out(events)

    def _answered(self, outgoing, message):
        waiter = outgoing.context
        if waiter.event.is_set():
            return
        try:
            response = self.security.unprotect_response(message, waiter.binding)
            option_rules.check(response)
        except (Refused, MessageError) as error:
            self.counters.refused += 1
            self._log("response refused", code=coap.format_code(message.code), error=str(error))
            # A protected response looks like a success from outside: one that does not verify is a forgery or was
            # harmed on its way, and the true one may follow, if it is asked for again: the acknowledgement that it
            # came with proves nothing. An error in the open is the only way for a peer to say that it lacks our keys.
            if coap.is_success(message.code):
                outgoing.resume(self._board.ticks_ms())
            else:
                words = "the peer answered %s without protection; check that it knows the keys of this lamp"
                waiter.settle(error=Unverified(message.code, words % coap.format_code(message.code)))
            return
        waiter.settle(response=response)

    def _delivered(self, context):
        if isinstance(context, _Waiter):
            context.settle()
        elif isinstance(context, Observation):
            context.outgoing = None
            waiting, context.waiting = context.waiting, None
            if waiting is not None:
                self.notify(context, waiting[0], waiting[1])

    def _failed(self, context, error):
        if isinstance(context, _Waiter):
            context.settle(error=error)
        elif isinstance(context, Observation):
            self.observations.end(context)


def _no_log(words, **values):
    pass
