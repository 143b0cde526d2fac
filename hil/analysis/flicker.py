"""Flicker of a light: how deep, of what shape, how fast.

Percent flicker is 100 (max - min) / (max + min) of one cycle, 0..100; flicker index is the area above the mean divided
by the whole area of one cycle, 0..1. Source: ANSI/IES LS-1-22 "Lighting Science: Nomenclature and Definitions", 5.9.9
(before: IES RP-16); the same as IEC 60050-845:2020, 845-22-094. Neither knows of the frequency, so it stands beside.

One cycle is the mean of all: that takes the sensor's noise out, and what does not repeat with it. Light that does not
repeat stands out of the noise by less than `uncertainty` says.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize  # type: ignore[import-untyped]

from hil.analysis.pwm import Pwm
from hil.analysis.statistics import Array, finite
from hil.seams import Waveform

LEAST_SAMPLES = 256
# Fewer cycles than this are a light that changes and not one that flickers.
LEAST_CYCLES = 5
# The lowest frequency that is half as strong as the strongest: narrow pulses have overtones as strong as themselves.
FUNDAMENTAL = 0.5
# One false alarm in a thousand recordings of a steady light.
FALSE_ALARM = 0.001


@dataclass(frozen=True)
class Flicker:
    """`percent` 0..100 and `index` 0..1, each true within plus or minus its uncertainty (95 %). `frequency_hz` is None
    for a light in which nothing repeats that noise would not hide; the uncertainty then is that of a sine."""

    percent: float
    percent_uncertainty: float
    index: float
    index_uncertainty: float
    frequency_hz: float | None
    uncertainty_hz: float | None


def flicker(waveform: Waveform) -> Flicker:
    """Raises ValueError for fewer than 256 samples, a dark light, and one that flickers too fast for the sensor."""
    level = finite(waveform.level, LEAST_SAMPLES, "flicker")
    mean = float(level.mean())
    if mean <= waveform.uncertainty:
        raise ValueError("the light is dark; switch it on, and see whether the sensor lies under it")
    amplitude, noise = _spectrum(level)
    strongest = float(amplitude.max())
    # The largest of so many squares of noise (exponential) exceeds this once in a thousand recordings.
    seen = noise * math.sqrt(math.log(amplitude.size / FALSE_ALARM) / math.log(2))
    if strongest <= max(seen, 1e-9 * mean):
        hidden = max(seen, waveform.uncertainty / math.sqrt(level.size)) / mean
        return Flicker(0.0, 100 * hidden, 0.0, hidden / math.pi, None, None)
    place = LEAST_CYCLES + _fundamental(amplitude, max(FUNDAMENTAL * strongest, seen))
    cycles_a_sample, doubt = _frequency(level - mean, place, noise / float(amplitude[place - LEAST_CYCLES]))
    if cycles_a_sample > 0.25:
        raise ValueError("the light flickers with less than 4 samples in a cycle; sample faster")
    phase = (np.arange(level.size, dtype=np.float64) * cycles_a_sample) % 1.0
    percent, percent_doubt, scatter = _percent(level, phase, cycles_a_sample)
    whole = round(math.floor(level.size * cycles_a_sample) / cycles_a_sample)
    index, index_doubt = _index(level[:whole], phase, scatter)
    rate = 1e9 / waveform.period_ns
    return Flicker(percent, percent_doubt, index, index_doubt, cycles_a_sample * rate, doubt * rate)


def of_pulses(output: Pwm) -> Flicker:
    """Of a light that follows a dimming output at once: full on or off, which is all of 100 percent, and an index of
    1 - duty, the pulse's part above the mean. Raises ValueError for an output that is always off."""
    if output.duty == 0:
        raise ValueError("the output is off; there is no light to flicker")
    if output.frequency_hz is None:
        return Flicker(0.0, 0.0, 0.0, output.uncertainty, None, None)
    return Flicker(100.0, 0.0, 1 - output.duty, output.uncertainty, output.frequency_hz, output.uncertainty_hz)


def _spectrum(level: Array) -> tuple[Array, float]:
    """Amplitudes (of a sine, in the level's unit) from LEAST_CYCLES cycles a record on, and their median: noise."""
    window = np.hanning(level.size)
    amplitude = 2 * np.abs(np.fft.rfft((level - level.mean()) * window))[LEAST_CYCLES:] / window.sum()
    return amplitude, float(np.median(amplitude))


def _fundamental(amplitude: Array, least: float) -> int:
    peak = np.ones(amplitude.size, dtype=np.bool_)
    peak[1:] &= amplitude[1:] >= amplitude[:-1]
    peak[:-1] &= amplitude[:-1] >= amplitude[1:]
    return int(np.flatnonzero(peak & (amplitude >= least))[0])


def _frequency(level: Array, place: int, noise: float) -> tuple[float, float]:
    """Cycles a sample, between the places of the spectrum, and its half width."""
    count = level.size
    windowed, number = level * np.hanning(count), np.arange(count)

    def weakness(cycles: float) -> float:
        return -float(np.abs(np.exp(-2j * np.pi * cycles / count * number) @ windowed))

    best = optimize.minimize_scalar(weakness, bounds=(place - 1, place + 1), method="bounded", options={"xatol": 1e-6})
    # Noise moves the peak by about its share of it, in places; overtones and a record that ends amid a cycle by little.
    return float(best.x) / count, (2 * noise + 5e-3) / count


def _percent(level: Array, phase: Array, cycles_a_sample: float) -> tuple[float, float, float]:
    """Percent flicker of the mean cycle, its half width, and how far single samples are from that cycle."""
    bins = int(min(512, max(8, round(1 / cycles_a_sample)), level.size // 8))
    # Middles of bins lie at whole multiples: samples that fall on the same phases in each cycle stay in one.
    where = np.rint(phase * bins).astype(np.int64) % bins
    count = np.bincount(where, minlength=bins)
    total, square = (np.bincount(where, weights=level**power, minlength=bins) for power in (1, 2))
    full = count > 1
    mean = total[full] / count[full]
    variance = np.maximum(square[full] / count[full] - mean**2, 0) * count[full] / (count[full] - 1)
    noise = float(np.median(np.sqrt(variance / count[full])))
    top, bottom = int(mean.argmax()), int(mean.argmin())
    # The largest of many noisy means is too large, by up to twice this many of its errors.
    excess = math.sqrt(2 * math.log(mean.size)) / 2
    high, low = float(mean[top]) - excess * noise, max(0.0, float(mean[bottom]) + excess * noise)
    # Between two samples a crest is not seen: of a sine, or of one as pointed as its gentler side.
    crest = (1 - math.cos(math.pi / bins)) * (high - low) / 2
    doubt_high, doubt_low = ((excess + 2) * noise + crest + _gentler(mean, place) for place in (top, bottom))
    percent = 100 * max(0.0, high - low) / (high + low)
    return (
        percent,
        200 * math.hypot(low * doubt_high, high * doubt_low) / (high + low) ** 2,
        float(np.median(np.sqrt(variance))),
    )


def _gentler(mean: Array, place: int) -> float:
    """A bit over half of what is lost two bins away, on the side where that is less: what a pointed crest loses at the
    most to being averaged over its bin, wherever in the bin it lies (rectified mains has such a one at its bottom)."""
    return float(np.abs(mean[[place - 2, (place + 2) % mean.size]] - mean[place]).min()) * 0.6


def _index(level: Array, phase: Array, scatter: float) -> tuple[float, float]:
    """Flicker index over whole cycles, and its half width: noise, and edges that lie between two samples."""
    middle = float(level.mean())
    index = float(np.maximum(level - middle, 0).mean()) / middle
    # Noise around the mean counts where it is above it (0.4 of its deviation) and never where it is below.
    near = float((np.abs(level - middle) <= 2 * scatter).mean())
    noise = (0.4 * near + 2 / math.sqrt(level.size)) * scatter / middle
    between = np.diff(np.sort(phase), prepend=0.0, append=1.0).max() * float(np.ptp(level)) / middle
    return index, noise + float(between)
