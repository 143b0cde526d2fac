"""The dimming output at rest: its duty against the level that was asked for, and its frequency where it pulses."""

import random
import time

from hil import light
from hil.analysis.pwm import pwm
from hil.bench import Bench
from hil.checks.common import PATIENCE_S, on_each_board, quiet
from hil.edges import EdgeTrace
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample
from hil.patience import pause

# Half a percent is no command; a slow fade from dark to 1 % holds it for long enough on its way.
HALF, HALF_FADE_S = 0.5, 40.0
AROUND_HALF = (0.46, 0.54)
LEVELS = (HALF, 1, 10, 50, 90, 99, 100)
MINIMUM = "/3416/0/37"  # Outdoor lamp controller, minimum dimming level (%): what its driver cannot go below
# At 1 kHz 1,000 periods and some.
WATCH_NS = 1_300_000_000


def measure(bench: Bench, effort: Effort) -> list[Measurement]:
    """Every level on every board; those that a lamp is set not to go below are its minimum."""
    overrides: dict[int, int] = {}

    def one(board: int, chance: random.Random, turn: int) -> tuple[Sample, Sample | None]:
        level = LEVELS[turn]
        least = int(bench.desk.resources(board, MINIMUM)[MINIMUM])
        if level == HALF and least <= HALF:
            start_ns, end_ns = _half(bench, board, overrides)
        else:
            start_ns, end_ns = _whole(bench, board, max(1, round(level)), max(level, least), overrides)
        pulses = bench.instrument.trace(bench.stands[board].channel, start_ns).between(start_ns, end_ns)
        return _judged(bench, board, max(level, least), pulses, end_ns)

    found = on_each_board(bench, len(LEVELS) * len(bench.stands), one)
    quiet(bench, overrides)
    measured = [Measurement("duty", of("duty"), tuple(duty for duty, _ in found))]
    frequencies = tuple(frequency for _, frequency in found if frequency is not None)
    if bench.pwm_hz is not None:
        measured.append(Measurement("pwm-frequency", of("pwm-frequency"), frequencies))
    return measured


def _whole(bench: Bench, board: int, asked: int, level: float, overrides: dict[int, int]) -> tuple[int, int]:
    """The stretch in which a board that was asked for a level has the one that comes of it."""
    overrides[board] = bench.desk.override(board, asked)
    reached_ns = light.reached(bench, board, level / 100, light.now_ns(bench), PATIENCE_S)
    start_ns = light.now_ns(bench) if reached_ns is None else reached_ns
    pause(time.monotonic_ns() + WATCH_NS + light.LOOK_EVERY_NS)
    # What leads to the level is not the level.
    return start_ns + light.LOOK_EVERY_NS // 2, start_ns + WATCH_NS


def _half(bench: Bench, board: int, overrides: dict[int, int]) -> tuple[int, int]:
    """When a fade from dark to 1 % is at half a percent."""
    overrides[board] = bench.desk.override(board, 0)
    light.reached(bench, board, 0.0, light.now_ns(bench), PATIENCE_S)
    asked_ns = light.now_ns(bench)
    overrides[board] = bench.desk.override(board, 1, fade_s=HALF_FADE_S)
    bench.desk.becomes(overrides[board], board, deadline_s=PATIENCE_S)
    first, last = (asked_ns + round(share * HALF_FADE_S * 1e9) for share in AROUND_HALF)
    pause(time.monotonic_ns() + last - light.now_ns(bench) + light.LOOK_EVERY_NS)
    return first, last


def _judged(bench: Bench, board: int, level: float, trace: EdgeTrace, end_ns: int) -> tuple[Sample, Sample | None]:
    name, at_ms = bench.stands[board].name, bench.clock.utc_ms(time.monotonic_ns())
    facts: dict[str, object] = {"level": level}
    if bench.pwm_hz is None:
        ends = (*trace.t_ns[1:], end_ns)
        shares = zip(trace.level, trace.t_ns, ends, strict=True)
        duty = sum(share * (until - since) for share, since, until in shares) / (end_ns - trace.t_ns[0])
        return Sample(abs(duty * 100 - level), 0.0, name, at_ms, trace, facts={**facts, "duty": duty}), None
    found = pwm(trace, end_ns, least_periods=round(bench.pwm_hz * (end_ns - trace.t_ns[0]) / 1e9 * 0.9))
    duty_sample = Sample(
        abs(found.duty * 100 - level), found.uncertainty * 100, name, at_ms, trace, facts={**facts, "duty": found.duty}
    )
    if found.frequency_hz is None or found.uncertainty_hz is None:
        return duty_sample, None
    off = abs(found.frequency_hz / bench.pwm_hz - 1) * 100
    doubt = found.uncertainty_hz / bench.pwm_hz * 100
    return duty_sample, Sample(off, doubt, name, at_ms, trace, facts={**facts, "frequency_hz": found.frequency_hz})
