"""From the schedule that operators write to the engine's: TALQ's shape, an ordered calendar of named control programs.

The document is plain data, as the API takes it (docs/architecture.md, "Schedules over HTTP"): `programs` with
`switch_points`, and `calendar`, whose first rule that matches a date decides its program. It runs where schedules are
written and checked (CPython); a lamp never loads it. Source of the words: TALQ Smart City Protocol, "Calendar" and
"ControlProgram".
"""

from contract import schedule
from contract.schedule import syntax

_WORDS = {"steps": "switch_points", "active": "active_period"}


def compile(document, latitude_e6, longitude_e6, time_zone):
    """Return the Schedule of a document for a place. Raises ScheduleError whose path names the document's field."""
    programs = {}
    for position, program in enumerate(document["programs"]):
        programs[program["name"]] = _program(f"programs.{position}", program)
    compiled = []
    for position, rule in enumerate(document["calendar"]):
        at = f"calendar.{position}"
        if rule["program"] not in programs:
            raise schedule.ScheduleError(at + ".program", f"there is no program '{rule['program']}'")
        compiled.append(programs[rule["program"]]._replace(priority=position, calendars=(_rule(at, rule),)))
    result = schedule.Schedule(tuple(compiled), latitude_e6, longitude_e6, time_zone)
    try:
        schedule.check(result)
    except schedule.ScheduleError as error:
        raise schedule.ScheduleError(_field(document, error.path), error.reason) from None
    return result


def _field(document, path):
    """Return the document's own name for a place in the compiled schedule ("programs/1/steps/0/level")."""
    parts = path.split("/")
    if parts[0] != "programs" or len(parts) < 2:
        return path.replace("/", ".")
    # A compiled program is a rule of the calendar with the program that it names.
    rule = int(parts[1])
    if len(parts) > 2 and parts[2] == "calendars":
        return ".".join(["calendar", str(rule)] + parts[4:])
    names = [program["name"] for program in document["programs"]]
    place = ["programs", str(names.index(document["calendar"][rule]["program"]))]
    return ".".join(place + [_WORDS.get(part, part) for part in parts[2:]])


def _program(at, program):
    steps = []
    for position, point in enumerate(program["switch_points"]):
        moment = syntax.parse_moment(f"{at}.switch_points.{position}.at", point["at"])
        steps.append(schedule.Step(moment.kind, moment.minute, point["level"]))
    active = program.get("active_period")
    if active is not None:
        active = (
            syntax.parse_moment(at + ".active_period.start", active["start"]),
            syntax.parse_moment(at + ".active_period.end", active["end"]),
        )
    off_when_inactive = bool(program.get("off_when_inactive", False))
    fade_s = program.get("fade_s", 0)
    return schedule.Program(program["name"], 0, (), active, tuple(steps), fade_s, off_when_inactive)


def _rule(at, rule):
    ranges = []
    for position, dates in enumerate(rule.get("ranges") or ()):
        first = syntax.parse_date(f"{at}.ranges.{position}.start", dates["start"])
        end = dates.get("end")
        last = first if end is None else syntax.parse_date(f"{at}.ranges.{position}.end", end)
        ranges.append((first, last))
    days, months, weekdays = syntax.parse_date_rule(at + ".date_rule", rule.get("date_rule") or "* * *")
    return schedule.CalendarRule(rule.get("type", "night") == "night", tuple(ranges), days, months, weekdays)
