"""Drawing on a plane with a frame and an axis below: what both figures of the report share.

Made as elements, not as text, so that nothing that a board says of itself can become markup. Colours are classes; the
page's style gives them, dark and light. The plane is narrow, so that its letters stay readable on a telephone.
"""

import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass

WIDTH = 440.0
LEFT = 36.0
RIGHT = 10.0
BELOW = 34.0


@dataclass(frozen=True)
class Scale:
    """Values `low`..`high` on points `start`..`end`; outside they are held at the edge."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return round(self.start + share * (self.end - self.start), 1)


def horizontal(low: float, high: float) -> Scale:
    return Scale(low, high, LEFT, WIDTH - RIGHT)


def figure(title: str, description: str, height: float, identifier: str) -> ET.Element:
    """An image with a name and its content in words, for whoever does not see it."""
    svg = ET.Element("svg", viewBox=f"0 0 {WIDTH:g} {height:g}", role="img")
    svg.set("aria-labelledby", f"{identifier}-t {identifier}-d")
    ET.SubElement(svg, "title", id=f"{identifier}-t").text = title
    ET.SubElement(svg, "desc", id=f"{identifier}-d").text = description
    return svg


def text(svg: ET.Element, x: float, y: float, words: str, anchor: str = "middle", kind: str = "") -> None:
    element = ET.SubElement(svg, "text", {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor})
    if kind:
        element.set("class", kind)
    element.text = words


def line(svg: ET.Element, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
    ET.SubElement(svg, "line", {"x1": f"{x1:g}", "y1": f"{y1:g}", "x2": f"{x2:g}", "y2": f"{y2:g}", "class": kind})


def flag(svg: ET.Element, x: float, top: float, bottom: float, words: str, kind: str) -> None:
    """A line with its words on the side that has more room."""
    line(svg, x, top, x, bottom, kind)
    is_right = x > WIDTH / 2
    text(svg, x - 4 if is_right else x + 4, top + 9, words, "end" if is_right else "start", kind)


def axis(svg: ET.Element, scale: Scale, y: float, label: str) -> None:
    line(svg, scale.start, y, scale.end, y, "axis")
    for value in ticks(scale.low, scale.high):
        x = scale.at(value)
        line(svg, x, y, x, y + 4, "axis")
        text(svg, x, y + 16, f"{value:.6g}")
    text(svg, (scale.start + scale.end) / 2, y + 30, label)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers in low..high: steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def markup(svg: ET.Element) -> str:
    return ET.tostring(svg, encoding="unicode")
