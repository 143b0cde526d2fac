"""The registry of observations."""

import pytest

from firmware.coap import message as coap
from firmware.coap.message import CON, NON, OBSERVE, Message
from firmware.coap.observe import CONFIRM_EVERY_MS, OBSERVATIONS, SEQUENCE_MASK, Observations

PEER = ("192.0.2.2", 5683)


def wish(value, code=coap.GET):
    message = Message(code).add_path("3/0/13")
    return message if value is None else message.add(OBSERVE, value)


def begin(all_, token=b"t", now_ms=0):
    observation = all_.offer(wish(0), "binding", PEER, token, now_ms)
    all_.begin(observation)
    return observation


def test_an_observation_begins_when_the_resource_accepts_it():
    all_ = Observations()
    observation = all_.offer(wish(0), "binding", PEER, b"t", 0)
    assert not observation.is_active and len(all_) == 0
    all_.begin(observation)
    assert observation.is_active and list(all_) == [observation]
    assert (observation.request.path(), observation.binding) == ("3/0/13", "binding")


@pytest.mark.parametrize("request_", [wish(None), wish(2), wish(0, coap.POST)])
def test_other_requests_observe_nothing(request_):
    assert Observations().offer(request_, None, PEER, b"t", 0) is None


def test_a_composite_read_may_be_observed():
    assert Observations().offer(wish(0, coap.FETCH), None, PEER, b"t", 0) is not None


def test_the_same_token_begins_anew_and_the_end_is_told():
    ended = []
    all_ = Observations(ended.append)
    first = begin(all_)
    second = begin(all_)
    assert ended == [first] and list(all_) == [second]
    assert not first.is_active


def test_asking_with_one_ends_the_observation_of_that_token():
    all_ = Observations()
    first, second = begin(all_, b"1"), begin(all_, b"2")
    assert all_.offer(wish(1), None, PEER, b"1", 0) is None
    assert list(all_) == [second]
    all_.end(first)  # for the second time: nothing happens
    assert list(all_) == [second]


def test_there_is_room_for_a_bounded_number():
    all_ = Observations()
    for number in range(OBSERVATIONS):
        begin(all_, bytes((number,)))
    assert all_.offer(wish(0), None, PEER, b"more", 0) is None


def test_a_reset_ends_the_observation_whose_message_it_names():
    all_ = Observations()
    observation = begin(all_)
    observation.mid = 7
    all_.reject(PEER, 8)
    all_.reject(("192.0.2.9", 1), 7)
    assert observation.is_active
    all_.reject(PEER, 7)
    assert not observation.is_active


def test_a_notification_carries_token_and_sequence_number():
    observation = begin(Observations())
    message = observation.dress(Message(coap.CONTENT).add(OBSERVE, 99), 5, False, 0)
    assert (message.type, message.token, message.options) == (NON, b"t", [(OBSERVE, b"\5")])
    assert observation.dress(Message(coap.NOT_FOUND), 6, True, 0).options == []


def test_one_notification_a_day_is_confirmable():
    observation = begin(Observations(), now_ms=1000)

    def type_at(ms):
        return observation.dress(Message(coap.CONTENT), 1, False, ms).type

    assert type_at(1000 + CONFIRM_EVERY_MS - 1) == NON
    assert type_at(1000 + CONFIRM_EVERY_MS) == CON
    assert type_at(1000 + CONFIRM_EVERY_MS + 1) == NON


def test_sequence_numbers_have_24_bits():
    all_ = Observations()
    assert [all_.next_sequence(), all_.next_sequence()] == [1, 2]
    all_._sequence = SEQUENCE_MASK
    assert all_.next_sequence() == 0
