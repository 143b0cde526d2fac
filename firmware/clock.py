"""UTC from a free-running RTC: an offset, the rate that was learnt, and a bound on the error that grows with every hour
nobody renews it.

Sources are the backend over the protected channel (`offer`: milliseconds and a measured round trip) and a server that
writes 3/0/13 (`set_s`: whole seconds, way unknown). The sample with the tighter bound wins, so of several the best is
kept; but a sample whose interval does not even touch ours says that ours is wrong (the RTC drifts more than it
should, or the server's clock was put right), and replaces it. How the RTC runs between samples: firmware.crystal.

Stepping. The light is level-triggered: it asks what holds now, so the clock steps and is never slewed. Only
`stamp_s`, which names telemetry, must not give the same second twice.
"""

from contract import limits
from firmware.crystal import BILLION, Crystal

EARLIEST_MS = 1704067200000  # 2024: before this firmware existed
LATEST_MS = 4294967296000  # 2106: the end of unsigned 32-bit seconds

# A sample with a longer round trip proves nothing: no exchange of ours lasts longer (RFC 7252 MAX_TRANSMIT_WAIT, 93 s).
LONGEST_ROUND_TRIP_MS = 93000

# 3/0/13 holds whole seconds and comes without a measured way; two seconds cover a slow mobile network.
WRITTEN_RESOLUTION_MS = 500
WRITTEN_WAY_MS = 2000

# Seconds. A stamp is kept increasing over a step back of up to a minute; after a longer one the old stamps were wrong
# anyway.
STAMP_PATIENCE_S = 60


class Clock:
    """`rtc_rate`: RTC ms per tick ms (1 on hardware); `store`: where the crystal's rate is kept (None: nowhere)."""

    def __init__(self, rtc_rate=1, store=None):
        self._rtc_rate = rtc_rate
        self.crystal = Crystal(store)
        self._offset_ms = None
        self._bound_ms = 0
        self._anchor_ms = 0
        self._stamp_s = 0
        self.rejected = 0
        self.contradictions = 0

    def offer(self, utc_ms, round_trip_ms, rtc_ms):
        """Consider what the server's clock said (`utc_ms`) in an answer that came at `rtc_ms`, `round_trip_ms` ticks
        after the question. Returns whether it was taken.

        The server spoke at any moment of the way there and back, which is known to a tick."""
        if not 0 <= round_trip_ms <= LONGEST_ROUND_TRIP_MS:
            self.rejected += 1
            return False
        half_ms = int(round_trip_ms * self._rtc_rate + 1) // 2
        return self._consider(utc_ms + half_ms, half_ms + int(self._rtc_rate), rtc_ms)

    def is_possible(self, utc_s):
        """Return whether a lamp can live at `utc_s`: what else `offer` and `set_s` refuse."""
        return EARLIEST_MS <= utc_s * 1000 < LATEST_MS

    def set_s(self, utc_s, rtc_ms):
        """Consider the time that a server wrote (3/0/13, whole seconds). Returns whether it was taken, which is also
        True when what the clock holds agrees with it and is better."""
        way_ms = WRITTEN_WAY_MS * self._rtc_rate
        rejected = self.rejected
        self._consider(utc_s * 1000 + 500 + way_ms // 2, WRITTEN_RESOLUTION_MS + way_ms // 2, rtc_ms)
        return self.rejected == rejected

    def _consider(self, utc_ms, bound_ms, rtc_ms):
        if not EARLIEST_MS <= utc_ms < LATEST_MS:
            self.rejected += 1
            return False
        if self._offset_ms is not None:
            held_ms = self.error_bound_ms(rtc_ms)
            error_ms = utc_ms - self.now_ms(rtc_ms)
            if abs(error_ms) > bound_ms + held_ms:
                self.contradictions += 1
                if error_ms < -STAMP_PATIENCE_S * 1000:
                    self._stamp_s = 0
                self.crystal.contradicted(utc_ms, bound_ms, rtc_ms, error_ms, rtc_ms - self._anchor_ms)
            elif bound_ms > held_ms:
                return False
            else:
                self.crystal.learn(utc_ms, bound_ms, rtc_ms)
        else:
            self.crystal.learn(utc_ms, bound_ms, rtc_ms)
        self._offset_ms = utc_ms - rtc_ms
        self._bound_ms = bound_ms
        self._anchor_ms = rtc_ms
        return True

    def now_ms(self, rtc_ms):
        """Return UTC in ms at `rtc_ms`, or None when no time was ever received. Says nothing about its quality."""
        if self._offset_ms is None:
            return None
        return rtc_ms + self._offset_ms + self.crystal.gain_ms(rtc_ms - self._anchor_ms)

    def error_bound_ms(self, rtc_ms):
        """Return by how many ms `now_ms` may be wrong, -1 when there is no time."""
        if self._offset_ms is None:
            return -1
        return self._bound_ms + self.crystal.doubt_ms(max(0, rtc_ms - self._anchor_ms))

    def is_trusted(self, rtc_ms):
        """Return whether the schedule may be followed: there is a time, good to a quarter of an hour, before 2106."""
        if not 0 <= self.error_bound_ms(rtc_ms) <= limits.CLOCK_TRUST_MS * self._rtc_rate:
            return False
        return self.now_ms(rtc_ms) < LATEST_MS

    def is_accurate(self, rtc_ms):
        """Return whether the time is good enough to be no fault (3415/5). Both limits grow with `rtc_rate`, as a round
        trip of the protocol does when a simulated night passes in minutes."""
        return 0 <= self.error_bound_ms(rtc_ms) <= limits.CLOCK_FAULT_MS * self._rtc_rate

    def trusted_ms(self, rtc_ms):
        """Return UTC in ms when it may be followed, else None: what `Lamp.decide` takes."""
        return self.now_ms(rtc_ms) if self.is_trusted(rtc_ms) else None

    def last_sync_ms(self):
        """Return UTC ms of the sample in force, or None."""
        return None if self._offset_ms is None else self._anchor_ms + self._offset_ms

    def rtc_of(self, utc_ms):
        """Return the RTC ms at which it is `utc_ms`, to a ms, by what is known now; None without a time."""
        if self._offset_ms is None:
            return None
        ahead_ms = utc_ms - self._offset_ms - self._anchor_ms
        return self._anchor_ms + ahead_ms * BILLION // (BILLION + self.crystal.rate_ppb)

    def stamp_s(self, rtc_ms):
        """Return UTC seconds for a report of `rtc_ms`, never the same twice: a report's time is whole seconds, and a
        second one of the same time would not be kept. None without a time."""
        now_ms = self.now_ms(rtc_ms)
        if now_ms is None:
            return None
        now_s = now_ms // 1000
        if now_s <= self._stamp_s:
            if now_s <= self._stamp_s - STAMP_PATIENCE_S:
                # Of something that happened long ago, and was waiting for the clock.
                return now_s
            now_s = self._stamp_s + 1
        self._stamp_s = now_s
        return now_s
