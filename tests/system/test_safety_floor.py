"""A breached server against the street: at night it commands and schedules darkness, and there is light."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.town import AFTERNOON_MS, HOUR_MS, Town, running_town
from tests.system.waiting import until

FLOOR = 30
DARK = {
    "name": "Dark",
    "programs": [{"name": "Dark", "switch_points": [{"at": "12:00", "level": 0}]}],
    "calendar": [{"program": "Dark", "type": "night"}],
}
WORDS = f"manual command 0 %, held at the safety floor of {FLOOR} % until sunrise"


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, image: Path) -> Iterator[Town]:
    """At 21:00 two lamps, of which the second has no floor; both were provisioned with their place."""
    settings = {0: {"safety_floor": FLOOR}}
    directory = tmp_path_factory.mktemp("floor")
    with running_town(directory, image, 2, start_ms=AFTERNOON_MS + 8 * HOUR_MS, settings=settings) as town:
        yield town


def never_below(town: Town) -> bool:
    return all(edge.closed and edge.permille >= FLOOR * 10 for edge in town.edges(0))


def test_a_command_of_darkness_is_answered_and_held_and_said(street: Town) -> None:
    overrides = [street.override(0, number, duration_s=600) for number in (0, 1)]
    outcomes = [street.becomes(overrides[number], number, "executed") for number in (0, 1)]
    street.shines(0, FLOOR)
    street.shines(1, 0)
    assert outcomes[1]["detail"] == ""
    until(lambda: WORDS in street.outcome(overrides[0], 0)["detail"], 10, "the outcome has the lamp's words")
    until(lambda: (street.state(0)["state"]["explanation"] or "").startswith(WORDS), 10, "the report is there")
    state = street.state(0)["state"]
    assert (state["safety_floor"], state["command_in_action"], state["level"]) == (FLOOR, FLOOR, FLOOR)
    explained = street.api.get(f"/lamps/{street.ids[0]}/explain")
    assert explained["agrees"] is True, explained
    assert explained["expected"]["words"] == WORDS
    assert street.lamps[0].log().count(WORDS) == 1
    for number in (0, 1):
        street.cancel(overrides[number], number)
        street.shines(number, 80)
    assert never_below(street)


def test_neither_a_schedule_of_darkness_nor_a_power_cut_on_top_of_it_crosses_the_floor(street: Town) -> None:
    schedule = street.api.post("/schedules", DARK)["id"]
    street.api.post(f"/schedules/{schedule}/assignments", {"lamp_ids": street.ids})
    street.shines(1, 0, 20)
    street.shines(0, FLOOR, 20)
    street.override(0, 0, duration_s=600)
    street.lamps[0].power_off()
    street.power_on(0)
    street.shines(0, FLOOR, 30)
    assert never_below(street)
    assert street.lamps[0].exit_codes == []
