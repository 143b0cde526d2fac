import pytest

from backend.device_server.values import (
    ValueRefused,
    coerce,
    format_text,
    parse_link,
    parse_text,
    type_at,
    type_of,
)
from contract.paths import parse
from contract.senml import ObjectLink


def test_types_come_from_the_contract():
    assert type_of(3416, 1) == "Integer"
    assert type_of(3416, 999) is None
    assert type_of(9, 9) is None
    assert type_at(parse("/3416/0")) is None
    assert type_at(parse("/3416/0/54")) == "Boolean"


@pytest.mark.parametrize(
    ("kind", "value", "held"),
    [
        ("Integer", 3.0, 3),
        ("Integer", -(2**63), -(2**63)),
        ("Time", 1700000000, 1700000000),
        ("Float", 3, 3.0),
        ("Boolean", True, True),
        ("String", "x", "x"),
        ("Opaque", b"x", b"x"),
        ("Objlnk", "3416:0", ObjectLink(3416, 0)),
        ("Objlnk", ObjectLink(1, 2), ObjectLink(1, 2)),
        (None, 2.5, 2.5),
        (None, True, True),
        (None, b"", b""),
        (None, "x", "x"),
        (None, ObjectLink(1, 2), ObjectLink(1, 2)),
    ],
)
def test_a_value_takes_the_type_of_its_resource(kind, value, held):
    result = coerce(kind, value)
    assert result == held and type(result) is type(held)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("Integer", 2.5, "fraction"),
        ("Integer", 2**63, "64 bits"),
        ("Integer", 1e300, "64 bits"),
        (None, 2**63, "64 bits"),
        ("Float", 10**400, "64 bits"),
        ("Integer", "1", "expected Integer, got text"),
        ("Integer", True, "expected Integer, got a boolean"),
        ("Float", float("nan"), "finite"),
        ("Float", float("inf"), "finite"),
        ("Boolean", 1, "got a number"),
        ("String", b"x", "expected String, got bytes"),
        ("Opaque", "x", "expected Opaque"),
        ("", 1, "an executable"),
        ("String", ObjectLink(1, 2), "expected String"),
        (None, None, "a value, got a NoneType"),
        (None, [1], "got a list"),
        ("Objlnk", "3416", "two numbers"),
        ("Objlnk", "3416:70000", "65535"),
        ("Objlnk", "999999:0", "65535"),
    ],
)
def test_a_value_of_another_type_is_refused(kind, value, reason):
    with pytest.raises(ValueRefused, match=reason):
        coerce(kind, value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("Integer", "-5", -5),
        ("Time", "7", 7),
        ("Float", "2.5", 2.5),
        ("Boolean", "1", True),
        ("Boolean", "0", False),
        ("String", "1", "1"),
        ("Opaque", "AQI=", b"\1\2"),
        ("Objlnk", "1:2", ObjectLink(1, 2)),
        (None, "x", "x"),
    ],
)
def test_text_and_value_belong_together(kind, text, value):
    assert parse_text(kind, text) == value
    assert format_text(value) == text


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("Integer", "x", "expected Integer"),
        ("Integer", str(2**64), "64 bits"),
        ("Float", "nan", "finite"),
        ("Boolean", "true", "0 or 1"),
        ("Opaque", "$", "base64"),
        ("Objlnk", "1-2", "two numbers"),
    ],
)
def test_text_that_is_no_value_is_refused(kind, text, reason):
    with pytest.raises(ValueRefused, match=reason):
        parse_text(kind, text)


def test_a_link_is_two_numbers():
    assert parse_link("65535:65535") == ObjectLink(65535, 65535)
