"""Programs in the little room that a lamp has for them: bytes, of which a `Program` is made while it is looked at.

`contract.schedule.pack` makes the bytes. Eight programs of eight steps take 1 KB so, 9 KB as tuples on the VM.
"""

import struct

from contract.schedule.model import CalendarRule, Date, Moment, Program, Step

# Of a program: priority, fade in ms, flags, how many steps and calendar rules follow, and bytes of the name at the end.
HEAD = "<iIBBBB"
# A step, and each end of an active period: kind (OPEN: none), minute, level.
STEP = "<BhB"
STEP_BYTES = 4
# Of a calendar rule: night, and how many ranges, days, months and weekdays follow.
RULE = "<BBBBB"
# A range: two dates, whose year is 0 for every year.
RANGE = "<HBBHBB"

OFF_WHEN_INACTIVE = 1
HAS_ACTIVE = 2
OPEN = 255


class Programs:
    """A sequence of `Program`, each made anew whenever it is asked for. `packed`: the bytes of each."""

    def __init__(self, packed):
        self._packed = packed

    def __len__(self):
        return len(self._packed)

    def __getitem__(self, position):
        return _unpack(self._packed[position])

    def __iter__(self):
        return map(_unpack, self._packed)

    def copy(self):
        """Return the same programs in memory of their own."""
        return Programs(tuple([bytes(memoryview(packed)) for packed in self._packed]))

    def name(self, position):
        """Return the name of one program."""
        packed = self._packed[position]
        return str(packed[len(packed) - struct.unpack_from(HEAD, packed)[5] :], "utf-8")

    def fade_ms(self, position):
        """Return the fade of one program in ms."""
        return struct.unpack_from(HEAD, self._packed[position])[1]


def _unpack(packed):
    priority, fade_ms, flags, count, rules, _ = struct.unpack_from(HEAD, packed)
    at = struct.calcsize(HEAD)
    end = at + count * STEP_BYTES
    steps = [Step(*struct.unpack_from(STEP, packed, place)) for place in range(at, end, STEP_BYTES)]
    at = end
    active = None
    if flags & HAS_ACTIVE:
        active = (_end(packed, at), _end(packed, at + STEP_BYTES))
        at += 2 * STEP_BYTES
    calendars = []
    for _ in range(rules):
        night, ranges, *counts = struct.unpack_from(RULE, packed, at)
        at += struct.calcsize(RULE)
        dates = []
        for _ in range(ranges):
            numbers = struct.unpack_from(RANGE, packed, at)
            dates.append((_date(*numbers[:3]), _date(*numbers[3:])))
            at += struct.calcsize(RANGE)
        lists = []
        for length in counts:
            lists.append(tuple(packed[at : at + length]))
            at += length
        calendars.append(CalendarRule(bool(night), tuple(dates), *lists))
    return Program(
        str(packed[at:], "utf-8"),
        priority,
        tuple(calendars),
        active,
        tuple(steps),
        fade_ms / 1000 if fade_ms % 1000 else fade_ms // 1000,
        bool(flags & OFF_WHEN_INACTIVE),
    )


def _end(packed, at):
    kind, minute, _ = struct.unpack_from(STEP, packed, at)
    return None if kind == OPEN else Moment(kind, minute)


def _date(year, month, day):
    return Date(year or None, month, day)
