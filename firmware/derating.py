"""Less light while the controller is too hot, so that it lives: linear, slow, and never less than half.

The usual curve of LED control gear: full output up to the threshold, from there evenly down to LEAST at SPAN_C above.
It begins when the threshold has been passed for HOLD_MS (as long as fault 20 takes to be raised). The curve is left
upwards only when it has become cooler by BAND_C, and the output moves by one permille a second: nobody sees it.
"""

from firmware.health.detectors import COLDEST_C, HOTTEST_C

LEAST = 500
FULL = 1000
SPAN_C = 15
BAND_C = 3
HOLD_MS = 60000
# RTC ms a permille.
PACE_MS = 1000


class Derating:
    """`permille`: what is left of the output, LEAST..FULL. `celsius`: as measured last, None when not known."""

    def __init__(self):
        self.permille = FULL
        self.celsius = None
        self._hot_since_ms = None
        self._moved_ms = 0

    def update(self, celsius, limit_c, rtc_ms):
        """Take a temperature (None or nonsense: not known, the light comes back) and the threshold, at `rtc_ms`."""
        self.celsius = celsius if celsius is not None and COLDEST_C <= celsius <= HOTTEST_C else None
        above_c = -BAND_C if self.celsius is None else celsius - limit_c
        if above_c <= 0:
            self._hot_since_ms = None
        elif self._hot_since_ms is None:
            self._hot_since_ms = rtc_ms
        steps = (rtc_ms - self._moved_ms) // PACE_MS
        goal = FULL
        # It begins late; then down to the curve at once, and up to it only from BAND_C below.
        if self.permille < FULL or (self._hot_since_ms is not None and rtc_ms - self._hot_since_ms >= HOLD_MS):
            goal = max(_left(above_c + BAND_C), min(_left(above_c), self.permille))
        if goal == self.permille:
            self._moved_ms = rtc_ms
        elif steps > 0:
            self._moved_ms += steps * PACE_MS
            self.permille += max(-steps, min(steps, goal - self.permille))

    def words(self):
        """Return what the explanation of the light ends with, "" while it is not derated."""
        if self.permille == FULL:
            return ""
        why = "no temperature" if self.celsius is None else "%d degrees" % self.celsius
        return ", derated to %d %%: %s" % ((self.permille + 5) // 10, why)


def _left(above_c):
    """Return the permille that the curve leaves at so many degrees above the threshold."""
    return max(LEAST, min(FULL, FULL - int((FULL - LEAST) * above_c / SPAN_C)))
