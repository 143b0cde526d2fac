"""From "wrong at this moment" to "a fault": only what lasts, and is seen several times, counts."""

# However long the debounce: one odd measurement is no fault.
SAMPLES = 3


class Debounce:
    """One fault's memory. `delay_ms`: how long the condition must last, the same for raising and for clearing."""

    def __init__(self, delay_ms, raised=False):
        self._delay_ms = delay_ms
        self._since_ms = None
        self._samples = 0
        self.raised = raised

    def update(self, condition, now_ms):
        """Take what a detector said at `now_ms` (any clock that runs evenly); return whether `raised` has changed.

        None (cannot be told now) keeps the state and starts the wait anew.
        """
        if condition is None or condition == self.raised:
            self._since_ms = None
            return False
        if self._since_ms is None:
            self._since_ms = now_ms
            self._samples = 0
        self._samples += 1
        if self._delay_ms and (self._samples < SAMPLES or now_ms - self._since_ms < self._delay_ms):
            return False
        self.raised = condition
        self._since_ms = None
        return True


class Flicker:
    """Notices a light that goes on and off by itself: four times in half an hour, and then none for an hour."""

    TIMES = 4
    WITHIN_MS = 1800000
    QUIET_MS = 3600000
    # One odd measurement is no darkness.
    STILL_MS = 2000

    def __init__(self):
        self._dark = Debounce(self.STILL_MS)
        self._at_ms = []

    def update(self, dark, rtc_ms):
        """Take whether a lamp that should be lit is dark (None: cannot be told); return True, False or None."""
        if self._dark.update(dark, rtc_ms) and not self._dark.raised:
            self._at_ms = self._at_ms[1 - self.TIMES :] + [rtc_ms]
        if len(self._at_ms) == self.TIMES and rtc_ms - self._at_ms[0] <= self.WITHIN_MS:
            return True
        if not self._at_ms or rtc_ms - self._at_ms[-1] >= self.QUIET_MS:
            return False
        return None


class Stuck:
    """Notices a photocell that has shown only one side for longer than a day and a bit, or that contradicts the sun for
    hours: a lamp that is switched by its feeder never sees a whole day.

    It is in order again when it shows the other side. After a restart nobody knows which side that is: then any change
    will do, and darkness in what is surely the night (by day such a lamp would be lit, which is the safe side)."""

    LONGEST_MS = 26 * 3600000
    AGAINST_MS = 3 * 3600000

    def __init__(self):
        self._seen_ms = None
        self._against_ms = None
        self._first = None
        # The side at which it was found stuck.
        self._side = None

    def update(self, bright, day, rtc_ms):
        """Take what the photocell shows (None: not fitted, or a polar day or night, or a white one) and whether it is
        surely day or night by the sun (None: twilight, no clock); return True, False or None."""
        if bright is None:
            self._seen_ms = self._against_ms = self._first = None
            return None
        if self._seen_ms is None:
            self._seen_ms = [rtc_ms, rtc_ms]
            self._first = bright
        self._seen_ms[int(bright)] = rtc_ms
        if day is None or bright == day:
            self._against_ms = None
        elif self._against_ms is None:
            self._against_ms = rtc_ms
        against = self._against_ms is not None and rtc_ms - self._against_ms >= self.AGAINST_MS
        if against or rtc_ms - min(self._seen_ms) > self.LONGEST_MS:
            self._side = bright
            return True
        if self._side is not None:
            if bright == self._side:
                return True
            self._side = None
            self._first = not bright
        return False if bright != self._first or (day is False and not bright) else None


class Loss:
    """Notices that a counter of losses grows, for an hour after each time. `seen` is what was there before; a counter
    below it has not been read from flash yet."""

    HOUR_MS = 3600000

    def __init__(self, seen=0):
        self.seen = seen
        self._at_ms = None

    def update(self, count, ticks_ms):
        """Take the counter; return True within an hour after it grew, else False."""
        if count > self.seen:
            self._at_ms = ticks_ms
            self.seen = count
        return self._at_ms is not None and ticks_ms - self._at_ms < self.HOUR_MS
