"""A schedule as instances of the LwM2M objects 3452, 3453, 3454 and 3456, as the backend writes them.

Program i is instance i of 3452 and of 3454; calendar rules and fades that programs share are one instance of 3453 and
3456 each, numbered as they are first used.
"""

from contract.objects import calendar_rule, output_filter, program_function, program_scheduler
from contract.schedule import syntax
from contract.schedule.evaluator import fade_ms_of
from contract.schedule.read import LINEAR, OUTPUT_INSTANCE, OUTPUT_TARGET, SET


def to_objects(schedule):
    """Return {(object, instance): {resource: value, or {resource instance: value} if multiple}} of a valid schedule."""
    instances = {}
    rules = []
    fades = []
    for position, program in enumerate(schedule.programs):
        calendars = {}
        for index, rule in enumerate(program.calendars):
            if rule not in rules:
                instances[(calendar_rule.ID, len(rules))] = _rule(rule)
                rules.append(rule)
            calendars[index] = rules.index(rule)
        fade_ms = fade_ms_of(program)
        if fade_ms and fade_ms not in fades:
            instances[(output_filter.ID, len(fades))] = {
                output_filter.OPERATION.id: SET,
                output_filter.DELAY.id: fade_ms / 1000,
                output_filter.TRANSACTION.id: LINEAR,
            }
            fades.append(fade_ms)
        instances[(program_function.ID, position)] = _function(program, fades.index(fade_ms) if fade_ms else None)
        instances[(program_scheduler.ID, position)] = _scheduler(program, position, calendars)
    return instances


def _scheduler(program, position, calendars):
    values = {
        program_scheduler.SCHEDULE_NAME.id: program.name,
        program_scheduler.STATE.id: True,
        program_scheduler.PRIORITY.id: program.priority,
        program_scheduler.PROGRAM_FUNCTION.id: position,
        program_scheduler.OUTPUT_INSTANCES.id: {0: OUTPUT_INSTANCE},
        program_scheduler.OUTPUT_TARGETS.id: {0: OUTPUT_TARGET},
        program_scheduler.OFF_WHEN_INACTIVE.id: program.off_when_inactive,
    }
    if calendars:
        values[program_scheduler.CALENDAR_RULES.id] = calendars
    return values


def _rule(rule):
    values = {
        calendar_rule.CALENDAR_TYPE.id: 1 if rule.night else 0,
        calendar_rule.DATE_RULE.id: syntax.format_date_rule(rule),
    }
    if rule.ranges:
        dates = [[syntax.format_date(date) for date in pair] for pair in rule.ranges]
        values[calendar_rule.START_DATE.id] = {index: pair[0] for index, pair in enumerate(dates)}
        values[calendar_rule.END_DATE.id] = {index: pair[1] for index, pair in enumerate(dates)}
    return values


def _function(program, filter):
    values = {
        program_function.FUNCTION_NAME.id: program.name,
        program_function.TIME_INPUT_ARRAY.id: {0: ";".join([syntax.format_moment(step) for step in program.steps])},
        program_function.TIME_OUTPUT_ARRAY.id: {0: ";".join([str(step.level) for step in program.steps])},
    }
    if program.active is not None:
        values[program_function.RUN_CONDITION.id] = {0: syntax.format_active(program.active)}
    if filter is not None:
        values[program_function.OUTPUT_FILTER.id] = {0: filter}
    return values
