from pathlib import Path

import pytest

from firmware.hal import simulated_conditions
from firmware.hal.simulated_conditions import Watcher, defaults, parse


def test_a_lamp_in_good_health_on_a_quiet_night_is_the_default() -> None:
    quiet = defaults()
    assert (quiet.rtc_rate, quiet.supply_v, quiet.nominal_w, quiet.faults, quiet.lux) == (1, 230, 40, (), None)
    assert quiet.network is True


def test_every_name_can_be_given() -> None:
    given = parse(b'{"rtc_rate": 600, "supply_v": 228.5, "faults": ["lamp_failure"], "lux": 12, "network": false}')
    assert (given.rtc_rate, given.supply_v, given.faults, given.lux) == (600, 228.5, ("lamp_failure",), 12)
    assert given.network is False


def test_a_plan_of_the_clock_is_pairs_in_order() -> None:
    assert parse(b'{"rtc_plan": [[1000, 4000], [2000, 1]]}').rtc_plan == ((1000, 4000), (2000, 1))
    assert defaults().rtc_plan == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"\xff", "JSON"),
        (b"[]", "one JSON object"),
        (b'{"rtc_speed": 600}', "rtc_speed is unknown; known are"),
        (b'{"rtc_rate": 0}', "rtc_rate must be a number from 1"),
        (b'{"rtc_rate": "fast"}', "rtc_rate"),
        (b'{"rtc_rate": true}', "rtc_rate"),
        (b'{"rtc_rate": null}', "rtc_rate"),
        (b'{"supply_v": NaN}', "supply_v"),
        (b'{"lux": -1}', "lux"),
        (b'{"faults": "lamp_failure"}', "list of names"),
        (b'{"faults": ["gremlins"]}', "gremlins is unknown; known are control_gear_dead"),
        (b'{"faults": [7]}', "7 is unknown"),
        (b'{"network": 1}', "true or false"),
        (b'{"hangs": -1}', "hangs must be a number from 0"),
        (b'{"rtc_plan": 7}', "rtc_plan must hold at most 1000 pairs"),
        (b'{"rtc_plan": [[5]]}', "rtc_plan"),
        (b'{"rtc_plan": [[5, 0]]}', "rtc_plan"),
        (b'{"rtc_plan": [[9, 1], [9, 2]]}', "in order"),
        (b'{"rtc_plan": [["soon", 1]]}', "rtc_plan"),
    ],
)
def test_what_cannot_be_is_refused_by_name(text: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(text)


class Street:
    """A file, a watcher on it and the complaints that it made."""

    def __init__(self, folder: Path, text: str | None) -> None:
        self.path = folder / simulated_conditions.NAME
        self.complaints: list[str] = []
        if text is not None:
            self.path.write_text(text)
        self.watcher = Watcher(str(self.path), self.complaints.append)


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert Street(tmp_path, None).watcher.conditions == defaults()


def test_a_change_is_seen_after_a_quarter_of_a_second_and_not_before(tmp_path: Path) -> None:
    street = Street(tmp_path, '{"supply_v": 230}')
    street.path.write_text('{"supply_v": 231}')
    assert not street.watcher.look(249)
    assert street.watcher.look(250)
    assert street.watcher.conditions.supply_v == 231
    assert not street.watcher.look(500)


def test_a_rewrite_that_changes_nothing_is_no_change(tmp_path: Path) -> None:
    street = Street(tmp_path, '{"supply_v": 231}')
    street.path.write_text('{ "supply_v": 231 }')
    assert not street.watcher.look(300)


def test_a_torn_file_changes_nothing_and_is_told_once(tmp_path: Path) -> None:
    street = Street(tmp_path, '{"supply_v": 231}')
    street.path.write_text('{"supply_v"')
    assert not street.watcher.look(300)
    assert not street.watcher.look(600)
    assert street.watcher.conditions.supply_v == 231
    assert len(street.complaints) == 1
    assert "simulation.json" in street.complaints[0]


def test_a_wrong_file_stops_the_lamp_at_boot(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"simulation.json: rtc_rate"):
        Street(tmp_path, '{"rtc_rate": -1}')
