"""Types of request fields."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from backend.errors import BadInput
from backend.kit.fields import Hex, Input, Latitude, Name, Text, TimeZoneName, degrees, micro_degrees
from backend.kit.sorting import parse_sort


class Body(Input):
    name: Name = "x"
    text: Text = ""
    zone: TimeZoneName = "UTC"
    key: Hex = ""
    latitude: Latitude = 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "  "),
        ("name", "a" * 121),
        ("text", "a\0b"),
        ("text", "a\nb"),
        ("text", "\ud800"),
        ("zone", "Mars/Olympus"),
        ("zone", "../../etc/passwd"),
        ("zone", "Asia"),
        ("key", "abc"),
        ("key", "zz"),
        ("latitude", 90.1),
        ("latitude", math.nan),
        ("latitude", math.inf),
        ("unknown", 1),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_field(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate({field: value})
    assert [error["loc"] for error in refused.value.errors()] == [(field,)]


def test_good_values_are_taken_and_trimmed() -> None:
    body = Body(name=" Lê Lợi ", zone="Asia/Ho_Chi_Minh", key="C0FFee", latitude=10.7769)
    assert (body.name, body.zone, body.key) == ("Lê Lợi", "Asia/Ho_Chi_Minh", "c0ffee")


@given(st.integers(-180_000_000, 180_000_000))
def test_micro_degrees_survive_the_way_out_and_in(micro: int) -> None:
    assert micro_degrees(degrees(micro)) == micro


def test_sort_names_what_it_knows() -> None:
    assert parse_sort("-name", {"name": 1}) == (1, True)
    assert parse_sort("name", {"name": 1}) == (1, False)
    with pytest.raises(BadInput, match="choose one of id, name"):
        parse_sort("--name", {"id": 1, "name": 2})
