"""Notification attributes: what a server wrote about when it wants to hear of a change.

Source: OMA-TS-LightweightM2M_Core-V1_1 section 5.1.2 (pmin, pmax, gt, lt, st, epmin, epmax and their inheritance:
object, instance, resource, resource instance; the closest one counts).

They live in RAM: a server that wants observations after a restart of the lamp observes again, and writes them again.
"""

from contract.paths import Path, covers
from firmware.lwm2m.errors import BadRequest, Unavailable
from firmware.lwm2m.formats import parse_float, parse_integer

PERIODS = ("pmin", "pmax", "epmin", "epmax")
THRESHOLDS = ("gt", "lt", "st")
NAMES = ("pmin", "pmax", "gt", "lt", "st", "epmin", "epmax")

PATHS = 32  # A server that writes to more is attended to after it has removed some; each costs about 150 bytes of heap.
PERIOD_S_HIGH = 0xFFFFFFFF


class Attributes:
    """`defaults()` gives {"pmin": s, "pmax": s} of the server object (/1/0/2 and /1/0/3), absent when it has none."""

    def __init__(self, defaults=dict):
        self._defaults = defaults
        self._own = {}

    def own(self, path):
        """{name: number} written to exactly this path."""
        return self._own.get(path, {})

    def effective(self, path):
        """{name: number} that count for this path, inherited ones included, without the defaults of the server."""
        values = {}
        for depth in range(1, 5):
            prefix = tuple(path)[:depth]
            if prefix[-1] is not None:
                values.update(self.own(Path(*(prefix + (None,) * (4 - depth)))))
        return values

    def rules(self, path):
        """`effective`, completed by the defaults and freed of what section 5.1.2 says to ignore."""
        values = {}
        values.update(self._defaults())
        values.update(self.effective(path))
        for low, high in (("pmin", "pmax"), ("epmin", "epmax")):
            if values.get(high, 0) <= 0 or values[high] < values.get(low, 0):
                values.pop(high, None)
        return values

    def write(self, path, queries, numeric):
        """Take the queries of a Write-Attributes ("pmin=10"; "pmin" removes it). `numeric`: the path is one number.

        Raises BadRequest and changes nothing when one of them is wrong, Unavailable when too many paths have some.
        """
        values = {}
        values.update(self.own(path))
        for query in queries:
            name, _, text = query.partition("=")
            if name not in NAMES:
                raise BadRequest("'%s' is no attribute; use %s" % (name[:16], ", ".join(NAMES)), path)
            if name in THRESHOLDS and not numeric:
                raise BadRequest("%s is for resources that hold a number" % name, path)
            if text:
                values[name] = _parse(name, text, path)
            else:
                values.pop(name, None)
        _check_order(values, path)
        if values and path not in self._own and len(self._own) >= PATHS:
            raise Unavailable("%d paths have attributes already; remove some" % PATHS, path)
        if values:
            self._own[path] = values
        else:
            self._own.pop(path, None)

    def forget(self, prefix):
        """Drop what was written to `prefix` and below: an instance was deleted, or the server has changed."""
        for path in [path for path in self._own if covers(prefix, path)]:
            del self._own[path]


def _parse(name, text, path):
    try:
        value = parse_integer(text) if name in PERIODS else parse_float(text)
    except ValueError:
        raise BadRequest(
            "%s=%s is no %s" % (name, text[:16], "number of seconds" if name in PERIODS else "number"), path
        ) from None
    if name in PERIODS and not 0 <= value <= PERIOD_S_HIGH:
        raise BadRequest("%s is 0 to %d seconds" % (name, PERIOD_S_HIGH), path)
    if name == "st" and value <= 0:
        raise BadRequest("st must be above 0", path)
    return value


def _check_order(values, path):
    if "lt" in values and "gt" in values and values["lt"] + 2 * values.get("st", 0) >= values["gt"]:
        raise BadRequest("lt + 2 st must be below gt", path)
