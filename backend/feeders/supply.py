"""When is a feeder planned to be on? Pure; the schedule's engine decides, so that "S+15" means what it means there.

Some cities switch whole feeders by a contactor: by day the lamps have no supply and say nothing. Planned hours are
compiled to a schedule at the feeder's place whose programs are active while the feeder is on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from backend.errors import BadInput, FieldError
from contract import schedule as engine
from contract.schedule import syntax

_ON = (engine.Step(engine.FIXED, 720, 100),)
# The step carries over the whole period: its hour means nothing.


class Supply:
    """The planned hours of one feeder at its place. Safe to share between threads."""

    def __init__(self, hours: Sequence[Mapping[str, Any]], latitude_e6: int, longitude_e6: int, zone: Any) -> None:
        """`hours` as the API takes them (`shapes.SupplyHours`); raises BadInput with the field that is wrong."""
        try:
            programs = tuple(_program(position, one) for position, one in enumerate(hours))
            schedule = engine.Schedule(programs, latitude_e6, longitude_e6, zone)
            engine.check(schedule)
        except engine.ScheduleError as error:
            place = _field(str(error.path))
            raise BadInput(f"{place}: {error.reason}", errors=[FieldError(field=place, reason=error.reason)]) from None
        self._evaluator = engine.Evaluator(schedule)

    def is_on(self, now_ms: int) -> bool:
        """Whether the feeder is planned to be on at a moment of lighting time."""
        return self._evaluator.level_at(now_ms) is not None

    def since_ms(self, now_ms: int) -> int:
        """When the present state began, lighting time; 0 when that is more than 36 hours ago."""
        return int(self._evaluator.explain_at(now_ms).since_ms)

    def until_ms(self, now_ms: int) -> int:
        """When the present state ends, lighting time; 0 when that is more than 36 hours on."""
        return int(self._evaluator.explain_at(now_ms).until_ms)


def _program(position: int, hours: Mapping[str, Any]) -> Any:
    at = f"hours.{position}"
    active = (
        syntax.parse_moment(f"{at}.start", hours["start"]),
        syntax.parse_moment(f"{at}.end", hours["end"]),
    )
    days, months, weekdays = syntax.parse_date_rule(f"{at}.date_rule", hours["date_rule"])
    rule = engine.CalendarRule(hours["type"] == "night", (), days, months, weekdays)
    return engine.Program(f"hours {position}", position, (rule,), active, _ON, 0, False)


def _field(path: str) -> str:
    """The API's own name for a place in the compiled schedule ("programs/1/active/0")."""
    parts = path.split("/")
    return f"hours.{parts[1]}" if parts[0] == "programs" and len(parts) > 1 else path
