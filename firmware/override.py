"""The manual override: a command with a start, an end and a fade; it always ends, and survives a restart until then.

Source: urn:oma:lwm2m:ext:3416:2.0, resources 1 and 50 to 53. A command written without an end gets one: now plus
the default duration; an end of 0 clears it; a start in the future waits. What the registry leaves open is decided so:
- An end (or start) that was written by itself after the last command belongs to the next command, if it is still ahead.
- A command together with an end that has passed is refused; a past end written by itself just ends the override.
- Without a clock a command is in force at once, for the length it was sent with, measured by the RTC.
- Start and end are UTC whatever the clock does: when it jumps ahead the override ends, when it comes back it goes on.
- The light comes first: `write` changes what holds now, `keep` puts it on flash afterwards and may fail without harm.
"""

from contract import limits
from firmware.codec import cbor
from firmware.errors import OverrideError
from firmware.store import whole

RECORD = "override"

LEVEL = "level"  # 0..100
START = "start_s"  # UTC seconds, 0: at once
END = "end_s"  # UTC seconds, 0: no override
FADE = "fade_ms"


class Override:
    """`level` is None until there was a command. `end_s` is None while a command came without clock and without end.

    `received_rtc_ms` is when the last command came, None when none came since start-up.
    """

    def __init__(self, settings, store):
        self._settings = settings
        self._store = store
        self.level = None
        self.start_s = 0
        self.end_s = 0
        self.fade_ms = 0
        self.received_rtc_ms = None
        # The same start and end by the RTC; None for what was loaded from flash, which only a clock can judge.
        self._from_rtc_ms = None
        self._until_rtc_ms = None
        # Names of what was written by itself since the last command.
        self._fresh = set()
        self._dirty = False
        self._load()

    def _load(self):
        data = self._store.load(RECORD)
        if data is None:
            return
        try:
            level, start_s, end_s, fade_ms = cbor.decode(data)
            if 0 <= level <= 100 and start_s < end_s and fade_ms <= limits.FADE_MAX_S * 1000:
                self.start_s, self.end_s, self.fade_ms = whole(start_s), whole(end_s), whole(fade_ms)
                self.level = int(level)
        except (ValueError, TypeError):
            # Not ours any more: an override that is forgotten leaves the lamp to its schedule.
            pass

    def check(self, changes, now_ms):
        """Raise OverrideError when `changes` (a dict of LEVEL, START, END, FADE) make no sense at `now_ms` (UTC, None).

        A fade that is NaN or negative is no error: the registry says that it is ignored (see `write`).
        """
        if changes.get(FADE, 0) > limits.FADE_MAX_S * 1000:
            raise OverrideError("the fade lasts longer than %d s" % limits.FADE_MAX_S)
        start_s, end_s = self._bounds(changes, now_ms)
        if not end_s or (LEVEL not in changes and START not in changes and END not in changes):
            return
        if start_s >= end_s:
            raise OverrideError("the override ends (%d) before it starts (%d)" % (end_s, start_s))
        begins_s = start_s if now_ms is None else max(start_s, now_ms // 1000)
        if begins_s and end_s - begins_s > limits.OVERRIDE_MAX_S:
            raise OverrideError("the override lasts longer than %d days" % (limits.OVERRIDE_MAX_S // 86400))
        if LEVEL in changes and now_ms is not None and end_s * 1000 <= now_ms:
            raise OverrideError("the override has ended already (end %d, lamp time %d)" % (end_s, now_ms // 1000))

    def _bounds(self, changes, now_ms):
        """Return (start_s, end_s) as `changes` would leave them; end_s None: only a duration is known."""
        command = LEVEL in changes
        start_s = changes.get(START, self.start_s if not command or START in self._fresh else 0)
        if END in changes:
            return start_s, changes[END]
        if not command:
            return start_s, self.end_s
        if END in self._fresh and self.end_s and (now_ms is None or self.end_s * 1000 > now_ms):
            return start_s, self.end_s
        duration_s = self._settings.get("override_duration_s")
        if now_ms is not None:
            return start_s, max(start_s, now_ms // 1000) + duration_s
        return start_s, start_s + duration_s if start_s else None

    def write(self, changes, now_ms, rtc_ms):
        """Take checked `changes` at `now_ms` (UTC ms or None) and `rtc_ms`. The light follows at the next decision."""
        self._resolve(now_ms, rtc_ms)
        fade_ms = changes.get(FADE, -1)
        if fade_ms >= 0:
            self.fade_ms = fade_ms
            self._dirty = True
        if LEVEL not in changes and START not in changes and END not in changes:
            return
        start_s, end_s = self._bounds(changes, now_ms)
        if LEVEL in changes:
            self.level = changes[LEVEL]
            self._fresh = set()
        else:
            self._fresh.update(name for name in (START, END) if name in changes)
        self.start_s, self.end_s = start_s, end_s
        self.received_rtc_ms = rtc_ms
        self._from_rtc_ms, self._until_rtc_ms = self._by_rtc(now_ms, rtc_ms)
        self._dirty = True

    def _by_rtc(self, now_ms, rtc_ms):
        if self.end_s == 0:
            return None, None
        if now_ms is not None:
            return rtc_ms + max(0, self.start_s * 1000 - now_ms), rtc_ms + self.end_s * 1000 - now_ms
        length_s = self._settings.get("override_duration_s")
        if self.end_s is not None and self.start_s:
            length_s = self.end_s - self.start_s
        return rtc_ms, rtc_ms + min(length_s, limits.OVERRIDE_MAX_S) * 1000

    def is_active(self, now_ms, rtc_ms):
        """Return whether the command is in force at `now_ms` (UTC ms, None without a clock to trust) and `rtc_ms`."""
        if self.level is None or self.end_s == 0:
            return False
        if now_ms is None:
            return self._until_rtc_ms is not None and self._from_rtc_ms <= rtc_ms < self._until_rtc_ms
        self._resolve(now_ms, rtc_ms)
        # One that would last longer than any may was sent by another clock: it waits until the clock is put right.
        lasts_ms = self.end_s * 1000 - now_ms
        return self.start_s * 1000 <= now_ms and 0 < lasts_ms <= limits.OVERRIDE_MAX_S * 1000

    def _resolve(self, now_ms, rtc_ms):
        """Give an end to what came with a duration only, as soon as there is a clock."""
        if self.end_s is None and now_ms is not None:
            self.end_s = (now_ms + self._until_rtc_ms - rtc_ms) // 1000
            self._dirty = True

    def next_edge_ms(self, now_ms, rtc_ms):
        """Return the RTC ms at which the override starts or ends next, None when there is nothing to wait for."""
        if self.level is None or self.end_s == 0:
            return None
        if now_ms is None:
            edges = (self._from_rtc_ms, self._until_rtc_ms)
        elif self.end_s is None:
            edges = (self._until_rtc_ms,)
        else:
            edges = (rtc_ms + self.start_s * 1000 - now_ms, rtc_ms + self.end_s * 1000 - now_ms)
        for edge in edges:
            if edge is not None and edge > rtc_ms:
                return edge
        return None

    def keep(self):
        """Put a change on flash; call it after the light has followed. Raises StorageError, and then tries no more."""
        if not self._dirty:
            return
        self._dirty = False
        if self.level is None or not self.end_s:
            self._store.delete(RECORD)
        else:
            self._store.save(RECORD, cbor.encode([self.level, self.start_s, self.end_s, self.fade_ms]))
