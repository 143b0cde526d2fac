"""How fast the RTC's crystal really runs, learnt from the server's time, and how wrong that may still be.

Two samples of the time, far apart, show the mean rate between them: (UTC passed - RTC passed) / RTC passed, to within
(sum of both bounds) / RTC passed. It counts only when that doubt is small beside what a crystal may be off by; so on a
lamp it takes an hour or a few, and in a simulation whose RTC runs 600 times too fast, which blows up every round trip,
it takes a week and nothing is learnt from noise.

The mean rate of some hours is not the rate of the next ones: temperature moves it. So the doubt never falls below what
a crystal swings between its coldest and its warmest hour. Whoever finds a sample beyond the bound says `contradicted`:
the rate is forgotten, and if the crystal itself can have done it, it is believed to swing more from then on.

Rates are integers in ppb (parts per billion): a 32-bit float would lose what is learnt. Practice after RFC 5905, which
clamps the frequency (MAXFREQ, 500 ppm) and keeps it across restarts (the drift file).
"""

from firmware.codec import cbor

RECORD = "crystal"

BILLION = 1000000000

# A crystal that nobody has measured: the worst that is sold for controllers, with ageing, over -40..85 degrees Celsius.
UNKNOWN_PPB = 100000

# From its coldest to its warmest hour the same crystal changes by less: an AT cut moves some 10 ppm either way. The
# most it is believed to do is what `UNKNOWN_PPB` allows at all.
SWING_PPB = 25000

# A slope beyond this is no crystal's (RFC 5905, MAXFREQ): somebody has set a clock.
LARGEST_PPB = 500000

# A slope in more doubt than this teaches nothing. Also the doubt of a rate that was learnt before this start.
DOUBT_PPB = 10000

# A mean over two days has seen both nights and days; then the next one begins, so that seasons and age are followed.
WINDOW_MS = 2 * 86400000

# What is on flash is replaced when it is proven to be wrong by more than this, once a day at the most.
WORTH_PPB = 2000
SAVE_MS = 86400000


class Crystal:
    """`rate_ppb`: UTC gained on the RTC; `doubt_ppb`: by how much the rate of any hour may differ from it. `store`:
    where the rate is kept for the next start (None: nowhere)."""

    def __init__(self, store=None):
        self._store = store
        self._swing_ppb = SWING_PPB
        self._kept = None
        self._saved_rtc_ms = None
        # Of the pair being learnt from, the earlier sample: (utc_ms, bound_ms, rtc_ms).
        self._first = None
        self._forget()
        self._load()

    def _forget(self):
        self.rate_ppb = 0
        self._slope_doubt_ppb = None

    def _load(self):
        data = None if self._store is None else self._store.load(RECORD)
        if data is None:
            return
        try:
            rate_ppb, swing_ppb = [int(value) for value in cbor.decode(data)]
        except (ValueError, TypeError, OverflowError):
            return
        if abs(rate_ppb) <= LARGEST_PPB and SWING_PPB <= swing_ppb <= UNKNOWN_PPB:
            self._kept = [rate_ppb, swing_ppb]
            self.rate_ppb, self._swing_ppb = rate_ppb, swing_ppb
            self._slope_doubt_ppb = DOUBT_PPB

    @property
    def is_learnt(self):
        """Whether `rate_ppb` was measured, by this start or an earlier one."""
        return self._slope_doubt_ppb is not None

    @property
    def doubt_ppb(self):
        """By how much the mean rate of any time to come may differ from `rate_ppb`."""
        return UNKNOWN_PPB if self._slope_doubt_ppb is None else self._slope_doubt_ppb + self._swing_ppb

    def gain_ms(self, passed_ms):
        """Return the ms of UTC that pass beyond `passed_ms` of the RTC."""
        return passed_ms * self.rate_ppb // BILLION

    def doubt_ms(self, passed_ms):
        """Return by how many ms `gain_ms(passed_ms)` may be wrong, rounded up."""
        return -(-passed_ms * self.doubt_ppb // BILLION)

    def learn(self, utc_ms, bound_ms, rtc_ms):
        """Take a sample that fits all that is known: at `rtc_ms` it is `utc_ms`, to within `bound_ms`."""
        sample = (utc_ms, bound_ms, rtc_ms)
        if self._first is None:
            self._first = sample
            return
        passed_ms = rtc_ms - self._first[2]
        unsure_ms = self._first[1] + bound_ms
        if passed_ms <= 0 or unsure_ms * BILLION > DOUBT_PPB * passed_ms:
            # Too near to say anything; of two beginnings the better one.
            if passed_ms <= 0 or bound_ms < self._first[1]:
                self._first = sample
            return
        slope_ppb = (utc_ms - self._first[0] - passed_ms) * BILLION // passed_ms
        doubt_ppb = unsure_ms * BILLION // passed_ms + 1
        if abs(slope_ppb) > LARGEST_PPB:
            self._first = sample
        elif self.is_learnt and abs(slope_ppb - self.rate_ppb) > doubt_ppb + self.doubt_ppb:
            self._swing_more()
            self.rate_ppb, self._slope_doubt_ppb = slope_ppb, doubt_ppb
        elif not self.is_learnt or doubt_ppb <= self._slope_doubt_ppb:
            self.rate_ppb, self._slope_doubt_ppb = slope_ppb, doubt_ppb
        if passed_ms >= WINDOW_MS:
            self._first = sample

    def _swing_more(self):
        self._swing_ppb = min(UNKNOWN_PPB, 2 * self._swing_ppb)

    def contradicted(self, utc_ms, bound_ms, rtc_ms, error_ms, passed_ms):
        """A sample was `error_ms` beside what was expected `passed_ms` after the last one: begin anew with it."""
        if self.is_learnt and abs(error_ms) * BILLION <= LARGEST_PPB * passed_ms:
            self._swing_more()
        self._forget()
        self._first = (utc_ms, bound_ms, rtc_ms)

    def keep(self, rtc_ms):
        """Put what was learnt on flash when it is worth it (see `WORTH_PPB`). Raises StorageError."""
        if self._store is None or not self.is_learnt:
            return
        if self._kept is not None:
            proven = max(WORTH_PPB, self._slope_doubt_ppb)
            if self._kept[1] == self._swing_ppb and abs(self.rate_ppb - self._kept[0]) <= proven:
                return
        if self._saved_rtc_ms is not None and rtc_ms - self._saved_rtc_ms < SAVE_MS:
            return
        self._saved_rtc_ms = rtc_ms
        self._kept = [self.rate_ppb, self._swing_ppb]
        self._store.save(RECORD, cbor.encode(self._kept))
