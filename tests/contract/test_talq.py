"""From the operators' shape to the engine's."""

from typing import Any

import pytest

from contract import schedule, talq
from contract.localtime import UTC

DOCUMENT: dict[str, Any] = {
    "programs": [
        {
            "name": "Week",
            "active_period": {"start": "S", "end": "R"},
            "fade_s": 60,
            "off_when_inactive": True,
            "switch_points": [{"at": "S+10", "level": 100}, {"at": "23:00", "level": 50}],
        },
        {"name": "Feast", "switch_points": [{"at": "18:00", "level": 100}]},
    ],
    "calendar": [
        {
            "program": "Feast",
            "type": "day",
            "ranges": [{"start": "--12-24", "end": "--12-26"}, {"start": "2026-01-01"}],
        },
        {"program": "Week", "date_rule": "* 1-6 1-5"},
        {"program": "Week"},
    ],
}


def test_every_rule_becomes_a_program_in_the_order_of_the_calendar() -> None:
    compiled = talq.compile(DOCUMENT, 1, 2, UTC)
    assert [(program.name, program.priority) for program in compiled.programs] == [
        ("Feast", 0),
        ("Week", 1),
        ("Week", 2),
    ]
    feast, week, _ = compiled.programs
    assert (feast.active, feast.fade_s, feast.off_when_inactive) == (None, 0, False)
    assert feast.calendars[0].night is False
    assert feast.calendars[0].ranges == (
        (schedule.Date(None, 12, 24), schedule.Date(None, 12, 26)),
        (schedule.Date(2026, 1, 1), schedule.Date(2026, 1, 1)),
    )
    assert week.active == (schedule.Moment(schedule.SUNSET, 0), schedule.Moment(schedule.SUNRISE, 0))
    assert week.steps == (schedule.Step(schedule.SUNSET, 10, 100), schedule.Step(schedule.FIXED, 1380, 50))
    assert week.calendars[0].weekdays == (1, 2, 3, 4, 5)
    assert (compiled.latitude_e6, compiled.longitude_e6, compiled.time_zone) == (1, 2, UTC)


def test_what_it_makes_survives_the_way_through_the_objects() -> None:
    compiled = talq.compile(DOCUMENT, 1, 2, UTC)
    assert schedule.from_objects(schedule.to_objects(compiled), 1, 2, UTC) == compiled


def changed(*path: Any, value: Any) -> dict[str, Any]:
    import copy

    document = copy.deepcopy(DOCUMENT)
    inner: Any = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("programs", 0, "switch_points", 1, "at"), "24:01", "programs.0.switch_points.1.at"),
        (("programs", 0, "switch_points", 1, "level"), 101, "programs.0.switch_points.1"),
        (("programs", 0, "active_period", "start"), "X", "programs.0.active_period.start"),
        (("programs", 0, "fade_s"), -1, "programs.0.fade_s"),
        (("calendar", 0, "program"), "None", "calendar.0.program"),
        (("calendar", 0, "ranges", 0, "end"), "12-26", "calendar.0.ranges.0.end"),
        (("calendar", 0, "ranges", 1, "start"), "2025-02-29", "calendar.0.ranges.1"),
        (("calendar", 1, "date_rule"), "0 * *", "calendar.1.date_rule"),
    ],
)
def test_a_refusal_names_the_documents_own_field(path: tuple[Any, ...], value: Any, field: str) -> None:
    with pytest.raises(schedule.ScheduleError) as refused:
        talq.compile(changed(*path, value=value), 1, 2, UTC)
    assert str(refused.value.path).startswith(field)
    assert refused.value.reason


def test_a_refusal_of_the_schedule_as_a_whole_keeps_its_place() -> None:
    with pytest.raises(schedule.ScheduleError) as refused:
        talq.compile(DOCUMENT, 91_000_000, 2, UTC)
    assert "latitude" in str(refused.value)
