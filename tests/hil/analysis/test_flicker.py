"""Lights that flicker in a planted shape, depth and frequency, under a noisy sensor."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.analysis.flicker import Flicker, flicker, of_pulses
from hil.analysis.pwm import Pwm, pwm
from hil.seams import Waveform
from tests.hil.analysis.coverage import coverage
from tests.hil.analysis.synthetic import Eye, pulses, wave

CYCLE = np.arange(1000) / 1000
SHAPES = {
    "sine": 1 + 0.3 * np.sin(2 * np.pi * CYCLE),
    "deep": 1 + 0.95 * np.sin(2 * np.pi * CYCLE),
    "square": np.where(CYCLE < 0.3, 1.0, 0.4),
    "pulse": np.where(CYCLE < 0.1, 1.0, 0.02),
    "triangle": 0.5 + np.abs(CYCLE - 0.5),
    "mains": 0.2 + np.abs(np.sin(np.pi * CYCLE)),
}


def truth(shape: np.ndarray) -> tuple[float, float]:
    high, low, mean = shape.max(), shape.min(), shape.mean()
    return 100 * (high - low) / (high + low), float(np.maximum(shape - mean, 0).mean() / mean)


@pytest.mark.parametrize("noise", [0.002, 0.03])
@pytest.mark.parametrize("name", SHAPES)
def test_depth_shape_and_frequency_lie_within_their_uncertainty(name: str, noise: float) -> None:
    shape = SHAPES[name]
    percent, index = truth(shape)
    percents, indices, frequencies = [], [], []
    for seed in range(60):
        chance = np.random.default_rng(seed)
        frequency = float(chance.uniform(80, 400))
        found = flicker(wave(chance, shape, frequency, 20_000, 0.5, noise * shape.mean()))
        percents.append((found.percent, percent, found.percent_uncertainty))
        indices.append((found.index, index, found.index_uncertainty))
        frequencies.append((found.frequency_hz or 0.0, frequency, found.uncertainty_hz or 0.0))
    assert coverage(percents).share >= 0.95
    assert coverage(indices).share >= 0.95
    assert coverage(frequencies).share >= 0.95
    # Of 100 percent: a pointed crest falls between two samples of 50, and noise makes the rest.
    assert coverage(percents).median < 6
    assert coverage(percents).widest < 10
    assert coverage(indices).median < 0.01
    assert coverage(frequencies).widest < 0.04


@pytest.mark.parametrize("noise", [0.0, 0.002, 0.02, 0.05])
def test_a_steady_light_does_not_flicker_by_more_than_noise_hides(noise: float) -> None:
    found = [flicker(wave(np.random.default_rng(seed), np.ones(10), 100, 20_000, 0.5, noise)) for seed in range(100)]
    steady = [one for one in found if one.frequency_hz is None]
    assert len(steady) >= 99
    assert all(one.percent == 0 and one.index == 0 for one in steady)
    assert max(one.percent_uncertainty for one in steady) <= 10 * noise + 1e-6


def test_a_ripple_that_noise_would_hide_is_less_than_the_uncertainty_of_no_flicker() -> None:
    hidden = seen = 0
    for seed in range(60):
        chance = np.random.default_rng(seed)
        depth = float(chance.uniform(0.0005, 0.01))
        found = flicker(wave(chance, 1 + depth * np.sin(2 * np.pi * CYCLE), 137.0, 20_000, 0.5, 0.02))
        if found.frequency_hz is None:
            hidden += 1
            assert 100 * depth <= 1.5 * found.percent_uncertainty
        else:
            seen += 1
            assert found.frequency_hz == pytest.approx(137, abs=1)
    assert hidden > 5
    assert seen > 20


def test_overtones_as_strong_as_the_pulse_itself_do_not_deceive() -> None:
    shape = np.where(CYCLE < 0.02, 1.0, 0.0)
    for seed in range(20):
        chance = np.random.default_rng(seed)
        frequency = float(chance.uniform(60, 120))
        found = flicker(wave(chance, shape, frequency, 20_000, 0.5, 1e-4))
        assert found.frequency_hz == pytest.approx(frequency, abs=0.1)
        assert found.percent == pytest.approx(100, abs=found.percent_uncertainty + 1)


@settings(max_examples=40)
@given(st.floats(0.05, 0.9), st.floats(60, 600), st.integers(0, 2**32 - 1))
def test_any_sine_is_found_again(depth: float, frequency: float, seed: int) -> None:
    """Percent flicker of a sine is its depth, its index depth / pi."""
    chance = np.random.default_rng(seed)
    found = flicker(wave(chance, 1 + depth * np.sin(2 * np.pi * CYCLE), frequency, 20_000, 0.5, 0.005))
    assert abs(found.percent - 100 * depth) <= 2 * found.percent_uncertainty
    assert abs(found.index - depth / math.pi) <= 2 * found.index_uncertainty
    assert found.frequency_hz == pytest.approx(frequency, abs=0.1)


@given(st.floats(1e-3, 1e3))
def test_the_unit_of_light_does_not_matter(unit: float) -> None:
    one = wave(np.random.default_rng(1), SHAPES["sine"], 100, 10_000, 0.2, 0.01)
    other = Waveform(0, one.period_ns, tuple(unit * level for level in one.level), unit * one.uncertainty)
    assert flicker(other).percent == pytest.approx(flicker(one).percent)
    assert flicker(other).index == pytest.approx(flicker(one).index)


@pytest.mark.parametrize("duty", [0.01, 0.3, 0.99])
def test_pulses_are_all_flicker_and_their_index_is_what_they_leave_dark(duty: float) -> None:
    chance = np.random.default_rng(1)
    at, level = pulses(chance, 1000.0, duty, 1200)
    found = of_pulses(pwm(Eye().see(chance, at, level)))
    assert found.percent == 100
    assert found.index == pytest.approx(1 - duty, abs=found.index_uncertainty)
    assert found.frequency_hz == pytest.approx(1000, abs=found.uncertainty_hz)
    assert found.index == pytest.approx(truth(np.where(duty > CYCLE, 1.0, 0.0))[1], abs=0.001)


def test_a_full_output_does_not_flicker_and_a_dark_one_is_refused() -> None:
    full = Pwm(None, None, 1.0, 1e-5, 0, 0, None, None, None, None)
    assert of_pulses(full) == Flicker(0.0, 0.0, 0.0, 1e-5, None, None)
    with pytest.raises(ValueError, match="no light to flicker"):
        of_pulses(Pwm(None, None, 0.0, 1e-5, 0, 0, None, None, None, None))


def recorded(level: np.ndarray, uncertainty: float = 0.001) -> Waveform:
    return Waveform(0, 50_000, tuple(level.tolist()), uncertainty)


@pytest.mark.parametrize(
    ("waveform", "words"),
    [
        (recorded(np.ones(255)), "take at least 256"),
        (recorded(np.zeros(256)), "the light is dark"),
        (recorded(np.concatenate((np.ones(300), [math.nan]))), "sample 300 is no number"),
        (recorded(1 + 0.5 * np.sin(2 * np.pi * 0.3 * np.arange(1000))), "sample faster"),
    ],
)
def test_a_recording_that_shows_no_light_is_refused(waveform: Waveform, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        flicker(waveform)
