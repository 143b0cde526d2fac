"""Who may come in now, when a whole feeder, or a whole city, gets its power back in the same second.

Two doors, because a server that serves everybody at once serves nobody: 20,000 lamps within half a minute filled the
receive buffer with requests that were given up before they were read, and after 84 s 187,939 repeats had
registered 2,102.

The *gate* stands before the keys. A lamp whose context is not in memory costs a look into the database, a reserved
chunk of sequence numbers and an Echo round trip; beyond a rate it is sent away at once, in the open (5.03), by what
`peek` sees of its datagram. Our lamps believe the code of such an answer and nothing in it, and come again after one
to two and a half minutes (`firmware.lwm2m.registration`). Nothing is lost by that: whoever can forge it on the way can
drop the request as well.

The *admission* stands before a registration, behind the keys. A lamp beyond the rate is given a *slot* of its own, a
time from which it will be let in, and is told to come back then (5.03 with Max-Age, RFC 7252, 5.9.3.4): each lamp is
refused once, and the line is as long as the work. What a registration brings with it (time, reports, a schedule to
verify) is spread by it, too, and whoever is in is served at once. This refusal is protected: a lamp believes its
Max-Age only then, it is liveness like any other message, and a stranger can take nobody's slot.

Time is a parameter, in real milliseconds.
"""

from collections import OrderedDict

_SLOT_KEPT_MS = 600_000
"""A lamp that does not come for its slot within this time stands in line anew; Max-Age plus a quarter, as our lamps
wait, is well within."""

_BREATH_MS = 15_000
_TOO_LATE_MS = 1000
"""While there is a line, a registration that lay unread this long is put off by so much, slot or not: it brings ten
more questions with it, and a server that is behind already would be drowned in repeats of all of them."""

_BEHIND_MS = 500
_DEARER = 5
"""For each half second that requests lie unread a stranger counts for five more."""


class Admission:
    """`rate_per_s` registrations a second, `burst` at once after a quiet time. `longest_s` bounds what a lamp is told
    (lamps do not wait longer than half an hour)."""

    def __init__(self, rate_per_s: float, burst: int, longest_s: int = 1500) -> None:
        self._interval_ms = 1000 / rate_per_s
        self._burst_ms = burst * self._interval_ms
        self._longest_ms = longest_s * 1000
        self._next_ms = 0.0
        self._slots: OrderedDict[int, float] = OrderedDict()

    def wait_s(self, lamp_id: int, now_ms: int, late_ms: int = 0) -> int:
        """0: it may register now. Else the seconds after which it shall ask again, at least 1. `late_ms` is how long
        its request waited to be read."""
        self._forget_missed(now_ms)
        if late_ms >= _TOO_LATE_MS and self._slots:
            self._next_ms = max(self._next_ms, now_ms) + self._interval_ms  # whoever comes new stands behind it
            self._slots[lamp_id] = now_ms + _BREATH_MS
            self._slots.move_to_end(lamp_id)
            return _BREATH_MS // 1000
        slot_ms = self._slots.get(lamp_id)
        if slot_ms is None:
            self._next_ms = max(self._next_ms, now_ms - self._burst_ms) + self._interval_ms
            slot_ms = min(self._next_ms, now_ms + self._longest_ms)
            if slot_ms > now_ms:
                self._slots[lamp_id] = slot_ms
        if slot_ms > now_ms:
            return int((slot_ms - now_ms) / 1000) + 1
        self._slots.pop(lamp_id, None)
        return 0

    @property
    def waiting(self) -> int:
        """Lamps that hold a slot."""
        return len(self._slots)

    def _forget_missed(self, now_ms: int) -> None:
        # Slots are given in order of time, except those at the bound, which are equal or later than any before.
        while self._slots and next(iter(self._slots.values())) < now_ms - _SLOT_KEPT_MS:
            self._slots.popitem(last=False)


class Gate:
    """Lets `rate_per_s` strangers through, `burst` at once after a quiet time; whoever is beyond that has to go."""

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._per_ms = rate_per_s / 1000
        self._burst = float(burst)
        self._left = self._burst
        self._at_ms = 0

    def let_in(self, now_ms: int, late_ms: int = 0) -> bool:
        """Whether one may come in. `late_ms` is how long it waited to be read: a server that is behind has the less
        room the later it is, and one that only hesitated (a slow disk, a busy machine) still has its burst."""
        self._left = min(self._burst, self._left + max(0, now_ms - self._at_ms) * self._per_ms)
        self._at_ms = now_ms
        price = 1 + _DEARER * (late_ms // _BEHIND_MS)
        if self._left < price:
            return False
        self._left -= price
        return True

    def give_back(self) -> None:
        """The one that was let in last is nobody's lamp: a flood of invented key ids must not keep lamps out."""
        self._left = min(self._burst, self._left + 1)
