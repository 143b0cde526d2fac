"""A schedule as an operator writes it."""

import copy
from typing import Any

_SCHEDULE: dict[str, Any] = {
    "name": "Centre",
    "programs": [
        {
            "name": "Week",
            "active_period": {"start": "S", "end": "R"},
            "fade_s": 60,
            "off_when_inactive": True,
            "switch_points": [{"at": "S", "level": 100}, {"at": "23:00", "level": 50}, {"at": "R-30", "level": 80}],
        },
        {"name": "Feast", "switch_points": [{"at": "18:00", "level": 100}, {"at": "06:00", "level": 0}]},
    ],
    "calendar": [
        {"program": "Feast", "type": "night", "ranges": [{"start": "--12-24", "end": "--12-26"}]},
        {"program": "Week", "type": "night", "date_rule": "* * *"},
    ],
}


def content(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(_SCHEDULE) | changes
