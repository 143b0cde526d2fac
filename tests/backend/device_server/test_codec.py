import pytest

from backend.device_server import codec
from backend.device_server.errors import BAD_REQUEST, UNSUPPORTED_FORMAT, Refusal
from backend.device_server.values import ValueRefused
from contract.paths import parse
from contract.senml import SENML_CBOR, SENML_JSON, TLV


@pytest.mark.parametrize(
    ("formats", "version", "chosen"),
    [
        ((110, 112), "1.1", SENML_CBOR),
        ((110, 11542), "1.1", SENML_JSON),
        ((11542,), "1.1", TLV),
        ((), "1.0", TLV),
        ((), "1.1", SENML_CBOR),
        ((60,), "1.1", SENML_CBOR),
    ],
)
def test_a_lamp_is_written_to_in_the_smallest_format_that_it_knows(formats, version, chosen):
    assert codec.choose(formats, version) == chosen


def refused(code, *arguments):
    with pytest.raises(Refusal) as caught:
        codec.decode(*arguments)
    assert caught.value.code == code


def test_formats_that_need_a_path_are_refused_without_one():
    for content_format in (None, 0, 42, 60, 11542):
        refused(UNSUPPORTED_FORMAT, content_format, b"1", None, 0)
    refused(UNSUPPORTED_FORMAT, 60, b"1", parse("/3/0/0"), 0)


def test_what_cannot_be_read_is_a_bad_request():
    base = parse("/3416/0/1")
    for content_format, payload in ((112, b""), (110, b""), (11542, b"\xc8"), (0, b"x"), (42, b"x")):
        refused(BAD_REQUEST, content_format, payload, base, 0)


def test_values_become_single_ones():
    assert codec.flatten(parse("/3416/0"), {1: 40, 13: {0: 5, 2: 6}}) == [
        (parse("/3416/0/1"), 40),
        (parse("/3416/0/13/0"), 5),
        (parse("/3416/0/13/2"), 6),
    ]
    for path, value in (("/3416", {0: {1: 40}}), ("/3416/0", 40), ("/3416/0/13/0", {0: 1})):
        with pytest.raises(ValueRefused):
            codec.flatten(parse(path), value)


def test_a_resource_is_not_written_as_one_and_as_many():
    with pytest.raises(ValueRefused, match="written twice"):
        codec.encode(TLV, [(parse("/9/0/1"), 1), (parse("/9/0/1/0"), 2)])
