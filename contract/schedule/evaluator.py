"""What a schedule asks for at a moment, and when that changes next.

Level-triggered: every question can be asked at any time, in any order. Between changes an answer costs a comparison,
during a fade an interpolation; a half of a date that is new costs the sun and the steps of its programs.
"""

import struct

from contract import levels
from contract.schedule.calendar import boundary, half_at
from contract.schedule.explain import explain
from contract.schedule.timeline import Segment, same_light, timeline

# How far `next_change_after` looks.
HORIZON_MS = 36 * 3600 * 1000
# Halves that surely reach beyond the horizon, with a clock change in them.
_HALVES_AHEAD = 5
_HALVES_KEPT = 12
# Halves of a packed schedule that are kept as segments too: the one now, and the one before or after.
_HALVES_OPEN = 2
# A segment as a lamp keeps it, a sixth of its size as a tuple: start_s and the rest, -1 for None.
_SEGMENT = "<qbbbb"
_SEGMENT_BYTES = 12


class Evaluator:
    """One schedule, with what was computed last. Safe to share between threads; a lamp keeps one.

    default: level 0..100 that the lamp shows while no program applies, if it is known: fades then start from it.
    Without it a program that follows such a time starts without a fade. Of a packed schedule (contract.schedule.packed)
    what was computed is kept packed as well.
    """

    def __init__(self, schedule, default=None):
        self.schedule = schedule
        self.default = default
        self._halves = {}
        self._open = {}
        self._stretch = None

    def level_at(self, now_ms):
        """Return the level 0..100 at a UTC millisecond, or None when no program applies."""
        permille = self.permille_at(now_ms)
        return None if permille is None else levels.level(permille)

    def permille_at(self, now_ms):
        """Return the same as `level_at` in permille 0..1000, or None."""
        begin_ms, _, fade_ms, start, target = self._stretch_at(now_ms)
        return None if target is None else levels.fade(start, target, now_ms - begin_ms, fade_ms)

    def next_change_after(self, now_ms):
        """Return the UTC millisecond, after now, at which the next step or fade starts; at most 36 hours on."""
        return self._find_change_after(now_ms) or now_ms + HORIZON_MS

    def explain_at(self, now_ms):
        """Return an `Explanation` of the level at a UTC millisecond."""
        begin_ms, _, fade_ms, start, target = self._stretch_at(now_ms)
        fading = target is not None and now_ms - begin_ms < fade_ms and start != target
        half = half_at(self.schedule.time_zone, now_ms // 1000)
        return explain(
            self.schedule,
            self._run(half, half, now_ms // 1000)[-1],
            self.level_at(now_ms),
            levels.level(start) if fading else None,
            self._find_begin(half, now_ms),
            self._find_change_after(now_ms) or 0,
        )

    def _stretch_at(self, now_ms):
        """Return (begin_ms, end_ms, fade_ms, start, target) in permille of one step, or of its part up to noon."""
        stretch = self._stretch
        if stretch is None or not stretch[0] <= now_ms < stretch[1]:
            stretch = self._stretch = self._make_stretch(now_ms)
        return stretch

    def _make_stretch(self, now_ms):
        zone = self.schedule.time_zone
        half = half_at(zone, now_ms // 1000)
        run = self._run(half - 1, half, now_ms // 1000)
        # The half before is longer than any fade, so the light has settled at its beginning.
        begin_s, fade_ms, target = run[0].start_s, 0, _permille(run[0])
        start = target
        program = fade_of_program_ms = None
        for segment in run[1:]:
            if target is None:
                start = None if self.default is None else self.default * 10
            else:
                start = levels.fade(start, target, (segment.start_s - begin_s) * 1000, fade_ms)
            begin_s, target = segment.start_s, _permille(segment)
            if start is None:
                start = target
            if target is not None and segment.program != program:
                program = segment.program
                fade_of_program_ms = _fade_ms(self.schedule.programs, program)
            fade_ms = 0 if target is None else fade_of_program_ms
        ends = [segment.start_s for segment in self._half(half) if segment.start_s * 1000 > now_ms]
        return begin_s * 1000, (ends[0] if ends else boundary(zone, half + 1)) * 1000, fade_ms, start, target

    def _run(self, first, last, until_s):
        """Return the segments of some halves up to a moment, those that only continue another left out."""
        run = []
        for half in range(first, last + 1):
            for segment in self._half(half):
                if segment.start_s <= until_s and not (run and same_light(run[-1], segment)):
                    run.append(segment)
        return run

    def _find_change_after(self, now_ms):
        half = half_at(self.schedule.time_zone, now_ms // 1000)
        current = self._run(half, half, now_ms // 1000)[-1]
        for ahead in range(half, half + _HALVES_AHEAD):
            for segment in self._half(ahead):
                at_ms = segment.start_s * 1000
                if at_ms > now_ms and not same_light(current, segment):
                    return at_ms if at_ms < now_ms + HORIZON_MS else None
        return None

    def _find_begin(self, half, now_ms):
        """Return the UTC millisecond at which the present step began, 0 when that is longer ago than the horizon."""
        current, begin_ms = None, 0
        for behind in range(half, half - _HALVES_AHEAD, -1):
            for segment in reversed(self._half(behind)):
                at_ms = segment.start_s * 1000
                if at_ms > now_ms:
                    continue
                if current is not None and not same_light(current, segment):
                    return begin_ms
                if at_ms <= now_ms - HORIZON_MS:
                    return 0
                current, begin_ms = segment, at_ms
        return 0

    def _half(self, half):
        """Return the list of segments of a half."""
        kept = self._halves.get(half)
        if isinstance(kept, bytes):
            segments = self._open.get(half)
            if segments is None:
                _make_room(self._open, _HALVES_OPEN, half)
                segments = [_unpack(kept, at) for at in range(0, len(kept), _SEGMENT_BYTES)]
                self._open[half] = segments
            return segments
        if kept is not None:
            return kept
        _make_room(self._halves, _HALVES_KEPT, half)
        segments = timeline(self.schedule, half)
        self._halves[half] = segments if isinstance(self.schedule.programs, tuple) else _pack(segments)
        return segments


def _make_room(halves, most, half):
    if len(halves) >= most:
        # The one farthest away: as time goes on, its neighbours are asked for again and again.
        del halves[max(halves, key=lambda known: abs(known - half))]


def _pack(segments):
    packed = bytearray()
    for segment in segments:
        packed += struct.pack(_SEGMENT, segment[0], *[-1 if field is None else field for field in segment[1:]])
    return bytes(packed)


def _unpack(packed, at):
    start_s, program, calendar, step, level = struct.unpack_from(_SEGMENT, packed, at)
    if program < 0:
        return Segment(start_s, None, None, None, None)
    return Segment(start_s, program, None if calendar < 0 else calendar, None if step < 0 else step, level)


def fade_ms_of(program):
    """Return the fade of a program in whole milliseconds: what both sides compute with, whatever their floats hold."""
    return int(program.fade_s * 1000 + 0.5)


def _fade_ms(programs, position):
    return fade_ms_of(programs[position]) if isinstance(programs, tuple) else programs.fade_ms(position)


def _permille(segment):
    return None if segment.level is None else levels.permille(segment.level)
