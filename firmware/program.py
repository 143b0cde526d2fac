"""The schedule that the lamp holds: objects 3452, 3453, 3454 and 3456 as they were written, and what they compile to.

One owner of four objects, so that a schedule is taken or refused as a whole: `prepare` compiles the result of all
changes of a request with contract.schedule before anything is kept; a refused one leaves the old one running and sets
the error (3416/14, 3457/11). The instances are one CBOR record on flash; the compiled form is rebuilt from it.

Transactions (3457/100 to 103, urn:oma:lwm2m:ext:3457:1.1): between start and end changes are staged and compiled at the
end. What times out, or cannot be compiled at its end, is dropped, and the transaction error is set.
"""

from contract import limits
from contract.localtime import TimeZone
from contract.schedule import calendar
from contract.schedule.evaluator import Evaluator
from contract.schedule.model import Schedule, ScheduleError
from contract.schedule.packed import Programs
from firmware import heap
from firmware.errors import ProgramError
from firmware.instances import Instances, decode
from firmware.rarely import borrow

RECORD = "program"

SCHEDULER = 3452
CALENDAR = 3453
FUNCTION = 3454
FILTER = 3456

# Resources of 3452.
STATE = 1
PRIORITY = 2
RULES = 3

CAPACITY = {
    SCHEDULER: limits.PROGRAMS,
    CALENDAR: limits.CALENDAR_RULES,
    FUNCTION: limits.FUNCTIONS,
    FILTER: limits.OUTPUT_FILTERS,
}

# Error bits of 3457/11.
NO_VALID_PROGRAM = 1
MISSING_OBJECTS = 2
MISSING_RESOURCES = 4
INVALID_OUTPUTS = 16
INVALID_FUNCTION = 32
OUT_OF_STORAGE = 64

# A change of one of these moves the sun or the local clock.
PLACE = ("latitude_e6", "longitude_e6", "standard_offset_s", "time_zone", "time_zone_exceptions")


class Program:
    """`revision` counts what was put in force, so that others know when to ask again; `digest` is 16 hex digits."""

    def __init__(self, settings, store):
        self._settings = settings
        self._store = store
        # What was written, None while nobody needs it: it is on flash; its keys are always known.
        self._held = None
        self._keys = ()
        self._staged = None
        # What names the open transaction, None when there is none.
        self.token = None
        self._deadline_ms = 0
        self.transaction_error = False
        self.errors = 0
        # Why the last schedule was refused, None when it was taken.
        self.refusal = None
        self.revision = 0
        # Compiled from the instances for one place, and again whenever it was let go.
        self._schedule = None
        self._evaluator = None
        self._digest = None
        self._is_scattered = False
        # Instance numbers of 3452 in the order of the compiled programs.
        self._order = ()
        self._load()
        settings.listen(self._on_settings)

    def _load(self):
        instances = self._instances
        try:
            self._install(instances, self._compile(instances))
        except Exception as error:
            # A record may hold what no server could have written.
            self._lose(error)
            self._held = Instances()
            self._install(self._held, self._compile({}))

    def _lose(self, error):
        # Written by another version or damaged beyond the CRC: the default level rules until it is sent again.
        self.refusal = str(error)
        self.errors |= NO_VALID_PROGRAM

    @property
    def _instances(self):
        """The `Instances` in force."""
        if self._held is None:
            record = self._store.view(RECORD)
            try:
                self._held = Instances() if record is None else decode(record, CAPACITY)
            except (ValueError, TypeError, OSError) as error:
                self._lose(error)
                self._held = Instances()
        return self._held

    def _place(self):
        """Return (latitude_e6, longitude_e6, contract TimeZone) as the settings have them now."""
        get = self._settings.get
        exceptions = tuple(tuple(entry) for entry in get("time_zone_exceptions"))
        zone = TimeZone(get("time_zone"), get("standard_offset_s"), exceptions)
        return get("latitude_e6"), get("longitude_e6"), zone

    def _compile(self, instances):
        """Return the contract.schedule.Schedule of raw instances. Raises ProgramError."""
        place = self._place()
        try:
            return Schedule(Programs(borrow("contract.schedule.read").packed_from_objects(instances, *place)), *place)
        except ScheduleError as error:
            raise ProgramError(error.path, error.reason) from None

    def _install(self, instances, compiled):
        self._held = None
        self._keys = instances.keys()
        self._schedule = compiled
        self._is_scattered = True
        self._digest = None
        order = []
        for object, instance in instances:
            values = instances[(object, instance)] if object == SCHEDULER else {}
            if values.get(STATE):
                order.append((values[PRIORITY], instance))
        order.sort()
        self._order = tuple([instance for _, instance in order])
        self._start()

    def _start(self):
        self._evaluator = None
        self.revision += 1

    @property
    def digest(self):
        """Return the 16 hex digits of what is in force."""
        if self._digest is None:
            self._digest = borrow("contract.schedule.digest").digest(self.schedule)
        return self._digest

    @property
    def schedule(self):
        """The contract.schedule.Schedule in force."""
        if self._schedule is None:
            try:
                self._schedule = self._compile(self._instances)
            except ProgramError as error:
                # It was valid before the lamp was moved: the default level rules.
                self._refuse(error)
                self._schedule = self._compile({})
            self._is_scattered = True
        return self._schedule

    def make_room(self):
        """Let go of what flash holds: two schedules do not fit into the heap."""
        self._held = self._schedule = self._evaluator = None

    @property
    def evaluator(self):
        """The contract.schedule.Evaluator of what is in force."""
        if self._evaluator is None:
            self._evaluator = Evaluator(self.schedule, self._settings.get("default_level"))
        return self._evaluator

    def _on_settings(self, names):
        if any(name in PLACE for name in names):
            if self._schedule is None:
                # A new schedule is on its way, and comes with its place; what is in force can wait until it is asked.
                self._digest = None
                self._start()
            elif self._place() != self._schedule[1:]:
                try:
                    self._install(self._instances, self._compile(self._instances))
                except ProgramError as error:
                    self._refuse(error)
        if "default_level" in names:
            # A fade out of a time without a program starts from the default level.
            self._start()

    @property
    def is_valid(self):
        """False from the refusal of a schedule until one is taken or the errors are cleared (3416/14)."""
        return self.refusal is None

    def _refuse(self, error):
        self.refusal = "%s %s" % (error.path, error.reason)
        self.errors |= borrow("firmware.program_edits").error_bit(str(error.path))

    def clear_errors(self):
        """Forget the errors of refused schedules (3457/12)."""
        self.errors = 0
        self.refusal = None

    # What is in force

    def level_at(self, now_ms):
        """Return the level 0..100 at `now_ms` (UTC), None when no program applies."""
        return self.evaluator.level_at(now_ms)

    def permille_at(self, now_ms):
        """Return the permille at `now_ms` (UTC), fades included; None when no program applies."""
        return self.evaluator.permille_at(now_ms)

    def explain_at(self, now_ms):
        """Return the contract.schedule.Explanation at `now_ms`, None when no program applies."""
        explanation = self.evaluator.explain_at(now_ms)
        return None if explanation.program is None else explanation

    def aim_of(self, explanation):
        """Return the level 0..100 that holds once the fade of an explained step has ended."""
        if explanation.step is None:
            return 0
        return self.schedule.programs[explanation.program].steps[explanation.step].level

    def instance_of(self, explanation):
        """Return the instance of 3452 that an explanation is about."""
        return self._order[explanation.program]

    def is_calendar_active(self, rule, now_ms):
        """Return whether instance `rule` of 3453 holds at `now_ms` (UTC); never when no enabled program uses it."""
        half = calendar.half_at(self.schedule.time_zone, now_ms // 1000)
        for position, instance in enumerate(self._order):
            rules = self._instances[(SCHEDULER, instance)].get(RULES, {})
            for place, number in enumerate(sorted(rules)):
                if rules[number] == rule:
                    held = self.schedule.programs[position].calendars[place]
                    return calendar.matches(held, (half - 1) // 2 if held.night else half // 2)
        return False

    def next_change_after(self, now_ms):
        """Return UTC ms of the next step or fade; never later than 36 hours on."""
        return self.evaluator.next_change_after(now_ms)

    # What was written

    def instances_of(self, object):
        """Return the instance numbers of one of the four objects, ascending; of what is staged in a transaction."""
        keys = self._keys if self._staged is None else self._staged.keys()
        return [key & 0xFFFF for key in keys if key >> 16 == object]

    def values_of(self, object, instance):
        """Return {resource: value} as written; raises KeyError."""
        return self._view()[(object, instance)]

    def _view(self):
        return self._instances if self._staged is None else self._staged

    def prepare(self, changes):
        """Return the function that takes `changes` (firmware.lwm2m.node.Change); raises ProgramError.

        While a transaction is open the changes are only staged; otherwise all of them are compiled now. Their values
        are used up: a lamp has no room for them besides what they are packed and compiled to.
        """
        return borrow("firmware.program_edits").prepare(self, changes)

    def reset(self):
        """Wipe the schedule (3457/16); the default level rules. Raises StorageError, and then the old one runs on."""
        self._store.delete(RECORD)
        self._staged = self.token = None
        self._install(Instances(), self._compile({}))
        self.clear_errors()

    # Transactions

    @property
    def is_open(self):
        """Whether a transaction is open."""
        return self._staged is not None

    def prepare_begin(self, token, changes, rtc_ms):
        """Return the function that opens a transaction named by the integer `token` with `changes` staged already; one
        that was open is dropped without a word. Raises ProgramError."""
        return borrow("firmware.program_edits").prepare_begin(self, token, changes, rtc_ms)

    def prepare_end(self, token, changes=()):
        """Return the function that takes all that was staged, and `changes`. Raises ProgramError.

        A schedule that is refused here is dropped: the transaction is over, and its error is set.
        """
        return borrow("firmware.program_edits").prepare_end(self, token, changes)

    def poll(self, rtc_ms):
        """Drop a transaction that was not ended in time, and what was read from flash; return RTC ms at which to be
        asked again, or None."""
        self._held = None
        if self._is_scattered:
            self._gather()
        if self._staged is None:
            return None
        if rtc_ms >= self._deadline_ms:
            self._abort()
            return None
        return self._deadline_ms

    def _gather(self):
        """Move what was compiled to the low end of the heap, now that all is gone beside which it was made: what stays
        where it is cuts the free heap into pieces."""
        self._is_scattered = False
        if self._schedule is not None:
            heap.collect()
            self._schedule = Schedule(self._schedule.programs.copy(), *self._schedule[1:])
            self._evaluator = None

    def _abort(self):
        self._staged = self.token = None
        self.transaction_error = True
