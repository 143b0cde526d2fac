"""A schedule from instances of the LwM2M objects 3452, 3453, 3454 and 3456, whoever wrote them.

Disabled schedulers and instances that nobody refers to are ignored. What is valid in the objects but not supported by
the lamp is refused with a plain reason, never ignored: a light that is half understood is wrong all night.
"""

from contract import limits
from contract.objects import calendar_rule, output_filter, program_function, program_scheduler
from contract.schedule import syntax
from contract.schedule.check import check, check_place, check_range, checked
from contract.schedule.model import CalendarRule, Program, Schedule, ScheduleError, Step
from contract.schedule.pack import pack

# The light of the lamp's only output: resource 1 (Command) of 3416/0.
OUTPUT_INSTANCE = "</3416/0>"
OUTPUT_TARGET = "1"

# 3456: operation, and progression of a fade.
SET = 1
LINEAR = 1

_KINDS = {"Integer": "a whole number", "Float": "a number", "String": "text", "Boolean": "true or false"}
_IMMEDIATE = 0
_DEVICE_INTERNAL = 3


def from_objects(instances, latitude_e6, longitude_e6, time_zone):
    """Return the checked `Schedule` of {(object, instance): {resource: value | {resource instance: value}}}.

    latitude_e6, longitude_e6: micro-degrees; time_zone: contract.localtime.TimeZone.
    Raises ScheduleError; its path is the LwM2M path of what is wrong, such as /3454/0/4.
    """
    schedule = Schedule(tuple(_programs(instances)), latitude_e6, longitude_e6, time_zone)
    check(schedule)
    return schedule


def packed_from_objects(instances, latitude_e6, longitude_e6, time_zone):
    """Return the programs of the same schedule as `contract.schedule.packed.Programs` takes them.

    One is read, checked and packed after the other: a lamp has no room for all of them as tuples.
    """
    check_place(latitude_e6, longitude_e6, time_zone)
    return pack(checked(_programs(instances)))


def _programs(instances):
    """Yield the enabled programs by priority, those of equal priority by instance."""
    order = []
    for key in sorted(instances):
        if key[0] == program_scheduler.ID:
            scheduler = _Instance(instances, program_scheduler.ID, key[1], None)
            if scheduler.get(program_scheduler.STATE):
                order.append((scheduler.get(program_scheduler.PRIORITY), key[1]))
    if len(order) > limits.PROGRAMS:
        raise ScheduleError("/3452", "%d programs are enabled, at most %d fit" % (len(order), limits.PROGRAMS))
    order.sort()
    for _, number in order:
        yield _program(_Instance(instances, program_scheduler.ID, number, None))


class _Instance:
    """One object instance whose values are fetched by type; `source` is the path that refers to it."""

    def __init__(self, instances, object, number, source):
        self.instances = instances
        self.path = "/%d/%d" % (object, number)
        self.values = instances.get((object, number))
        if self.values is None:
            raise ScheduleError(source, "refers to %s, which does not exist; write it first" % self.path)

    def at(self, resource):
        return "%s/%d" % (self.path, resource.id)

    def get(self, resource):
        """Return the value of a mandatory resource."""
        value = self.find(resource)
        if value is None:
            raise ScheduleError(self.at(resource), "is missing: %s is mandatory" % resource.name)
        return value

    def find(self, resource, default=None):
        """Return the value of a single resource, or `default`."""
        value = self.values.get(resource.id)
        if value is None:
            return default
        return _typed(self.at(resource), value, resource.type)

    def all(self, resource):
        """Return the list of (resource instance, value) of a multiple resource, in order."""
        values = self.values.get(resource.id)
        if values is None:
            return []
        if not isinstance(values, dict):
            values = {0: values}
        at = self.at(resource)
        return [(number, _typed("%s/%d" % (at, number), values[number], resource.type)) for number in sorted(values)]

    def only(self, resource):
        """Return (path, value) of the one instance of a mandatory multiple resource: a lamp has one output."""
        values = self.all(resource)
        if len(values) != 1:
            raise ScheduleError(
                self.at(resource),
                "has %d instances, %s needs one: the lamp has one output" % (len(values), resource.name),
            )
        return "%s/%d" % (self.at(resource), values[0][0]), values[0][1]

    def refuse(self, resource, reason):
        """Raise if a resource has any content."""
        for _, value in self.all(resource):
            if value not in ("", False):
                raise ScheduleError(self.at(resource), reason)


def _program(scheduler):
    scheduler.refuse(program_scheduler.INPUT_SOURCES, "sensors as input are not supported; leave it out")
    scheduler.refuse(program_scheduler.COMPOUND_OPERATION, "compound operations are not supported; write false")
    for resource, only in (
        (program_scheduler.OUTPUT_INSTANCES, OUTPUT_INSTANCE),
        (program_scheduler.OUTPUT_TARGETS, OUTPUT_TARGET),
    ):
        path, value = scheduler.only(resource)
        if value.strip() != only:
            raise ScheduleError(path, "'%s' is not supported; the lamp's output is '%s'" % (value[:20], only))
    name = scheduler.find(program_scheduler.SCHEDULE_NAME, "")
    if len(name.encode()) > limits.PROGRAM_NAME_BYTES:
        at = scheduler.at(program_scheduler.SCHEDULE_NAME)
        raise ScheduleError(at, "is longer than %d bytes" % limits.PROGRAM_NAME_BYTES)
    rules = scheduler.all(program_scheduler.CALENDAR_RULES)
    at = scheduler.at(program_scheduler.CALENDAR_RULES)
    if len(rules) > limits.CALENDARS_OF_PROGRAM:
        raise ScheduleError(at, "has %d entries, at most %d fit" % (len(rules), limits.CALENDARS_OF_PROGRAM))
    calendars = [_rule(_Instance(scheduler.instances, calendar_rule.ID, rule, at)) for _, rule in rules]
    function = _Instance(
        scheduler.instances,
        program_function.ID,
        scheduler.get(program_scheduler.PROGRAM_FUNCTION),
        scheduler.at(program_scheduler.PROGRAM_FUNCTION),
    )
    active, steps, fade_s = _function(function)
    return Program(
        name,
        scheduler.get(program_scheduler.PRIORITY),
        tuple(calendars),
        active,
        steps,
        fade_s,
        scheduler.find(program_scheduler.OFF_WHEN_INACTIVE, False),
    )


def _rule(rule):
    kind = rule.find(calendar_rule.CALENDAR_TYPE, 0)
    if kind not in (0, 1):
        raise ScheduleError(rule.at(calendar_rule.CALENDAR_TYPE), "must be 0 (day) or 1 (night)")
    starts = dict(rule.all(calendar_rule.START_DATE))
    ends = dict(rule.all(calendar_rule.END_DATE))
    for number in ends:
        if number not in starts:
            raise ScheduleError("%s/%d" % (rule.at(calendar_rule.END_DATE), number), "has no start date of this number")
    if len(starts) > limits.DATE_RANGES:
        at = rule.at(calendar_rule.START_DATE)
        raise ScheduleError(at, "has %d entries, at most %d fit" % (len(starts), limits.DATE_RANGES))
    ranges = []
    for number in sorted(starts):
        at = "%s/%d" % (rule.at(calendar_rule.START_DATE), number)
        first = last = syntax.parse_date(at, starts[number])
        # Without an end the range is the one date.
        if ends.get(number):
            last = syntax.parse_date("%s/%d" % (rule.at(calendar_rule.END_DATE), number), ends[number])
        check_range(at, first, last)
        ranges.append((first, last))
    text = rule.find(calendar_rule.DATE_RULE, "* * *")
    days, months, weekdays = syntax.parse_date_rule(rule.at(calendar_rule.DATE_RULE), text)
    return CalendarRule(kind == 1, tuple(ranges), days, months, weekdays)


def _function(function):
    """Return (active, steps, fade_s)."""
    for resource in (
        program_function.SINGLE_SENSOR_INPUT_ARRAY,
        program_function.MULTI_SENSOR_INPUT_ARRAY,
        program_function.SENSOR_OUTPUT_ARRAY,
        program_function.OUTPUT_FILTER_FOR_SENSOR_OUTPUT,
    ):
        function.refuse(resource, "sensors as input are not supported; leave it out")
    active = None
    if function.all(program_function.RUN_CONDITION):
        active = syntax.parse_active(*function.only(program_function.RUN_CONDITION))
    path, text = function.only(program_function.TIME_INPUT_ARRAY)
    moments = syntax.parse_moments(path, text)
    path, text = function.only(program_function.TIME_OUTPUT_ARRAY)
    levels = syntax.parse_levels(path, text)
    if len(levels) != len(moments):
        raise ScheduleError(path, "has %d levels for %d times; write one for each" % (len(levels), len(moments)))
    steps = [Step(moment.kind, moment.minute, levels[position]) for position, moment in enumerate(moments)]
    return active, tuple(steps), _fade_s(function, len(steps))


def _fade_s(function, count):
    """Return the one fade in seconds of all steps, 0 without a filter."""
    default = None
    if function.all(program_function.OUTPUT_FILTER):
        default = function.only(program_function.OUTPUT_FILTER)[1]
    chosen = [default] * count
    if function.all(program_function.OUTPUT_FILTER_FOR_TIME_OUTPUT):
        path, text = function.only(program_function.OUTPUT_FILTER_FOR_TIME_OUTPUT)
        entries = text.replace(" ", "").split(";")
        if len(entries) > count or not all(len(e) < 6 and all(c in "0123456789" for c in e) for e in entries):
            raise ScheduleError(path, "'%s' must be a number of a filter, or nothing, for each time" % text[:20])
        for position, entry in enumerate(entries):
            if entry:
                chosen[position] = int(entry)
    at = function.at(program_function.OUTPUT_FILTER)
    fades = {
        0 if number is None else _filter(_Instance(function.instances, output_filter.ID, number, at))
        for number in chosen
    }
    if len(fades) > 1:
        at = function.at(program_function.OUTPUT_FILTER_FOR_TIME_OUTPUT)
        raise ScheduleError(at, "gives the steps different fades; one fade for a program is supported")
    return fades.pop()


def _filter(filter):
    """Return the fade of an output filter in seconds."""
    if filter.find(output_filter.OPERATION, SET) != SET:
        raise ScheduleError(filter.at(output_filter.OPERATION), "only 1 (set) is supported")
    if filter.find(output_filter.EXPIRATION_TIME, 0):
        raise ScheduleError(
            filter.at(output_filter.EXPIRATION_TIME), "is not supported: programs are evaluated all the time"
        )
    delay_s = filter.find(output_filter.DELAY, 0)
    if not 0 <= delay_s <= limits.FADE_MAX_S:
        raise ScheduleError(filter.at(output_filter.DELAY), "must be from 0 to %d seconds" % limits.FADE_MAX_S)
    delay_ms = int(delay_s * 1000 + 0.5)
    progression = filter.find(output_filter.TRANSACTION, LINEAR)
    if delay_ms and progression not in (LINEAR, _DEVICE_INTERNAL):
        reason = "immediate with a delay" if progression == _IMMEDIATE else "this progression"
        raise ScheduleError(filter.at(output_filter.TRANSACTION), reason + " is not supported; write 1 (linear)")
    return delay_ms / 1000 if delay_ms % 1000 else delay_ms // 1000


def _typed(path, value, type_name):
    # type() and not isinstance(): on CPython True is an int, on MicroPython it is none.
    if type_name == "Integer":
        good = type(value) is int
    elif type_name == "Float":
        good = type(value) in (int, float)
    else:
        good = isinstance(value, str if type_name == "String" else bool)
    if not good:
        raise ScheduleError(path, "must be " + _KINDS[type_name])
    return value
