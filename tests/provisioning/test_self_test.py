"""What the board says of itself becomes a verdict that a person can act on."""

from typing import Any

import pytest

from provisioning import self_test

PLAN = self_test.Plan(bytes(6), "urn:a", b"\x01", has_meter=True, has_photocell=True, nominal_w=100, ssid="street")
GOOD: dict[str, Any] = {
    "word": 4,
    "free": 40_000,
    "mac": "000000000000",
    "who": ["urn:a", "01"],
    "sweep": [[98.0, 230], [70.2, 230], [41.0, 230], [12.0, 230]],
    "relay": [[0.1, 230], [98.0, 230]],
    "lux": 120.5,
    "air": [["street", -60], ["street", -85]],
    "flash": [400, 1_000_000],
    "celsius": 40.0,
}


def verdicts(**changes: Any) -> dict[str, bool | None]:
    return {one.name: one.passed for one in self_test.judge({**GOOD, **changes}, PLAN)}


def test_a_good_board_passes_everything() -> None:
    assert verdicts() == dict.fromkeys(self_test.NAMES, True)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("memory", {"free": 39_000}),
        ("memory", {"word": 8}),
        ("mac", {"mac": "000000000001"}),
        ("identity", {"who": ["urn:b", "01"]}),
        ("sweep", {"sweep": [[98.0, 230], [98.0, 230], [98.0, 230], [98.0, 230]]}),
        ("sweep", {"sweep": [[0.0, 230], [0.0, 230], [0.0, 230], [0.0, 230]]}),
        ("sweep", {"sweep": [[40.0, 230], [30.0, 230], [20.0, 230], [10.0, 230]]}),
        ("sweep", {"sweep": [None] * 4}),
        ("relay", {"relay": [[97.0, 230], [98.0, 230]]}),
        ("relay", {"relay": [[0.0, 230], [0.0, 230]]}),
        ("photocell", {"lux": None}),
        ("photocell", {"lux": 0}),
        ("air", {"air": []}),
        ("air", {"air": [["street", -85]]}),
        ("flash", {"flash": [5000, 1_000_000]}),
        ("flash", {"flash": [400, 1000]}),
        ("heat", {"celsius": 140}),
    ],
)
def test_one_thing_that_is_wrong_is_named_and_nothing_else(name: str, change: dict[str, Any]) -> None:
    assert [found for found, passed in verdicts(**change).items() if not passed] == [name]


def test_what_is_not_fitted_is_not_tested() -> None:
    plan = self_test.Plan(bytes(6), "urn:a", b"\x01")
    told = {**GOOD, "sweep": [None] * 4, "relay": [None, None], "lux": None, "air": []}
    found = {one.name: one.passed for one in self_test.judge(told, plan)}
    assert [name for name, passed in found.items() if passed is None] == ["sweep", "relay", "photocell", "air"]
    assert not self_test.failed(self_test.judge(told, plan))


@pytest.mark.parametrize("told", [None, [], "x", {}, {"free": "a lot"}, {"air": 3, "flash": "no", "sweep": 1}])
def test_an_answer_that_makes_no_sense_has_not_passed(told: Any) -> None:
    assert self_test.failed(self_test.judge(told, PLAN))


def test_the_heap_that_may_grow_counts() -> None:
    assert verdicts(free=20_000, growth=20_000)["memory"]
