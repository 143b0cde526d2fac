"""The figures of the report: how the samples lie under their limit, and what the light did at the worst of them. Pure:
values in, SVG text out. What is drawn has as many points as the figure has room, however long the trace is."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from itertools import pairwise

from hil.edges import EdgeTrace
from hil.report import svg
from hil.verdict import amount

BINS = 40
PLOT = 120.0
ROW = 13.0
COLUMNS = 400
NS_IN_MS = 1_000_000
# A limit that is further away than so many times the width of the samples would squeeze them into one bar.
FAR = 4.0
# A trace this many times longer than the time between its marks is shown around them only.
LONG = 20


def histogram(
    values: Sequence[float],
    unit: str,
    limits: Mapping[str, float],
    quantiles: Mapping[str, float],
    identifier: str,
    title: str,
) -> str:
    """Of at least one finite value. `limits` and `quantiles` are lines with these names, each in a row of its own."""
    low, high = _range(values, list(limits.values()))
    flags = [
        (value, f"limit {name} {amount(value)}", "limit", value < low or value > high) for name, value in limits.items()
    ] + [(value, f"{name} {amount(value)}", "quantile", False) for name, value in quantiles.items()]
    # From both edges inwards: so no line of one row runs through the words of a later one.
    middle = (low + high) / 2
    flags = sorted(flag for flag in flags if flag[0] <= middle) + sorted(
        (flag for flag in flags if flag[0] > middle), reverse=True
    )
    top = ROW * len(flags) + 6
    bottom = top + PLOT
    counts = _counts(values, low, high)
    described = "; ".join([f"{len(values)} samples, {amount(min(values), unit)} to {amount(max(values), unit)}"]
                          + [words for _, words, _, _ in flags])  # fmt: skip
    drawn = svg.figure(title, described, bottom + svg.BELOW, identifier)
    across, up = svg.horizontal(low, high), svg.Scale(0, max(counts), bottom, top)
    width = (across.end - across.start) / BINS
    for place, count in enumerate(counts):
        if count:
            # One sample among ten thousand is the one that matters: it is drawn two points high at least.
            y = min(up.at(count), bottom - 2)
            ET.SubElement(drawn, "rect", {"x": f"{across.start + place * width:.1f}", "y": f"{y:g}",
                                          "width": f"{max(1.0, width - 1):.1f}", "height": f"{bottom - y:.1f}",
                                          "class": "bar"})  # fmt: skip
    for row, (value, words, kind, is_outside) in enumerate(flags):
        beyond = (" →" if value > high else " ←") if is_outside else ""
        svg.flag(drawn, across.at(value), 2 + row * ROW, bottom, words + beyond, f"{kind} beyond" if beyond else kind)
    svg.text(drawn, svg.LEFT - 4, top + 9, str(max(counts)), "end")
    svg.text(drawn, svg.LEFT - 4, bottom, "0", "end")
    svg.axis(drawn, across, bottom, unit)
    return svg.markup(drawn)


def waveform(trace: EdgeTrace, marks: Mapping[str, int], identifier: str, title: str) -> str:
    """Level against time since the first mark (or the first edge), ms. Empty for a trace without edges."""
    if not trace.t_ns:
        return ""
    start, end = _window(trace, marks)
    origin = min([*marks.values()] or [trace.t_ns[0]])
    shown = {name: at for name, at in sorted(marks.items(), key=lambda mark: mark[1]) if start <= at <= end}
    top = ROW * len(shown) + 8
    bottom = top + PLOT
    seen = trace.between(start, end + 1)
    described = (
        f"{trace.source or trace.channel}: {len(seen)} levels in {amount((end - start) / NS_IN_MS, 'ms')}, "
        f"stamps true within ± {amount(trace.uncertainty_ns / NS_IN_MS, 'ms')}"
        + "".join(f"; {name} at {amount((at - origin) / NS_IN_MS, 'ms')}" for name, at in shown.items())
    )
    drawn = svg.figure(title, described, bottom + svg.BELOW, identifier)
    across = svg.horizontal((start - origin) / NS_IN_MS, (end - origin) / NS_IN_MS)
    up = svg.Scale(0.0, 1.0, bottom, top)
    for level in (0, 50, 100):
        svg.line(drawn, across.start, up.at(level / 100), across.end, up.at(level / 100), "grid")
        svg.text(drawn, svg.LEFT - 4, up.at(level / 100) + 4, f"{level} %", "end")
    if len(seen) <= COLUMNS:
        ET.SubElement(drawn, "path", {"d": _steps(seen, end, origin, across, up), "class": "wave"})
    else:
        band, mean = _columns(seen, start, end, across, up)
        ET.SubElement(drawn, "path", {"d": band, "class": "band"})
        ET.SubElement(drawn, "path", {"d": mean, "class": "wave"})
    for row, (name, at) in enumerate(shown.items()):
        words = f"{name} {amount((at - origin) / NS_IN_MS, 'ms')}"
        svg.flag(drawn, across.at((at - origin) / NS_IN_MS), 2 + row * ROW, bottom, words, "mark")
    svg.axis(drawn, across, bottom, "ms")
    return svg.markup(drawn)


def _range(values: Sequence[float], limits: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    width = (high - low) or abs(high) or 1.0
    near = [limit for limit in limits if low - FAR * width <= limit <= high + FAR * width]
    low, high = min([low, *near]), max([high, *near])
    edge = 0.03 * ((high - low) or width)
    return low - edge, high + edge


def _counts(values: Sequence[float], low: float, high: float) -> list[int]:
    counts = [0] * BINS
    for value in values:
        counts[min(BINS - 1, int((value - low) / (high - low) * BINS))] += 1
    return counts


def _window(trace: EdgeTrace, marks: Mapping[str, int]) -> tuple[int, int]:
    first, last = min([trace.t_ns[0], *marks.values()]), max([trace.t_ns[-1], *marks.values()])
    span = max(marks.values()) - min(marks.values()) if marks else 0
    if span and (last - first) > LONG * span:
        first, last = max(first, min(marks.values()) - 2 * span), min(last, max(marks.values()) + 2 * span)
    # The last level stays in force: without room behind its edge it could not be seen.
    edge = max(1, (last - first) // 20)
    return first - edge, last + edge


def _steps(trace: EdgeTrace, end: int, origin: int, across: svg.Scale, up: svg.Scale) -> str:
    points = []
    for place, (at, level) in enumerate(zip(trace.t_ns, trace.level, strict=True)):
        points.append(f"{'H' if place else 'M'}{across.at((at - origin) / NS_IN_MS):g}")
        points.append(f"V{up.at(level):g}" if place else f" {up.at(level):g}")
    return "".join(points) + f"H{across.at((end - origin) / NS_IN_MS):g}"


def _columns(trace: EdgeTrace, start: int, end: int, across: svg.Scale, up: svg.Scale) -> tuple[str, str]:
    """A band from the lowest to the highest level of each column, and the mean (of a PWM: the duty) over it."""
    width = (end - start) / COLUMNS
    x = [across.start + (across.end - across.start) * (column + 0.5) / COLUMNS for column in range(COLUMNS)]
    lows, highs, means, drawn = [], [], [], []
    for column in range(COLUMNS):
        begin, until = start + round(column * width), start + round((column + 1) * width)
        part = trace.between(begin, until)
        if not part.t_ns:
            continue
        moments = [*part.t_ns, until]
        spans = [later - earlier for earlier, later in pairwise(moments)]
        weighed = sum(span * level for span, level in zip(spans, part.level, strict=True))
        drawn.append(x[column])
        lows.append(up.at(min(part.level)))
        highs.append(up.at(max(part.level)))
        means.append(up.at(weighed / (sum(spans) or 1)))
    upper = "L".join(f"{at:.1f} {y:g}" for at, y in zip(drawn, highs, strict=True))
    lower = "L".join(f"{at:.1f} {y:g}" for at, y in zip(reversed(drawn), reversed(lows), strict=True))
    mean = "L".join(f"{at:.1f} {y:g}" for at, y in zip(drawn, means, strict=True))
    return f"M{upper}L{lower}Z", f"M{mean}"
