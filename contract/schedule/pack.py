"""Programs in little room, for a lamp: the bytes that `contract.schedule.packed` understands.

What is packed has been checked (`contract.schedule.check`), so every number fits its field.
"""

import struct

from contract.schedule import packed
from contract.schedule.evaluator import fade_ms_of


def pack(programs):
    """Return what `contract.schedule.packed.Programs` makes equal programs of: the bytes of each.

    programs: an iterable; each is packed before the next is asked for.
    """
    return tuple([_pack(program) for program in programs])


def _pack(program):
    flags = packed.OFF_WHEN_INACTIVE if program.off_when_inactive else 0
    steps = [(step.kind, step.minute, step.level) for step in program.steps]
    if program.active is not None:
        flags |= packed.HAS_ACTIVE
        steps += [(packed.OPEN, 0, 0) if end is None else (end.kind, end.minute, 0) for end in program.active]
    fade_ms = fade_ms_of(program)
    name = program.name.encode()
    counts = (len(program.steps), len(program.calendars), len(name))
    found = bytearray(struct.pack(packed.HEAD, program.priority, fade_ms, flags, *counts))
    for step in steps:
        found += struct.pack(packed.STEP, *step)
    for rule in program.calendars:
        lists = (rule.ranges, rule.days, rule.months, rule.weekdays)
        found += struct.pack(packed.RULE, rule.night, *[len(entries) for entries in lists])
        for first, last in rule.ranges:
            found += struct.pack(packed.RANGE, first.year or 0, *first[1:], last.year or 0, *last[1:])
        for numbers in lists[1:]:
            found += bytes(numbers)
    found += name
    return bytes(found)
