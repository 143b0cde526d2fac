"""Latency: from the operator's click to the light, and from the lamp's network to the light."""

import random

from hil.bench import Bench
from hil.checks.common import a_moment, command, on_each_board, quiet, sample
from hil.effort import Effort
from hil.limits import of
from hil.measurement import Measurement, Sample
from hil.street.impairment import Rules

LEVELS = (20, 60)
# A mobile network behind a NAT, on a bad day.
LOSSY = Rules(drop=0.05, delay_ms=20, jitter_ms=15)


def measure(bench: Bench, effort: Effort) -> list[Measurement]:
    """On a good network, one command at a time: what one lamp needs, and not what a crowd makes of the computer."""
    asked, received, overrides = [], [], {}
    chance = random.Random("bench/latency")
    for turn in range(effort.latency):
        board = turn % len(bench.stands)
        level = LEVELS[turn // len(bench.stands) % 2]
        a_moment(chance)
        seen = command(bench, board, level)
        overrides[board] = seen.override
        asked.append(sample(bench, board, seen.asked, seen.changed_ns, level=level))
        if seen.handed_ns is not None:
            received.append(sample(bench, board, bench.instrument.stamp(seen.handed_ns), seen.changed_ns, level=level))
    quiet(bench, overrides)
    return [
        Measurement("override", of("override"), tuple(asked)),
        Measurement("received", of("received"), tuple(received)),
    ]


def lossy(bench: Bench, effort: Effort) -> list[Measurement]:
    """Behind 5 % loss each way, all boards side by side."""
    overrides: dict[int, int] = {}

    def one(board: int, chance: random.Random, turn: int) -> Sample:
        a_moment(chance)
        level = LEVELS[turn % 2]
        seen = command(bench, board, level)
        overrides[board] = seen.override
        # The next command must not find this one still unanswered: a lamp has one at a time.
        bench.desk.becomes(seen.override, board)
        return sample(bench, board, seen.asked, seen.changed_ns, level=level)

    bench.network.impair(LOSSY, LOSSY)
    try:
        samples = on_each_board(bench, effort.latency, one)
    finally:
        bench.network.impair(Rules(), Rules())
    quiet(bench, overrides)
    return [Measurement("override-lossy", of("override-lossy"), tuple(samples))]


def garbage(bench: Bench, effort: Effort) -> list[Measurement]:
    """Each command goes out amid empty datagrams, noise, and torn CoAP, of strangers."""
    samples = []
    chance = random.Random("bench/garbage")
    overrides = {}
    for turn in range(effort.samples):
        board = turn % len(bench.stands)
        level = LEVELS[turn // len(bench.stands) % 2]
        for _ in range(chance.randrange(1, 20)):
            bench.network.inject(board, rubbish(chance))
        seen = command(bench, board, level)
        overrides[board] = seen.override
        begin = seen.asked if seen.handed_ns is None else bench.instrument.stamp(seen.handed_ns)
        samples.append(sample(bench, board, begin, seen.changed_ns, level=level))
    quiet(bench, overrides)
    return [Measurement("garbage", of("garbage"), tuple(samples))]


def rubbish(chance: random.Random) -> bytes:
    """A datagram that no lamp should care for; one in four is empty, the ESP32's worst."""
    kind = chance.randrange(4)
    if kind == 0:
        return b""
    body = chance.randbytes(chance.randrange(1, 200))
    if kind == 1:
        return body
    # A CoAP header (RFC 7252 section 3) with a method, before noise that cannot be its options.
    return bytes((0x40 | chance.randrange(9), chance.randrange(1, 5))) + body
