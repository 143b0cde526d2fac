"""Registration as a state machine without I/O: what to send to the server's /rd, and when to be asked again.

    waiting --register--> registered --update--> registered ... --deregister--> left (for a time, or for good)

A shell asks `next(now_ms)` from `due_ms` on, sends what it gets, and tells `answered` or `unanswered`. Times are ms of
a clock that never goes back. Sources: OMA-TS-LightweightM2M_Core-V1_1 section 6.2, Transport-V1_1 section 6.4.3
(response codes); RFC 7252 section 5.9.3.4 (5.03 with Max-Age), RFC 8516 (4.29).

Never locked out: whatever the server answers, the lamp asks again, after at most half an hour.
"""

import binascii
from collections import namedtuple

from contract import limits
from firmware.coap import message

# code: method; path: text; queries: tuple of text; payload: bytes (link-format), b"" for none.
Request = namedtuple("Request", ("kind", "code", "path", "queries", "payload"))

REGISTER = "register"
UPDATE = "update"
DEREGISTER = "deregister"

VERSION = "1.1"

# No answer: 1 s, 2 s, 4 s ... so that a short outage is over within seconds, and a city that lost its server does not
# flood it when it returns. Each delay is drawn from its upper half.
RETRY_MS = 1000
RETRY_HIGH_MS = 256000
# Refused (revoked key, version not spoken, 4.xx): asking again soon changes nothing, a person has to act.
REFUSED_MS = 10000
REFUSED_HIGH_MS = 1800000
MAX_AGE_S = 60  # RFC 7252 section 5.10.5, when the server says none
# Nobody has given this lamp a time of its own then: a city that is sent away together must not come back together, or
# each return is a storm of its own (20,000 lamps, spread over 15 s: 9 minutes until the last one was in).
SPREAD_S = 90
MAX_AGE_HIGH_S = 1800
RECONNECT_MS = 3000  # over which the lamps of one access point spread when it returns
CHANGE_MS = 1000  # several instances come and go together; one update tells of all
MARGIN_S = 60  # what is left of the lifetime when the update starts: three attempts of 20 s
SILENCE_S = 3600  # a longer lifetime is no reason to notice a lost server later than this


def keep_alive_s(lifetime_s):
    """Seconds between updates for a lifetime in seconds (0: for ever): half of it, or MARGIN_S before its end."""
    if not lifetime_s:
        return SILENCE_S
    return max(1, min(lifetime_s // 2, max(lifetime_s - MARGIN_S, lifetime_s // 4), SILENCE_S))


class Registration:
    """`endpoint`: name; `links()`: text of the registered objects; `lifetime_s()`: the lifetime in force, in seconds;
    `random(n)`: an int 0..n-1; `interval_ms(longest_ms)`: when to update, no later than that (None: then)."""

    def __init__(self, endpoint, links, lifetime_s, random, interval_ms=None):
        self._endpoint = endpoint
        self._links = links
        self._lifetime_s = lifetime_s
        self._random = random
        self._interval_ms = interval_ms
        self._told = None  # (lifetime, checksum of the links) that the server knows
        self._asked = None
        self._failures = 0
        self._is_suspected = False
        self._leaving = False
        self._return_ms = None
        self._again_ms = None
        self.location = None
        self.due_ms = None
        self.pending = None

    def is_registered(self):
        """Whether the server has accepted us, and we do not intend to leave."""
        return self.location is not None and not self._leaving

    def is_ready(self):
        """Whether the server may be asked for more than the registration: registered, and not found silent since."""
        return self.is_registered() and not self._is_suspected

    def is_started(self):
        """Whether `start` has been called."""
        return self.due_ms is not None or self.pending is not None or self._leaving

    def start(self, now_ms, jitter_s=limits.REGISTRATION_JITTER_S):
        """Power-up: register within `jitter_s` seconds, so that the lamps of one feeder spread."""
        self.due_ms = now_ms + self._random(jitter_s * 1000 + 1)

    def next(self, now_ms):
        """The Request to send now, or None: nothing is due, or an answer is still expected."""
        if self.pending or self.due_ms is None or now_ms < self.due_ms:
            return None
        if self._leaving and self.location is None:
            self._left()
            return None
        self._again_ms = None
        if self._leaving:
            self.pending = DEREGISTER
            return self._deregister()
        if self.location is not None:
            self.pending = UPDATE
            return self._update()
        self.pending = REGISTER
        return self._register()

    def _register(self):
        self._asked = self._state()
        queries = ("ep=" + self._endpoint, "lt=%d" % self._asked[0], "lwm2m=" + VERSION, "b=U")
        return Request(REGISTER, message.POST, limits.RD_PATH, queries, self._links().encode())

    def _update(self):
        self._asked = self._state()
        queries = () if self._asked[0] == self._told[0] else ("lt=%d" % self._asked[0],)
        payload = b"" if self._asked[1] == self._told[1] else self._links().encode()
        return Request(UPDATE, message.POST, self.location, queries, payload)

    def _deregister(self):
        return Request(DEREGISTER, message.DELETE, self.location, (), b"")

    def _state(self):
        return self._lifetime_s(), binascii.crc32(self._links().encode())

    def answered(self, code, now_ms, location="", max_age_s=None):
        """The server answered: `code`, Location-Path as text, Max-Age in seconds or None. Returns what became of it in
        one word: registered, updated, left, unknown, busy, refused or failed."""
        kind, self.pending = self.pending, None
        if kind == DEREGISTER:
            return self._left()
        if kind == REGISTER and code == message.CREATED and location:
            self.location = location
            return self._accepted(now_ms, "registered")
        if kind == UPDATE and code == message.CHANGED:
            self._failures = 0
            return self._accepted(now_ms, "updated")
        if kind == UPDATE and code == message.NOT_FOUND:
            self.lost(now_ms)
            return "unknown"
        if code in (message.SERVICE_UNAVAILABLE, message.TOO_MANY_REQUESTS):
            self._busy(now_ms, max_age_s)
            return "busy"
        if code >> 5 == 4:
            self.refused(now_ms)
            return "refused"
        self._retry(now_ms, RETRY_MS, RETRY_HIGH_MS)
        return "failed"

    def unanswered(self, now_ms):
        """Nobody answered what `next` gave."""
        kind, self.pending = self.pending, None
        if kind == DEREGISTER:
            self._left()
        else:
            self.suspect(now_ms)

    def heard(self):
        """The server took a report: the path to it works and it knows us."""
        self._failures = 0

    def suspect(self, now_ms):
        """Something got no answer: ask with an update, before anything else, whether the server is still there."""
        self._is_suspected = True
        self._retry(now_ms, RETRY_MS, RETRY_HIGH_MS)

    def lost(self, now_ms):
        """The server does not know us (any more): register anew, at once the first time, then ever more slowly."""
        self.location = None
        self._again(now_ms + self._delay(RETRY_MS, RETRY_HIGH_MS) if self._failures else now_ms)
        self._failures += 1

    def refused(self, now_ms):
        """The server does not want us: a person has to look. Register anew, slowly."""
        self.location = None
        self._retry(now_ms, REFUSED_MS, REFUSED_HIGH_MS)

    def reconnected(self, now_ms):
        """The network is back, or our address is another: tell the server soon, whatever was waited for."""
        self._failures = 0
        self._sooner(now_ms + self._random(RECONNECT_MS))

    def changed(self, now_ms):
        """Objects or the lifetime changed: update soon."""
        if self.is_registered():
            self._sooner(now_ms + CHANGE_MS)

    def trigger(self, now_ms):
        """The server executed /1/0/8: update now."""
        self._sooner(now_ms)

    def leave(self, now_ms, return_s=None):
        """Planned stop, or the server executed /1/0/4: de-register, and come back after `return_s` seconds or never."""
        self._leaving = True
        self._return_ms = None if return_s is None else now_ms + return_s * 1000
        if self.location is None and self.pending is None:
            self._left()
        else:
            self.due_ms = now_ms

    def _again(self, due_ms):
        """Ask at `due_ms` because of how the last request went; while leaving, leaving goes first."""
        if not self._leaving:
            self.due_ms = due_ms

    def _sooner(self, due_ms):
        """Ask at `due_ms` unless an earlier time is set. Remembered when a request is on its way: it may be too old."""
        if self._leaving or self.due_ms is None:
            return
        if self.pending:
            self._again_ms = due_ms
        self.due_ms = min(self.due_ms, due_ms)

    def _accepted(self, now_ms, word):
        self._told = self._asked
        self._is_suspected = False
        period_ms = keep_alive_s(self._told[0]) * 1000
        if self._interval_ms is not None:
            period_ms = self._interval_ms(period_ms)
        self._again(now_ms + period_ms - self._random(period_ms // 10 + 1))
        if self._again_ms is not None:
            self._sooner(self._again_ms)
            self._again_ms = None
        return word

    def _left(self):
        self.location = None
        self.due_ms = self._return_ms
        self._leaving = self._return_ms is None
        self._failures = 0
        return "left"

    def _busy(self, now_ms, max_age_s):
        if max_age_s is None:
            self._again(now_ms + MAX_AGE_S * 1000 + self._random(SPREAD_S * 1000))
            return
        wait_ms = min(max_age_s, MAX_AGE_HIGH_S) * 1000
        self._again(now_ms + max(wait_ms, RETRY_MS) + self._random(wait_ms // 4 + RETRY_MS))

    def _retry(self, now_ms, first_ms, high_ms):
        self._failures += 1
        self._again(now_ms + self._delay(first_ms, high_ms))

    def _delay(self, first_ms, high_ms):
        delay_ms = min(first_ms << min(max(self._failures - 1, 0), 12), high_ms)
        return delay_ms // 2 + self._random(delay_ms // 2 + 1)
