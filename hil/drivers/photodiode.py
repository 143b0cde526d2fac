"""A photodiode with its amplifier at the probe's ADC (GP26 of a Pico): light against time."""

from hil.drivers.probe import Probe
from hil.errors import InstrumentFailed
from hil.seams import Waveform

PERIOD_NS = 50_000  # 20 kHz: twenty samples of a 1 kHz dimming
MOST_SAMPLES = 20_000  # what the probe has room for
SLOWEST_NS = 1_000_000
SATURATED = 0.995


class Photodiode:
    """Long measurements are sampled more slowly: up to 1 s at 20 kHz, up to 20 s at 1 kHz."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def waveform(self, duration_s: float) -> Waveform:
        """Raises InstrumentFailed when the light is too bright for the amplifier, or the probe cannot sample."""
        count = min(MOST_SAMPLES, round(duration_s * 1e9 / PERIOD_NS))
        period_ns = round(duration_s * 1e9 / max(count, 1))
        if not count or period_ns > SLOWEST_NS:
            longest_s = MOST_SAMPLES * SLOWEST_NS / 1e9
            raise ValueError(f"{duration_s} s: a waveform is {PERIOD_NS / 1e9:g} to {longest_s:g} s long")
        found = self._probe.sample(period_ns, count)
        if max(found.level) > SATURATED:
            raise InstrumentFailed(
                "the photodiode is saturated", "move it away from the light, or lower the amplifier's gain"
            )
        return found

    def close(self) -> None:
        """The probe is closed by who opened it."""
