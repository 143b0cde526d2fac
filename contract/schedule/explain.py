"""The sentence that tells an operator, at night, why a lamp is at its level."""

from contract.localtime import DAY_S, civil_from_days, offset_at
from contract.schedule.model import Explanation


def explain(schedule, segment, level, fading_from, since_ms, until_ms):
    """Return the `Explanation` of a segment of the timeline.

    level: 0..100 now, or None; fading_from: level at which a fade in progress began, or None;
    since_ms, until_ms: UTC, 0 when unknown.
    """
    zone = schedule.time_zone
    if segment.program is None:
        subject, state = "No program applies", "the default level decides"
    else:
        programs = schedule.programs
        of_tuples = isinstance(programs, tuple)
        name = programs[segment.program].name if of_tuples else programs.name(segment.program)
        subject = "Program '%s'" % name
        if segment.calendar is not None:
            subject += " (calendar rule %d)" % (segment.calendar + 1)
        state = "%d %%" % segment.level
        if fading_from is not None:
            state = "fading from %d %% to %s, now %d %%," % (fading_from, state, level)
        if segment.step is None:
            state += " outside its active period"
    words = subject + ": " + state
    if since_ms:
        words += " since " + _clock(zone, since_ms, until_ms or since_ms)
    if until_ms:
        words += " until " + _clock(zone, until_ms, since_ms or until_ms)
    return Explanation(level, segment.program, segment.calendar, segment.step, since_ms, until_ms, words)


def _clock(zone, at_ms, other_ms):
    """Return a local time, with its date when the other end of the stretch is a day or more away."""
    local_s = at_ms // 1000 + offset_at(zone, at_ms // 1000)
    minute = local_s % DAY_S // 60
    text = "%02d:%02d" % (minute // 60, minute % 60)
    if abs(at_ms - other_ms) < DAY_S * 1000:
        return text
    return "%04d-%02d-%02d " % civil_from_days(local_s // DAY_S) + text
