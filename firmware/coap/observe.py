"""Who observes what: the server's side of observation, without sockets or clocks.

Source: RFC 7641 sections 3.5, 4.1 to 4.5.
"""

from firmware.coap import message as coap
from firmware.coap.message import CON, NON, OBSERVE

OBSERVATIONS = 8  # one server, and one resource or composite each; every one keeps its request (some 300 bytes)
SEQUENCE_MASK = 0xFFFFFF  # RFC 7641 section 3.4: 24 bits
CONFIRM_EVERY_MS = 24 * 3600 * 1000  # RFC 7641 section 4.5: at least one confirmable notification a day

REGISTER = 0  # RFC 7641 section 2
DEREGISTER = 1


class Observation:
    """One observer of one resource. `request` is what it asked, whole; `is_active` while notifications may be sent.

    `binding` belongs to the security in use. `outgoing` is the confirmable notification that is under way, and
    `waiting` the (message, confirmable) that follows it: always the newest, because older states interest nobody.
    """

    def __init__(self, source, token, request, binding, now_ms):
        self.source = source
        self.token = token
        self.request = request
        self.binding = binding
        self.is_active = False
        self.mid = None  # of the last notification: what a Reset refers to
        self.outgoing = None
        self.waiting = None
        self._confirmed_ms = now_ms

    def dress(self, message, sequence, confirmable, now_ms):
        """Make a notification of `message`: its type, token and Observe option (an error has none: it is the last)."""
        if now_ms - self._confirmed_ms >= CONFIRM_EVERY_MS:
            confirmable = True
        if confirmable:
            self._confirmed_ms = now_ms
        message.type = CON if confirmable else NON
        message.token = self.token
        message.remove(OBSERVE)
        if coap.is_success(message.code):
            message.add(OBSERVE, sequence)
        return message


class Observations:
    """All observations; `on_end(observation)` is called when one ends for whatever reason."""

    def __init__(self, on_end=None, limit=OBSERVATIONS):
        self.on_end = on_end
        self._limit = limit
        self._all = []
        self._sequence = 0

    def __iter__(self):
        return iter(self._all)

    def __len__(self):
        return len(self._all)

    def offer(self, request, binding, source, token, now_ms):
        """The Observation that `request` (a GET or FETCH) asks for, not yet active; None when it asks for none or there
        is no room: then it is answered like any other. A request to end one, or to begin it anew, ends the old one.
        """
        wish = request.uint(OBSERVE)
        if request.code not in (coap.GET, coap.FETCH) or wish not in (REGISTER, DEREGISTER):
            return None
        self.end_of(source, token)
        if wish == DEREGISTER or len(self._all) >= self._limit:
            return None
        return Observation(source, token, request, binding, now_ms)

    def begin(self, observation):
        """The resource accepts it."""
        observation.is_active = True
        self._all.append(observation)

    def end(self, observation):
        """Nobody listens any more, or the resource has gone."""
        if observation.is_active:
            observation.is_active = False
            observation.waiting = None
            self._all.remove(observation)
            if self.on_end is not None:
                self.on_end(observation)

    def end_of(self, source, token):
        """End the observation that `source` began with `token`, if there is one."""
        for observation in list(self._all):
            if observation.token == token and observation.source == source:
                self.end(observation)

    def reject(self, source, mid):
        """A Reset came for message id `mid`: end the observation whose notification that was."""
        for observation in list(self._all):
            if observation.mid == mid and observation.source == source:
                self.end(observation)

    def next_sequence(self):
        """The next value of the Observe option; one count for all is increasing for each."""
        self._sequence = (self._sequence + 1) & SEQUENCE_MASK
        return self._sequence
