"""What the lamp tells by itself: telemetry on its own rhythm, transitions of faults at once, a summary at dawn.

Every report is one SenML-CBOR pack in the queue, stamped when it is made. Base time is left out while the lamp does not
know the time, and the server then takes the time of arrival. Everything is timed by the RTC (`rtc_ms`), so that a
simulated night reports as often as a real one.
Source: OMA-TS-LightweightM2M_Core-V1_1 section 6.4.6 (Send); RFC 8428 section 4.5.3 (time).
"""

import contract.objects.electrical_monitor as electrical_monitor
import contract.objects.lamp_status as lamp_status
import contract.objects.outdoor_lamp_controller as outdoor_lamp_controller
from contract import faults
from contract.paths import Path
from contract.senml import Record
from firmware.codec import senml
from firmware.lwm2m.errors import LwM2MError
from firmware.lwm2m.queue import FAULT, SUMMARY, TELEMETRY
from firmware.lwm2m.values import is_finite

# Of objects and of resources there are so many (OMA-TS-LightweightM2M_Core-V1_1 section 7.3).
NUMBERS = 65536


def _first(*resources):
    """Resources in instance 0 of their objects, each as one number: thirty paths would be two kilobytes of heap."""
    return tuple([resource.object * NUMBERS + resource.id for resource in resources])


TELEMETRY_PATHS = _first(
    outdoor_lamp_controller.COMMAND_IN_ACTION,
    outdoor_lamp_controller.DIMMING_LEVEL,
    outdoor_lamp_controller.LAMP_OPERATING_HOURS,
    outdoor_lamp_controller.CONTROL_GEAR_TEMPERATURE,
    electrical_monitor.SUPPLY_VOLTAGE,
    electrical_monitor.SUPPLY_CURRENT,
    electrical_monitor.ACTIVE_POWER,
    electrical_monitor.POWER_FACTOR,
    electrical_monitor.CUMULATED_ACTIVE_ENERGY,
    lamp_status.RUNG,
    lamp_status.SCHEDULE_DIGEST,
    lamp_status.REPORTS_DROPPED,
)
# Why the light is as it is, when a command was received, when the light changed, and how far both may be wrong.
EVIDENCE_PATHS = _first(
    outdoor_lamp_controller.COMMAND_IN_ACTION,
    outdoor_lamp_controller.DIMMING_LEVEL,
    lamp_status.RUNG,
    lamp_status.EXPLANATION,
    lamp_status.UNTIL,
    lamp_status.CLOCK_ERROR_BOUND,
    lamp_status.COMMAND_RECEIVED,
    lamp_status.LIGHT_CHANGED,
)
# Once after a start, when the clock is known: what happened, and what the lamp holds.
INTRODUCTION_PATHS = TELEMETRY_PATHS + _first(
    lamp_status.FAULTS_ACTIVE,
    lamp_status.BOOT_COUNTER,
    lamp_status.RESET_CAUSE,
    lamp_status.CLOCK_ERROR_BOUND,
    lamp_status.EXPLANATION,
    lamp_status.UNTIL,
    lamp_status.SAFETY_FLOOR,
)
SUMMARY_PATHS = _first(
    electrical_monitor.CUMULATED_ACTIVE_ENERGY,
    outdoor_lamp_controller.LAMP_OPERATING_HOURS,
    outdoor_lamp_controller.LAMP_SWITCH_COUNTER,
    lamp_status.REPORTS_DROPPED,
)


class Reports:
    """`interval_s()`: seconds between telemetry, asked each time; `random(n)`: an int 0..n-1."""

    def __init__(self, tree, queue, clock, interval_s, random):
        self._tree = tree
        self._queue = queue
        self._clock = clock
        self._interval_s = interval_s
        self._random = random
        self._due_ms = None
        self._period_ms = 0

    def poll(self, rtc_ms):
        """Queue telemetry when it is due. Returns the RTC ms at which to be asked again."""
        period_ms = self._interval_s() * 1000
        if self._due_ms is None or period_ms != self._period_ms:
            # A phase of its own for every lamp; a new interval counts from now, not after the old one has run out.
            self._period_ms = period_ms
            self._due_ms = rtc_ms + self._random(period_ms)
        elif rtc_ms >= self._due_ms:
            # Keep the phase; what was missed (the loop was held up) is skipped and not made up for.
            self._due_ms += ((rtc_ms - self._due_ms) // period_ms + 1) * period_ms
            self.report(TELEMETRY_PATHS, rtc_ms)
        return self._due_ms

    def report(self, wanted, rtc_ms):
        """Queue the values of `wanted` (as `_first` makes them) as telemetry, now. What is not there is left out."""
        self._put(TELEMETRY, self._read(wanted), rtc_ms)

    def fault(self, code, active, rtc_ms):
        """Queue the transition of a fault (contract.faults code) that was raised (`active`) or cleared at `rtc_ms`.

        Raises KeyError for an unknown code and ValueError for one that a lamp cannot show."""
        fault = faults.get(code)
        if fault.path is None:
            raise ValueError("fault %d, %s, is raised by the backend only" % (code, fault.name))
        self._put(FAULT, [Record(fault.path, None, bool(active))], rtc_ms, code)

    def summary(self, rtc_ms, voltages=()):
        """Queue the summary of a night. `voltages`: (RTC ms, volts) of its lowest and highest measurement."""
        records = self._read(SUMMARY_PATHS)
        voltage = Path(electrical_monitor.ID, 0, electrical_monitor.SUPPLY_VOLTAGE.id, None)
        for measured_ms, volts in voltages:
            utc_ms = self._clock.now_ms(measured_ms)
            records.append(Record(voltage, None if utc_ms is None else utc_ms // 1000, volts))
        self._put(SUMMARY, records, rtc_ms)

    def _read(self, wanted):
        """Records of the paths that have values. A measurement that is no number must not cost the whole report."""
        records = []
        for number in wanted:
            try:
                found = self._tree.read(Path(number // NUMBERS, 0, number % NUMBERS, None))
            except LwM2MError:
                continue
            records += [record for record in found if not isinstance(record.value, float) or is_finite(record.value)]
        return records

    def _put(self, kind, records, rtc_ms, subject=0):
        if not records:
            return
        payload = senml.encode_cbor(records, self._clock.stamp_s(rtc_ms))
        self._queue.put(kind, payload, subject)
