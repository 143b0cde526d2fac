"""What can go wrong with a board on a bench, by name. Everything random comes from a seed.

A fault is written `name` or `name:key=value,key=value`:

| fault | meaning |
|---|---|
| `unplug` | the cable is pulled after `command=N`, `bytes=N` written or `sectors=N` erased; `back=1`: and put back |
| `brownout` | the same, but only the chip's supply dips: it restarts, the cable stays |
| `hang` | after `command=N` the chip answers nothing until it is plugged in again |
| `corrupt` | one byte in `every=N` is damaged, `to=chip` or `to=host`, at most `times=N` times |
| `no_sync` | the boot pin is not held: no SYNC is ever answered (`times=N`: only the first N are missed) |
| `slow` | each answer comes `ms=N` later |
| `claims` | the flash chip says it has `mb=N` megabytes, whatever it has |
| `no_flash` | the flash chip does not answer |
"""

import random


def parse(text):
    """`(name, {key: value})`; ValueError names what is not understood."""
    name, _, rest = text.partition(":")
    allowed = KEYS.get(name)
    if allowed is None:
        raise ValueError(f"no fault is called {name!r}; there are {', '.join(sorted(KEYS))}")
    values = {}
    for pair in filter(None, rest.split(",")):
        key, _, value = pair.partition("=")
        if key not in allowed:
            raise ValueError(f"the fault {name} knows no {key!r}, only {', '.join(sorted(allowed)) or 'its name'}")
        values[key] = value if key == "to" else int(value)
    return name, values


_WHEN = {"command", "bytes", "sectors", "back"}
KEYS = {
    "unplug": _WHEN,
    "brownout": _WHEN - {"back"},
    "hang": {"command"},
    "corrupt": {"every", "to", "times"},
    "no_sync": {"times"},
    "slow": {"ms"},
    "claims": {"mb"},
    "no_flash": set(),
}


class Faults:
    """The faults in force. One of each name; a fault that struck (unplug, brownout, hang) is gone."""

    def __init__(self, nor, registers, seed=0):
        self._nor = nor
        self._registers = registers
        self._chance = random.Random(seed)
        self._active = {}
        self._commands_left = {}
        self._until_damage = 0

    def set(self, text):
        name, values = parse(text)
        self._active[name] = values
        if name == "corrupt":
            self._until_damage = self._gap(values)
        if "command" in values:
            self._commands_left[name] = values["command"]
        if "bytes" in values:
            self._nor.bytes_left = values["bytes"]
        if "sectors" in values:
            self._nor.sectors_left = values["sectors"]
        self._apply()

    def clear(self):
        self._active.clear()
        self._commands_left.clear()
        self._nor.bytes_left = self._nor.sectors_left = None
        self._apply()

    def _apply(self):
        self._registers.answers = "no_flash" not in self._active
        mb = self._active.get("claims", {}).get("mb")
        self._registers.claimed_size = mb * 1024 * 1024 if mb else self._nor.size

    def strike(self):
        """Called with each command: the name of the fault that strikes instead of its answer, or None."""
        for name in list(self._commands_left):
            self._commands_left[name] -= 1
            if self._commands_left[name] <= 0:
                del self._commands_left[name]
                return name
        return None

    def power_fault(self):
        """Which fault it was when the power went in the middle of a write."""
        return "brownout" if "brownout" in self._active and "unplug" not in self._active else "unplug"

    def end(self, name):
        """It struck: its values."""
        return self._active.pop(name, {})

    def misses_sync(self):
        values = self._active.get("no_sync")
        if values is None:
            return False
        if "times" in values:
            values["times"] -= 1
            if values["times"] <= 0:
                del self._active["no_sync"]
        return True

    @property
    def delay_s(self):
        return self._active.get("slow", {}).get("ms", 0) / 1000

    def damage(self, data, to):
        """The bytes as they arrive on the other side of a bad cable."""
        values = self._active.get("corrupt")
        if values is None or values.get("to", to) != to:
            return data
        damaged = bytearray(data)
        at = self._until_damage
        while at < len(damaged) and values.get("times", 1) > 0:
            damaged[at] ^= 1 << self._chance.randrange(8)
            if "times" in values:
                values["times"] -= 1
            at += self._gap(values)
        self._until_damage = max(0, at - len(damaged))
        return bytes(damaged)

    def _gap(self, values):
        """Bytes up to the next damaged one: on average what the fault says."""
        return 1 + int(self._chance.expovariate(1 / values.get("every", 1000)))
