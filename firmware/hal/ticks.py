"""A tick count that never wraps, from the ESP32's `time.ticks_ms`, which wraps after 2**30 ms (12.4 days)."""


class Ticks:
    """`read()` gives the raw count and `difference(new, old)` its signed distance (`time.ticks_ms`, `time.ticks_diff`).

    Ask at least every six days: past half the period the distance is ambiguous.
    """

    def __init__(self, read, difference):
        self._read = read
        self._difference = difference
        self._last = read()
        self._total = 0

    def now(self):
        """Counts since this object was made: an int that only grows."""
        raw = self._read()
        step = self._difference(raw, self._last)
        if step > 0:
            self._total += step
            self._last = raw
        return self._total
