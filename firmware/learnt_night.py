"""What the lamp shone in the last good night, by the time since power-up: what it does when it wakes without a clock.

Many lamps are switched by their feeder: power comes at dusk and goes at dawn, so that the time since power-up tells how
late it is. While the clock is good the lamp notes, in quarters of an hour, the brightest level that schedule or default
level asked for, of a start after a loss of power within an hour of sunset. The night is good when it lasts until
shortly before sunrise, and what was learnt before is replaced by it.

A profile is followed when two nights in a row agreed, at most three days apart, and no more than two weeks of starts
have passed since. A start at another hour, or power that is still there two hours after sunrise, says that the feeder
is not switched: then nothing is followed until two nights agree again. Only light is learnt and followed; what is not
known leaves the lamp at its failsafe level.
"""

from contract import sun
from firmware.codec import cbor
from firmware.store import whole

RECORD = "night"

SLOT_MS = 900000
SLOTS = 64  # sixteen hours: the longest night of a city; beyond it the lamp is lit at its failsafe level

NEAR_S = 3600
END_S = 2700  # before sunrise: the feeder's own dusk switch may cut the power from then on
SWITCHED_S = 7200

# Of its quarters of an hour so many may differ, each by more than `ALIKE`: fixed hours move against sunset.
ODD_SLOTS = 6
ALIKE = 10

NIGHTS_APART = 3
STARTS = 14
TRUSTED_NIGHTS = 2

LEARNABLE = ("schedule", "default")


class LearntNight:
    """`counters`: firmware.counters.Counters; `get(name)`: settings; `rtc_ms`: now, the moment of power-up."""

    def __init__(self, store, counters, get, rtc_ms):
        self._store = store
        self._counters = counters
        self._get = get
        self._start_rtc_ms = rtc_ms
        # Agreeing nights, starts and days since 1970 when the last one was learnt, a level for each quarter of an hour.
        self._nights, self._starts, self._days, self._profile = self._load()
        # Of this night. The UTC s at which to act next: None before the clock is known, 0 when there is nothing to do.
        self._due_s = None
        self._levels = None

    def _load(self):
        data = self._store.load(RECORD)
        try:
            if data is not None:
                nights, starts, days, profile = cbor.decode(data)
                if isinstance(profile, bytes) and len(profile) <= SLOTS and (not profile or max(profile) <= 100):
                    return whole(nights), whole(starts), whole(days), profile
        except (ValueError, TypeError):
            pass
        return 0, 0, 0, b""

    def level_at(self, rtc_ms):
        """Return the level 1..100 of the last good night at this time since power-up, 0 when there is none."""
        slot = (rtc_ms - self._start_rtc_ms) // SLOT_MS
        if self._counters.cause != "power" or self._nights < TRUSTED_NIGHTS or not 0 <= slot < len(self._profile):
            return 0
        return self._profile[slot] if 0 <= self._counters.boots - self._starts <= STARTS else 0

    def update(self, decision, now_ms, rtc_ms):
        """Take what the lamp does at `now_ms` (UTC, None without a clock to trust). Raises StorageError."""
        if now_ms is None or self._due_s == 0 or self._counters.cause != "power":
            return
        now_s = now_ms // 1000
        start_s = now_s - (rtc_ms - self._start_rtc_ms) // 1000
        if self._due_s is None:
            self._begin(start_s)
        if self._levels is not None:
            self._note(decision, rtc_ms)
        if self._due_s and now_s >= self._due_s:
            self._act(now_s, start_s)

    def _solar_day(self, utc_s):
        return sun.solar_date(self._get("longitude_e6"), utc_s)

    def _event_s(self, days, which):
        """Return UTC s of sunrise (0) or sunset (1) of a date, None where the sun does not rise and set."""
        events = sun.events(self._get("latitude_e6"), self._get("longitude_e6"), days)
        return None if events in (sun.ALWAYS_UP, sun.ALWAYS_DOWN) else days * 86400 + events[which]

    def _is_dusk(self, utc_s):
        sunset_s = self._event_s(self._solar_day(utc_s), 1)
        return sunset_s is not None and abs(utc_s - sunset_s) <= NEAR_S

    def _begin(self, start_s):
        self._due_s = 0
        sunrise_s = self._event_s(self._solar_day(start_s) + 1, 0)
        if sunrise_s is None or not self._is_dusk(start_s):
            self._disprove()
            return
        self._due_s = sunrise_s - END_S
        self._levels = bytearray(SLOTS)

    def _note(self, decision, rtc_ms):
        slot = (rtc_ms - self._start_rtc_ms) // SLOT_MS
        if 0 <= slot < SLOTS and decision.rung in LEARNABLE:
            self._levels[slot] = max(self._levels[slot], decision.level)

    def _act(self, now_s, start_s):
        if self._levels is None:
            self._due_s = 0
            self._disprove()
            return
        levels, self._levels = bytes(self._levels).rstrip(b"\0"), None
        self._due_s += END_S + SWITCHED_S
        # A clock that was put right on the way has learnt the wrong hours; a dark night is no night to follow.
        if not self._is_dusk(start_s) or now_s >= self._due_s or not levels:
            self._due_s = 0
            return
        days = self._solar_day(start_s)
        agrees = 0 < days - self._days <= NIGHTS_APART and self._is_like(levels)
        self._nights = min(self._nights + 1, TRUSTED_NIGHTS) if agrees else 1
        self._starts, self._days, self._profile = self._counters.boots, days, levels
        self._save()

    def _is_like(self, levels):
        odd = abs(len(levels) - len(self._profile))
        for slot in range(min(len(levels), len(self._profile))):
            odd += abs(levels[slot] - self._profile[slot]) > ALIKE
        return odd <= ODD_SLOTS

    def _disprove(self):
        if self._nights:
            self._nights = 0
            self._save()

    def _save(self):
        self._store.save(RECORD, cbor.encode([self._nights, self._starts, self._days, self._profile]))
