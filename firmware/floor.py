"""The safety floor: a minimum of light by night that nothing above it can cross.

It comes from provisioning alone, and so does all that decides when it holds: the place and the photocell's thresholds
are the identity's, whatever was written over the air. It is day only when the sun (by a clock to trust and the
provisioned place) or the photocell says so and neither says night; a lamp that does not know is lit.

The light rises to the floor before sunset, so that it is reached when the night begins, and fades from it after
sunrise, both over `default_fade_ms`. Darkness that nobody foresaw (a photocell, a clock that steps) is lit at once.
"""

from contract import levels, sun
from firmware.pace import LONGEST_SLEEP_MS, fade_step_ms


class Floor:
    """`level`: 0..100, 0: none. `holds`: how many wishes were held since start-up.

    As of the last `least`: `is_on`, whether it holds; `words`, until when; `turn_ms`, UTC ms at which that changes (0:
    not known); `is_moving`; `wake_ms`, RTC ms at which to look again.
    """

    def __init__(self, settings):
        self._settings = settings
        self.level = settings.default("safety_floor")
        self.holds = 0
        self.is_on = self.is_moving = False
        self.words = ""
        self.turn_ms = 0
        self.wake_ms = None
        self._held = None
        self._bright = False
        # [is_night, from_s, until_s, whether it turns then, end of the night that follows] by the sun
        self._stretch = None
        self._night_rtc_ms = None

    def least(self, now_ms, rtc_ms, lux):
        """Return the permille of the dimming output that is the least at `now_ms` (UTC; None without a clock to trust),
        `rtc_ms` and `lux` (None: no photocell)."""
        self.wake_ms = rtc_ms + LONGEST_SLEEP_MS
        if not self.level:
            return 0
        fade_ms = self._settings.get("default_fade_ms")
        is_night, dusk_ms = self._look(now_ms, lux, fade_ms)
        full = self.level * 10
        if is_night:
            self._night_rtc_ms = rtc_ms
            self.is_moving = False
            least = full
        else:
            least = 0 if dusk_ms is None else levels.fade(0, full, dusk_ms, fade_ms)
            if dusk_ms is not None:
                self.is_on = dusk_ms >= 0
            if self._night_rtc_ms is not None:
                least = max(least, levels.fade(full, 0, rtc_ms - self._night_rtc_ms, fade_ms))
            self.is_moving = self.is_on or least > 0
        if self.is_moving:
            self.wake_ms = rtc_ms + fade_step_ms(fade_ms)
        elif self.turn_ms:
            self.wake_ms = min(self.wake_ms, rtc_ms + max(1, self.turn_ms - now_ms))
        return least

    def _look(self, now_ms, lux, fade_ms):
        """Return (is_night, ms since the light began to rise towards the coming night: negative before that, None when
        the sun says nothing of it)."""
        default = self._settings.default
        # A photocell that measures no number says nothing.
        sees = lux is not None and lux == lux
        if sees:
            self._bright = lux > (default("on_lux") if self._bright else default("off_lux"))
        self.turn_ms = 0
        stretch = self._by_sun(now_ms)
        if stretch is not None and stretch[0]:
            self.is_on, self.words = True, levels.UNTIL_SUNRISE
            self.turn_ms = stretch[2] * 1000
            return True, None
        if sees and not self._bright:
            self.is_on, self.words = True, levels.WHILE_DARK
            return True, None
        if stretch is None:
            self.is_on, self.words = not sees, levels.UNTIL_SURE
            return not sees, None
        self.is_on = False
        self.words = levels.UNTIL_SUNRISE
        if not stretch[3]:
            return False, None
        dusk_ms = now_ms - stretch[2] * 1000 + fade_ms
        self.turn_ms = stretch[4] * 1000 if dusk_ms >= 0 else now_ms - dusk_ms
        return False, dusk_ms

    def _by_sun(self, now_ms):
        """Return the stretch of day or night that holds, None when clock or place are not known."""
        default = self._settings.default
        latitude, longitude = default("latitude_e6"), default("longitude_e6")
        # Nobody lights the sea at 0, 0: it is what a place is when none was provisioned.
        if now_ms is None or not (latitude or longitude):
            return None
        now_s = now_ms // 1000
        if self._stretch is None or not self._stretch[1] <= now_s < self._stretch[2]:
            is_night, until_s, turns = sun.night_at(latitude, longitude, now_s)
            end_s = until_s
            if turns and not is_night:
                end_s = sun.night_at(latitude, longitude, until_s)[1]
            self._stretch = (is_night, now_s, until_s, turns, end_s)
        return self._stretch

    def holds_back(self, key, output):
        """Return whether a wish is held, which would come to rest at `output` (permille); `key` tells wishes apart."""
        held = self.is_on and output < self.level * 10
        if not held:
            self._held = None
        elif key != self._held:
            self._held = key
            self.holds += 1
        return held
