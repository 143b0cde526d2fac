"""Which program and step is in force when, for one half of a local date.

The programs are laid over the half in order of priority, each only where none before it decides.
"""

from collections import namedtuple

from contract.schedule.calendar import applies, boundary
from contract.schedule.period import Period

# From start_s (UTC) on, until the next segment: positions as in Explanation, level None when no program decides.
Segment = namedtuple("Segment", ("start_s", "program", "calendar", "step", "level"))

# A part of one program before it is laid over others.
_Piece = namedtuple("_Piece", ("start_s", "end_s", "step", "level"))


def timeline(schedule, half):
    """Return the list of `Segment` of a half, without gaps, ascending; the first starts with the half."""
    start_s = boundary(schedule.time_zone, half)
    end_s = boundary(schedule.time_zone, half + 1)
    free = [(start_s, end_s)]
    segments = []
    periods = {}
    for position, program in enumerate(schedule.programs):
        found = applies(program, half)
        if found is None:
            continue
        calendar, night, date = found
        period = periods.get(night)
        if period is None:
            period = periods[night] = Period(schedule, night, date)
        pieces = _pieces(program, period, start_s, end_s)
        for piece in pieces:
            for free_start_s, free_end_s in free:
                at_s = max(piece.start_s, free_start_s)
                if at_s < min(piece.end_s, free_end_s):
                    segments.append(Segment(at_s, position, calendar, piece.step, piece.level))
        free = _without(free, pieces)
        if not free:
            break
    for free_start_s, _ in free:
        segments.append(Segment(free_start_s, None, None, None, None))
    segments.sort(key=lambda segment: segment.start_s)
    return segments


def same_light(one, other):
    """Say whether two segments are the same program, step and level, so that one continues the other."""
    return one.program == other.program and one.step == other.step and one.level == other.level


def _pieces(program, period, start_s, end_s):
    """Return what one program decides between two UTC seconds of its period, as pieces that do not overlap."""
    moments = []
    for position, step in enumerate(program.steps):
        at_s = period.moment(step.kind, step.minute)
        # A step without its event, or pushed out of its period by its offset, does not happen.
        if not isinstance(at_s, str) and period.start_s <= at_s < period.end_s:
            moments.append((at_s, position))
    moments.sort()
    windows = [_Piece(max(start_s, a), min(end_s, b), None, 0) for a, b in period.windows(program.active)]
    windows = [window for window in windows if window.start_s < window.end_s]
    pieces = []
    for window in windows if moments else ():
        # Before the first step of the period the last one carries over.
        at_s, position = window.start_s, moments[-1][1]
        for moment_s, next_position in moments:
            if at_s < moment_s < window.end_s:
                pieces.append(_Piece(at_s, moment_s, position, program.steps[position].level))
                at_s = moment_s
            if moment_s <= at_s:
                position = next_position
        pieces.append(_Piece(at_s, window.end_s, position, program.steps[position].level))
    if program.off_when_inactive:
        pieces.extend([_Piece(a, b, None, 0) for a, b in _without([(start_s, end_s)], windows)])
    return pieces


def _without(intervals, pieces):
    """Return `intervals` with the pieces cut out of them."""
    for piece in pieces:
        rest = []
        for start_s, end_s in intervals:
            if start_s < min(end_s, piece.start_s):
                rest.append((start_s, min(end_s, piece.start_s)))
            if max(start_s, piece.end_s) < end_s:
                rest.append((max(start_s, piece.end_s), end_s))
        intervals = rest
    return intervals
