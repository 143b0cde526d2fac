"""One message of ours on its way: when it is sent again, and when that ends (RFC 7252 section 4.2)."""

from firmware.coap.message import CON


class Outgoing:
    """A message to `address`; `context` belongs to the caller. States: waiting for its turn, in flight (not yet
    acknowledged), and, for a request, acknowledged and waiting for its response.

    `due_ms` is when something must be done about it, None for never; `expires_ms` bounds the wait of a request.
    """

    def __init__(self, message, address, context, is_request, expires_ms):
        self.message = message
        self.address = address
        self.context = context
        self.is_request = is_request
        self.expires_ms = expires_ms
        self.data = None
        self.due_ms = expires_ms
        self.is_started = False
        self.in_flight = False
        self._repeats = 0
        self._timeout_ms = 0

    def start(self, now_ms, timeout_ms):
        """It has been sent for the first time; `timeout_ms` is the first retransmission time."""
        self.is_started = True
        if self.message.type == CON:
            self.in_flight = True
            self._timeout_ms = timeout_ms
            self._schedule(now_ms)

    def acknowledge(self):
        """The peer has it: no more repeats."""
        self.in_flight = False
        self.due_ms = self.expires_ms

    def resume(self, now_ms):
        """What acknowledged it cannot be trusted: go on repeating where that was left."""
        if self.is_started and self.message.type == CON and not self.in_flight:
            self.in_flight = True
            self._schedule(now_ms)

    def repeat(self, now_ms, tuning):
        """At `due_ms`: whether it is sent again (the time-out then doubles), or has failed."""
        expired = self.expires_ms is not None and self.expires_ms <= now_ms
        if expired or not self.in_flight or self._repeats == tuning.max_retransmit:
            return False
        self._repeats += 1
        self._timeout_ms *= 2
        self._schedule(now_ms)
        return True

    def timeout_words(self):
        """Why it failed and what to do about it, for the error."""
        if not self.is_started:
            return "the message was never sent: the peer has not acknowledged earlier ones; try again later"
        if self.message.type != CON:
            return "no answer to a non-confirmable request, which may have been lost; send it as a confirmable one"
        if self.in_flight:
            return "no acknowledgement after %d transmissions; check the network and the server" % (self._repeats + 1)
        return "acknowledged, but no answer came in time; check the server's log"

    def _schedule(self, now_ms):
        self.due_ms = now_ms + self._timeout_ms
        if self.expires_ms is not None and self.expires_ms < self.due_ms:
            self.due_ms = self.expires_ms
