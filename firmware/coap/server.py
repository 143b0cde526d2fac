"""From an unprotected request to its response: options, blocks, observation, handler. No sockets, no clocks.

Source: RFC 7252 section 5.8 and 5.9, RFC 7641 section 4.1, RFC 7959 sections 2.4 and 2.5.
"""

from firmware.coap import message as coap
from firmware.coap import options
from firmware.coap.blockwise import BLOCK_BYTES, BODY_BYTES, Reassembly, Serving
from firmware.coap.errors import MessageError, Refused
from firmware.coap.message import BLOCK1, BLOCK2, OBSERVE, Message
from firmware.coap.observe import Observations


class Server:
    """`handler(request)` returns the response, or something to await that gives it. It may raise Refused; whatever else
    it raises becomes 5.00 without details, a count and a line of `log(words, **values)`.

    A request to observe has `request.observation`; a handler that accepts it keeps that and adds an Observe option
    (any value) to its response.
    """

    def __init__(self, handler, tuning, random, counters, log, block_bytes=BLOCK_BYTES, body_bytes=BODY_BYTES):
        self._handler = handler
        self._counters = counters
        self._log = log
        self._reassembly = Reassembly(tuning.exchange_lifetime_ms, body_bytes)
        self._serving = Serving(tuning.exchange_lifetime_ms, random, block_bytes)
        self.observations = Observations()

    def begin(self, request, binding, source, token, now_ms):
        """The response to a request, still whole, or something to await that gives it. Never raises.

        Give what comes of it to `finish`.
        """
        try:
            options.check(request)
            whole = self._reassembly.receive(request, source, now_ms)
            if whole is None:
                return Message(coap.CONTINUE)
            part = self._serving.find(request, source, now_ms)
            if part is not None:
                return part
            whole.observation = self.observations.offer(whole, binding, source, token, now_ms)
            request.observation = whole.observation
            return self._handler(whole)
        except Exception as error:
            return self.failure(request, error)

    def finish(self, request, response, source, now_ms):
        """The response as it goes to the security layer: a message of its own, cut to one block. Never raises."""
        try:
            response = response.copy()
            accepts = response.option(OBSERVE) is not None and coap.is_success(response.code)
            response = self.cut(request, response.remove(OBSERVE), source, now_ms)
            if accepts and request.observation is not None:
                self.observations.begin(request.observation)
                response.add(OBSERVE, self.observations.next_sequence())
        except Exception as error:
            response = self.failure(request, error)
        block1 = request.option(BLOCK1)
        if block1 is not None and response.option(BLOCK1) is None:
            response.add(BLOCK1, block1)
        return response

    def cut(self, request, response, source, now_ms):
        """The block of `response` that goes out; the rest is kept for the requests that fetch it. Raises Refused."""
        if response.option(BLOCK2) is None:
            return self._serving.cut(request, response, source, now_ms)
        return response

    def failure(self, request, error):
        """The response that tells the peer about `error`, and the count and the log that tell us."""
        if isinstance(error, Refused):
            self._counters.refused += 1
            return error.response or Message(error.code, payload=error.diagnostic.encode())
        if isinstance(error, MessageError):
            self._counters.refused += 1
            return Message(coap.BAD_REQUEST, payload=str(error).encode())
        self._counters.failed += 1
        self._log("handler failed", request=coap.format_code(request.code), error=repr(error))
        return Message(coap.INTERNAL_SERVER_ERROR)
