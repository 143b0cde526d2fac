"""The task that looks at everything but the light: meter, temperature, photocell, faults, counters, reports.

Everything is timed by the RTC, so that a simulated night is metered and reported as a real one; how often it looks is
ticks, bounded so that neither a fast RTC nor a slow one leaves a detector without measurements.
"""

from contract import faults, localtime
from firmware.dawn import next_dawn_ms
from firmware.errors import StorageError
from firmware.lwm2m import reports as paths

# A debounce of 30 s must see several measurements: each 2 s of RTC, but never more than 20 looks a second.
LOOK_RTC_MS = 2000
SHORTEST_MS = 50


class Watch:
    """`parts` is the lamp (firmware.app.Parts) with light and reports. `lux` is what the photocell said last."""

    def __init__(self, parts):
        self._parts = parts
        self.lux = parts.board.lux()
        self.progress_ms = 0
        self._dawn_ms = None
        self._is_introduced = False

    async def run(self):
        """Look for ever; only cancellation ends it."""
        board = self._parts.board
        while True:
            self.look()
            self.progress_ms = board.ticks_ms()
            await board.sleep_ms(max(SHORTEST_MS, int(LOOK_RTC_MS / board.rtc_rate)))

    def look(self):
        """Measure, judge, report once."""
        parts = self._parts
        board = parts.board
        rtc_ms = board.rtc_ms()
        now_ms = parts.clock.trusted_ms(rtc_ms)
        self.lux = board.lux()
        decision = parts.lamp.decision
        reading = board.measure()
        parts.meter.update(reading, decision.permille > 0, rtc_ms)
        parts.program.poll(rtc_ms)
        celsius = board.celsius()
        parts.lamp.derating.update(celsius, parts.settings.get("over_temperature_c"), rtc_ms)
        parts.health.update(decision, reading, celsius, self.lux, now_ms, rtc_ms, board.ticks_ms())
        for code, raised, at_rtc_ms in parts.health.transitions():
            parts.log.note("fault raised" if raised else "fault cleared", code=code)
            parts.reports.fault(code, raised, at_rtc_ms)
        parts.lamp.is_blind = parts.health.is_raised(faults.PHOTOCELL_STUCK.code)
        self._keep(decision, now_ms, rtc_ms)
        self._introduce(now_ms, rtc_ms)
        self._sum_up(now_ms, rtc_ms)
        parts.reports.poll(rtc_ms)

    def _keep(self, decision, now_ms, rtc_ms):
        """Counters and what was learnt, on flash. What cannot be kept is a fault of the storage, which counts it, and
        not of the night."""
        parts = self._parts
        try:
            parts.meter.save_if_due(rtc_ms, parts.clock)
            parts.counters.tick(parts.board.ticks_ms())
            parts.clock.crystal.keep(rtc_ms)
            parts.night.update(decision, now_ms, rtc_ms)
            parts.log.transition("storage", "works")
        except StorageError as error:
            parts.log.transition("storage", "failing", reason=str(error))

    def _introduce(self, now_ms, rtc_ms):
        """One report when the clock is first known: who is there, since when, why it restarted, what it holds."""
        if not self._is_introduced and now_ms is not None:
            self._is_introduced = True
            self._parts.reports.report(paths.INTRODUCTION_PATHS, rtc_ms)

    def _sum_up(self, now_ms, rtc_ms):
        """The summary of the night at dawn."""
        if now_ms is None:
            return
        parts = self._parts
        get = parts.settings.get
        if self._dawn_ms is not None and now_ms >= self._dawn_ms:
            self._dawn_ms = None
            parts.reports.summary(rtc_ms, parts.meter.close_night().voltages)
        if self._dawn_ms is None or self._dawn_ms - now_ms > 3 * localtime.DAY_S * 1000:
            exceptions = tuple([tuple(row) for row in get("time_zone_exceptions")])
            zone = localtime.TimeZone(get("time_zone"), get("standard_offset_s"), exceptions)
            self._dawn_ms = next_dawn_ms(now_ms, get("latitude_e6"), get("longitude_e6"), zone)
