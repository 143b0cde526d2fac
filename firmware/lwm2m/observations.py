"""Which observation is due: values against what was last told, under pmin, pmax, gt, lt, st, epmin and epmax.

Without I/O: `poll(now_ms)` says what to notify, `deadline_ms` when to ask again. Values are looked at once a second, or
less often where epmin says so; nothing in the lamp has to announce a change.
Source: OMA-TS-LightweightM2M_Core-V1_1 sections 5.1.2 and 6.4; RFC 7641 section 4.2 (an error ends an observation).
"""

from firmware.lwm2m.errors import LwM2MError
from firmware.lwm2m.operations import content, read, refusal
from firmware.lwm2m.values import is_number

EVALUATE_MS = 1000


class Observed:
    """What one observation is about. `handle` is the coap.observe.Observation that carries its notifications."""

    def __init__(self, handle, wanted, accept, composite):
        self.handle = handle
        self.wanted = wanted
        self.accept = accept
        self.composite = composite
        self.told = {}
        self.told_ms = 0
        self.evaluate_ms = 0

    def tell(self, records, now_ms):
        """Remember what the server is told now."""
        self.told = {record.path: record.value for record in records}
        self.told_ms = now_ms


class Observations:
    """All observations of the one server. How many there may be and when one ends is `coap.observe`'s to say."""

    def __init__(self, tree, attributes):
        self._tree = tree
        self._attributes = attributes
        self._open = []

    def open(self, handle, wanted, accept, composite, records, now_ms):
        """Start an observation of the paths `wanted`; `records` are what the response to it tells."""
        observed = Observed(handle, wanted, accept, composite)
        observed.tell(records, now_ms)
        observed.evaluate_ms = now_ms + self._periods(observed)["evaluate"]
        self._open.append(observed)

    def deadline_ms(self):
        """When `poll` wants to be called, None without observations."""
        return min([observed.evaluate_ms for observed in self._open]) if self._open else None

    def poll(self, now_ms):
        """[(handle, Message)] to notify now; an error answer ends its observation. What is returned counts as told: a
        notification that is lost is repeated by CoAP, or is followed by a newer one."""
        self._open = [observed for observed in self._open if observed.handle.is_active]
        due = []
        for observed in self._open:
            if now_ms < observed.evaluate_ms:
                continue
            periods = self._periods(observed)
            observed.evaluate_ms = now_ms + periods["evaluate"]
            try:
                message = self._evaluate(observed, periods, now_ms)
            except LwM2MError as error:
                message = refusal(error)
            if message is not None:
                due.append((observed.handle, message))
        return due

    def _evaluate(self, observed, periods, now_ms):
        """The notification that is due, or None. Raises LwM2MError when what is observed cannot be read any more."""
        records = read(self._tree, observed.wanted, observed.composite)
        silent_ms = now_ms - observed.told_ms
        overdue = periods["pmax"] is not None and silent_ms >= periods["pmax"]
        if overdue or (silent_ms >= periods["pmin"] and self._differ(observed, records)):
            observed.tell(records, now_ms)
            return content(self._tree, observed.wanted, records, observed.accept, observed.composite)
        return None

    def _periods(self, observed):
        """Milliseconds: pmin, pmax (or None), evaluate. Of several paths the strictest counts."""
        pmin = evaluate = 0
        pmax = None
        for path in observed.wanted:
            rules = self._attributes.rules(path)
            pmin = max(pmin, rules.get("pmin", 0) * 1000)
            evaluate = max(evaluate, rules.get("epmin", 0) * 1000)
            if "pmax" in rules:
                pmax = rules["pmax"] * 1000 if pmax is None else min(pmax, rules["pmax"] * 1000)
        if pmax is not None:
            evaluate = min(evaluate, pmax)
        return {"pmin": pmin, "pmax": pmax, "evaluate": max(evaluate, EVALUATE_MS)}

    def _differ(self, observed, records):
        """Whether any value differs from what was told by enough to be told."""
        if len(records) != len(observed.told):
            return True
        for record in records:
            if record.path not in observed.told:
                return True
            if _matters(self._attributes.rules(record.path), observed.told[record.path], record.value):
                return True
        return False


def _matters(rules, told, value):
    """Whether going from `told` to `value` is to be told: any change, or by the thresholds where there are some."""
    if not is_number(value) or not ("gt" in rules or "lt" in rules or "st" in rules):
        return told != value
    if "st" in rules and abs(value - told) >= rules["st"]:
        return True
    if "gt" in rules and (told > rules["gt"]) != (value > rules["gt"]):
        return True
    return "lt" in rules and (told < rules["lt"]) != (value < rules["lt"])
