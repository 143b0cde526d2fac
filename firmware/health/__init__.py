"""The lamp's own opinion of its health: which faults are raised, since when, and what to tell the server.

Faults, codes and debounce times: contract.faults. A transition is held until the clock can date it. What was told as
raised is kept on flash, so that after a restart the lamp still knows which faults it must clear; it is kept only after
it was handed over, so that a cut before then costs no more than finding the fault again.
"""

from contract import faults, sun
from firmware.codec import cbor
from firmware.errors import StorageError
from firmware.health import detectors
from firmware.health.debounce import Debounce, Flicker, Loss, Stuck
from firmware.meter import sift
from firmware.store import whole

RECORD = "faults"

# So long the output must have been still: inrush is over and a pulse meter has seen the new power.
SETTLE_MS = 10000

# After start-up a lamp may be without time for so long before that is a fault (real time: it is the network's).
CLOCK_GRACE_MS = 600000

# Sun low: no day for a day burner yet, and no night for a photocell for much longer, as a summer night stays light.
TWILIGHT_S = 1800
DUSK_S = 7200

# A longer day has no night that is dark enough for a photocell (60 degrees north in June has 18.9 h).
WHITE_S = 19 * 3600

# Transitions that wait for a clock.
PENDING = 64

# By the codes of contract.faults.
MEASURED = (
    (faults.LAMP_FAILURE.code, detectors.lamp_failure),
    (faults.CONTROL_GEAR_FAILURE.code, detectors.control_gear_failure),
    (faults.RELAY_FAILURE.code, detectors.relay_failure),
    (faults.DAY_BURNER.code, detectors.day_burner),
    (faults.LOW_VOLTAGE.code, detectors.low_voltage),
    (faults.HIGH_VOLTAGE.code, detectors.high_voltage),
    (faults.LOW_CURRENT.code, detectors.low_current),
    (faults.HIGH_CURRENT.code, detectors.high_current),
    (faults.LOW_POWER.code, detectors.low_power),
    (faults.HIGH_POWER.code, detectors.high_power),
    (faults.LOW_POWER_FACTOR.code, detectors.low_power_factor),
    (faults.OVER_TEMPERATURE.code, detectors.over_temperature),
)


class Health:
    """`parts` has `settings`, `store`, `program`, `clock`, `counters`, `queue`. `reason` is 3416/6 (0: no failure)."""

    def __init__(self, parts):
        self._parts = parts
        self._transitions = []
        self._changed_ms = None
        self._output = None
        self._sun = None
        self._flicker = Flicker()
        self._stuck = Stuck()
        raised, seen = self._load()
        if parts.counters.told:
            raised.append(faults.RESET_LOOP.code)
        self._told = set(raised)
        self._is_kept = True
        self._loss = Loss(seen)
        self._faults = {}
        for fault in faults.ALL:
            # One without a path is the backend's own.
            if fault.path is not None:
                self._faults[fault.code] = Debounce(fault.debounce_s * 1000, fault.code in raised)
        self.reason = detectors.NO_POWER if faults.LAMP_FAILURE.code in raised else 0

    def _load(self):
        data = self._parts.store.load(RECORD)
        try:
            if data is not None:
                raised, seen = cbor.decode(data)
                return [whole(code) for code in raised], whole(seen)
        except (ValueError, TypeError):
            pass
        return [], 0

    def is_raised(self, code):
        """Return whether fault `code` is raised."""
        return self._faults[code].raised

    def active(self):
        """Return the codes of all raised faults, ascending."""
        return sorted(code for code in self._faults if self._faults[code].raised)

    def update(self, decision, reading, celsius, lux, now_ms, rtc_ms, ticks_ms):
        """Take what holds now: the lamp's Decision, the board's Reading, celsius and lux (None: not there), UTC ms
        (None without a clock to trust), RTC ms and ticks ms. Call about once a second."""
        if not self._is_kept:
            self._keep()
        output = (decision.permille, decision.closed)
        if output != self._output or decision.fading:
            self._output = output
            self._changed_ms = rtc_ms
        settled = rtc_ms - self._changed_ms >= SETTLE_MS
        by_sun = None if now_ms is None else self._is_day_by_sun(now_ms)
        day = self._is_day(lux, by_sun)
        scene = detectors.Scene(decision, sift(reading), celsius, day, settled, self._parts.settings.get)
        for code, detect in MEASURED:
            if self._note(code, detect(scene), rtc_ms) and code == faults.LAMP_FAILURE.code:
                self.reason = detectors.lamp_failure_reason(scene) if self.is_raised(code) else 0
        self._note(faults.CYCLING.code, self._flicker.update(detectors.lamp_failure(scene), rtc_ms), rtc_ms)
        bright = None if lux is None or self._is_polar() else decision.bright
        stuck = self._stuck.update(bright, by_sun, rtc_ms)
        self._note(faults.PHOTOCELL_STUCK.code, False if lux is None else stuck, rtc_ms)
        self._note_software(rtc_ms, ticks_ms)

    def _note_software(self, rtc_ms, ticks_ms):
        parts = self._parts
        accurate = parts.clock.is_accurate(rtc_ms)
        if not accurate and parts.clock.now_ms(rtc_ms) is None and ticks_ms < CLOCK_GRACE_MS:
            accurate = None
        self._note(faults.CLOCK_ERROR.code, None if accurate is None else not accurate, rtc_ms)
        self._note(faults.INVALID_SCHEDULE.code, not parts.program.is_valid, rtc_ms)
        self._note(faults.STORAGE_ERROR.code, not parts.store.is_healthy(), rtc_ms)
        self._note(faults.RESET_LOOP.code, parts.counters.is_suspect, rtc_ms)
        self._note(faults.REPORTS_LOST.code, self._loss.update(parts.queue.dropped, ticks_ms), rtc_ms)

    def _note(self, code, condition, rtc_ms):
        debounce = self._faults[code]
        if not debounce.update(condition, rtc_ms):
            return False
        self._transitions.append((code, debounce.raised, rtc_ms))
        if len(self._transitions) > PENDING:
            self._forget_a_pair()
        return True

    def _keep(self):
        self._is_kept = True
        try:
            self._parts.store.save(RECORD, cbor.encode([sorted(self._told), self._loss.seen]))
        except StorageError:
            # It is counted by the store, and raises the storage fault at this update.
            pass

    def _forget_a_pair(self):
        """Without a clock for long, drop the oldest two transitions of one fault: raised and cleared leave nothing."""
        codes = [entry[0] for entry in self._transitions]
        code = max(codes, key=codes.count)
        for _ in range(2):
            index = [entry[0] for entry in self._transitions].index(code)
            self._transitions.pop(index)

    def transitions(self):
        """Return [(code, raised, rtc_ms)] since the last call, oldest first; nothing until the clock can date them.

        The next `update` puts on flash that they are told: by then the caller has queued them."""
        if self._parts.clock.now_ms(0) is None:
            return []
        datable = self._transitions
        self._transitions = []
        for code, raised, _ in datable:
            self._is_kept = False
            if raised:
                self._told.add(code)
            else:
                self._told.discard(code)
        return datable

    def _is_day(self, lux, by_sun):
        """Return whether it is surely day, by the photocell unless it is stuck, else by the sun; None when nobody
        knows."""
        if lux is None or self.is_raised(faults.PHOTOCELL_STUCK.code):
            return by_sun
        return lux > self._parts.settings.get("off_lux")

    def _is_day_by_sun(self, now_ms):
        get = self._parts.settings.get
        latitude, longitude, now_s = get("latitude_e6"), get("longitude_e6"), now_ms // 1000
        days = sun.solar_date(longitude, now_s)
        if self._sun is None or self._sun[0] != (latitude, longitude, days):
            self._sun = ((latitude, longitude, days), sun.events(latitude, longitude, days))
        events = self._sun[1]
        if events in (sun.ALWAYS_UP, sun.ALWAYS_DOWN):
            return events == sun.ALWAYS_UP
        sunrise_s, sunset_s = events
        now_s -= days * 86400
        if sunrise_s + TWILIGHT_S < now_s < sunset_s - TWILIGHT_S:
            return True
        return False if now_s < sunrise_s - DUSK_S or now_s > sunset_s + DUSK_S else None

    def _is_polar(self):
        """Whether the sun, as far as it was looked up, does not rise and set today, or leaves a white night."""
        if self._sun is None:
            return False
        events = self._sun[1]
        return events in (sun.ALWAYS_UP, sun.ALWAYS_DOWN) or events[1] - events[0] > WHITE_S
