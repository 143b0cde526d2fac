"""Critical and elective options: RFC 7252 section 5.4."""

import pytest

from firmware.coap import message as coap
from firmware.coap import options
from firmware.coap.errors import Refused
from firmware.coap.message import Message


def request(*items):
    return Message(coap.GET, options=list(items))


def test_what_is_understood_stays():
    items = [(coap.URI_HOST, b"lamp"), (coap.URI_PATH, b"3"), (coap.URI_PATH, b"0"), (coap.ACCEPT, b"\x70")]
    message = request(*items)
    options.check(message)
    assert message.options == items


@pytest.mark.parametrize(
    "item",
    [
        (coap.IF_MATCH, b""),
        (coap.IF_NONE_MATCH, b""),
        (coap.OSCORE, b""),
        (65001, b"x"),
        (coap.URI_HOST, b""),  # too short
        (coap.ACCEPT, b"123"),  # too long
        (coap.URI_PATH, b"x" * 256),
    ],
)
def test_a_critical_option_that_is_not_understood_is_refused_by_number(item):
    with pytest.raises(Refused, match=f"option {item[0]} is critical") as caught:
        options.check(request(item))
    assert caught.value.code == coap.BAD_OPTION


def test_a_critical_option_may_not_come_twice():
    with pytest.raises(Refused, match="option 17"):
        options.check(request((coap.ACCEPT, b"\x70"), (coap.ACCEPT, b"\x6e")))


@pytest.mark.parametrize("number", [coap.PROXY_URI, coap.PROXY_SCHEME])
def test_a_request_to_a_proxy_is_refused_as_such(number):
    with pytest.raises(Refused, match="no proxy") as caught:
        options.check(request((number, b"coap")))
    assert caught.value.code == coap.PROXYING_NOT_SUPPORTED


def test_elective_options_that_are_not_understood_are_left_out():
    message = request(
        (2, b"x"), (coap.OBSERVE, b"1234"), (coap.CONTENT_FORMAT, b"\x70"), (coap.CONTENT_FORMAT, b"\x6e")
    )
    options.check(message)
    assert message.options == [(coap.CONTENT_FORMAT, b"\x70")]
