"""The one place that decides how bright the lamp is, and says why: override > schedule > default level.

With no clock to trust: an override that came since start-up, else the photocell if there is one that is not stuck,
else the last good night by the time since power-up (firmware.learnt_night), else lit at the failsafe level. A lamp that
is unsure is lit.

Level-triggered: `decide` works out what holds at a moment and never counts on having been called before. Only the fade
between two rungs is remembered: output = from + (target - from) * elapsed / fade, over RTC time. A schedule fades by
itself (contract.schedule.permille_at). At start-up there is no fade: light at once.
"""

from collections import namedtuple

from contract import levels
from firmware.derating import Derating
from firmware.floor import Floor
from firmware.pace import FADE_STEP_MS, LONGEST_SLEEP_MS, fade_step_ms

OVERRIDE = "override"
SCHEDULE = "schedule"
DEFAULT = "default"
FAILSAFE = "failsafe"

# Constant light output: a new luminaire is driven at 90 %, rising evenly to 100 % at 50,000 hours (the usual L90 of LED
# street luminaires). The registry has a switch for it (3416/30) and no numbers.
YOUNG_PERMILLE = 900
OLD_H = 50000

# A schedule's fade, of which only the last step is known, is followed at least so often.
SLOWEST_STEP_MS = 1000

# permille: dimming output 0..1000; closed: the relay; level: command in action 0..100; dimming: level now, with fades;
# rung, words, source: why; until_ms: UTC ms until which nothing is planned to change, 0 when that is open;
# fading: the output is on its way; bright: photocell (None: no photocell or no need of it); at_rtc_ms.
Decision = namedtuple(
    "Decision",
    ("permille", "closed", "level", "dimming", "rung", "words", "source", "until_ms", "fading", "bright", "at_rtc_ms"),
)

# What a rung asks for. key: a change of it starts a fade; target: permille, which moves by itself in a schedule's fade.
_Wish = namedtuple("_Wish", ("key", "target", "level", "rung", "words", "source", "until_ms", "fade_ms", "wake_ms"))


class Lamp:
    """`program`: firmware.program.Program; `override`: firmware.override.Override; `hours()`: the lamp's age; `learnt`:
    firmware.learnt_night.LearntNight. Whoever finds the photocell stuck sets `is_blind`."""

    def __init__(self, settings, program, override, hours=None, learnt=None):
        self._settings = settings
        self._program = program
        self.override = override
        self.floor = Floor(settings)
        self.derating = Derating()
        self._hours = hours
        self._learnt = learnt
        self.is_blind = False
        self.decision = None
        # When the output last left a level that had been at rest, in RTC ms; None before it ever did.
        self.changed_rtc_ms = None
        self._key = None
        self._from = 0
        self._fade_start_ms = 0
        self._fade_ms = 0
        self._logical = 0
        self._moving = False
        self._bright = False
        # [revision, from_ms, until_ms, explanation, permille once the schedule's own fade has ended, level aimed at]
        self._plan = None
        # The plan that follows it, worked out before it is due; None until `look_ahead`.
        self._next = None
        self._step_ms = FADE_STEP_MS
        self._wake_ms = 0

    def decide(self, now_ms, rtc_ms, lux=None):
        """Return the Decision at `now_ms` (UTC; None without a clock to trust), `rtc_ms`, `lux` (None: no photocell).

        The caller drives `permille` and `closed`, and asks again at `wake_at()` or when anything was written.
        """
        wish = self._wish(now_ms, rtc_ms, lux)
        least = self.least(now_ms, rtc_ms, lux)
        if wish.key != self._key:
            # The very first light does not fade in.
            self._fade_ms = wish.fade_ms if self._key is not None else 0
            self._from = self._logical
            self._fade_start_ms = rtc_ms
            self._key = wish.key
            self._moving = False
        elapsed_ms = rtc_ms - self._fade_start_ms
        fading = elapsed_ms < self._fade_ms
        logical = levels.fade(self._from, wish.target, elapsed_ms, self._fade_ms) if fading else wish.target
        step_ms = LONGEST_SLEEP_MS
        if fading:
            step_ms = fade_step_ms(self._fade_ms)
        elif wish.rung == SCHEDULE and wish.target != wish.level * 10:
            fading = True
            step_ms = self._pace(abs(logical - self._logical))
        # The street sees the floor, and what comes next fades from there.
        shown = max(logical, least)
        fading = fading or (self.floor.is_moving and logical <= least)
        if shown != self._logical or self.decision is None:
            if not self._moving:
                self.changed_rtc_ms = rtc_ms
            self._moving = fading
        elif not fading:
            self._moving = False
        self._logical = shown
        self._wake_ms = min(rtc_ms + step_ms, wish.wake_ms, self.floor.wake_ms)
        self.decision = self._drive(wish, logical, least, fading, rtc_ms, lux)
        return self.decision

    def least(self, now_ms, rtc_ms, lux):
        """Return the permille that the safety floor asks for; a photocell that is stuck has no say in it."""
        return self.floor.least(now_ms, rtc_ms, None if self.is_blind else lux)

    def _pace(self, moved):
        """Return ms to the next step of a schedule's fade, of which only the last step (`moved` permille) is known."""
        if moved > 5:
            self._step_ms = max(FADE_STEP_MS, self._step_ms // 2)
        elif moved < 3:
            self._step_ms = min(SLOWEST_STEP_MS, self._step_ms * 2)
        return self._step_ms

    def wake_at(self):
        """Return the RTC ms at which `decide` wants to be called next; a write or a clock step may come first."""
        return self._wake_ms

    def _drive(self, wish, logical, least, fading, rtc_ms, lux):
        get = self._settings.get
        floor = self.floor
        young = levels.FULL_PERMILLE
        if get("constant_light_output") and self._hours is not None:
            young = min(young, YOUNG_PERMILLE + (young - YOUNG_PERMILLE) * int(self._hours()) // OLD_H)
        minimum, full = get("minimum_level"), get("virtual_power_output")
        cool = self.derating.permille
        output = levels.drive(logical, minimum, full, young * cool // levels.FULL_PERMILLE, least)
        words, level, until_ms = wish.words, wish.level, wish.until_ms
        # Where the wish comes to rest, so that a fade on its way through the floor is not held back for a moment.
        aim = levels.drive(level * 10, minimum, full, young)
        if floor.turn_ms and aim < floor.level * 10 and not 0 < until_ms <= floor.turn_ms:
            until_ms = floor.turn_ms
        if floor.holds_back((wish.key, level), aim):
            words = levels.held(words, level, floor.level, wish.rung == SCHEDULE, floor.words)
            level = max(level, floor.level)
        if output:
            words += self.derating.words()
        return Decision(
            output,
            output > 0 or get("standby_mode"),
            level,
            levels.level(max(logical * cool // levels.FULL_PERMILLE, least)),
            wish.rung,
            words,
            wish.source,
            until_ms,
            fading,
            None if lux is None else self._bright,
            rtc_ms,
        )

    def _wish(self, now_ms, rtc_ms, lux):
        """Return what the highest rung that holds asks for."""
        self._look(lux)
        edge_ms = self.override.next_edge_ms(now_ms, rtc_ms)
        wake_ms = rtc_ms + LONGEST_SLEEP_MS if edge_ms is None else edge_ms
        if self.override.is_active(now_ms, rtc_ms):
            level = self.override.level
            until_ms = self.override.end_s * 1000 if self.override.end_s else 0
            fade_ms = self.override.fade_ms
            key = (OVERRIDE, level, self.override.received_rtc_ms)
            return _Wish(key, level * 10, level, OVERRIDE, "manual command", "3416/0/1", until_ms, fade_ms, wake_ms)
        if now_ms is None:
            return self._unsure(lux, rtc_ms, wake_ms)
        return self._planned(now_ms, rtc_ms, wake_ms)

    def _look(self, lux):
        """Follow the photocell with the hysteresis of its two thresholds. A value that is no number says nothing."""
        if lux is None:
            return
        if lux > self._settings.get("off_lux"):
            self._bright = True
        elif lux < self._settings.get("on_lux"):
            self._bright = False

    def _unsure(self, lux, rtc_ms, wake_ms):
        level = self._settings.get("failsafe_level")
        words, source = "no clock to trust: lit", "42769/0/16"
        learnt = 0 if self._learnt is None else self._learnt.level_at(rtc_ms)
        if lux is not None and not self.is_blind:
            source = "3419/0/3"
            words = "no clock to trust; the photocell sees the day" if self._bright else "no clock to trust; it is dark"
            if self._bright:
                level = 0
        elif learnt:
            level = learnt
            words, source = "no clock to trust; as in the last good night: %d %%" % level, "power-up"
        key = (FAILSAFE, level)
        return _Wish(key, level * 10, level, FAILSAFE, words, source, 0, self._settings.get("default_fade_ms"), wake_ms)

    def _planned(self, now_ms, rtc_ms, wake_ms):
        """Return the wish of the schedule, or of the default level when no program applies."""
        plan = self._plan
        if not self._holds(plan, now_ms):
            plan = self._next if self._holds(self._next, now_ms) else self._plan_from(now_ms)
            self._plan = plan
            self._next = None
            self._step_ms = FADE_STEP_MS
        explanation = plan[3]
        wake_ms = min(wake_ms, rtc_ms + plan[2] - now_ms)
        fade_ms = self._settings.get("default_fade_ms")
        if explanation is None:
            level = self._settings.get("default_level")
            key = (DEFAULT, level)
            return _Wish(key, level * 10, level, DEFAULT, "no program applies", "3416/0/4", plan[2], fade_ms, wake_ms)
        level = plan[5]
        target = plan[4]
        if target is None:
            target = self._program.permille_at(now_ms)
            if target == level * 10:
                # At rest until the next change; the words need not speak of a fade any more.
                plan[4] = target
                plan[3] = explanation = self._program.explain_at(now_ms)
        return _Wish(
            (SCHEDULE, plan[0]),
            target,
            level,
            SCHEDULE,
            explanation.words,
            "3452/%d" % self._program.instance_of(explanation),
            explanation.until_ms,
            # A schedule that begins where the light is fades by itself.
            0 if abs(target - self._logical) <= 10 else fade_ms,
            wake_ms,
        )

    def look_ahead(self):
        """Work out what follows the plan in force while there is time, so that its first moment finds it ready."""
        plan = self._plan
        if plan is None or self._next is not None or plan[0] != self._program.revision:
            return
        # In a fade the evaluator is asked for what holds now, and keeps one stretch.
        if plan[3] is None or plan[4] is not None:
            self._next = self._plan_from(plan[2])

    def _holds(self, plan, now_ms):
        return plan is not None and plan[0] == self._program.revision and plan[1] <= now_ms < plan[2]

    def _plan_from(self, from_ms):
        explanation = self._program.explain_at(from_ms)
        aim = None if explanation is None else self._program.aim_of(explanation)
        return [
            self._program.revision, from_ms, self._program.next_change_after(from_ms), explanation, None, aim
        ]  # fmt: skip

    def light_changed_ms(self, clock):
        """Return UTC ms at which the light last began to change, 0 when that is not known. `clock`: firmware.clock."""
        changed = None if self.changed_rtc_ms is None else clock.now_ms(self.changed_rtc_ms)
        return changed or 0

    def command_received_ms(self, clock):
        """Return UTC ms at which the last command came, 0 when none came since start-up."""
        received = self.override.received_rtc_ms
        received = None if received is None else clock.now_ms(received)
        return received or 0
