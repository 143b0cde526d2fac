"""Observation through endpoints: the lamp's resource is observed by a peer that the test plays."""

import pytest

from firmware.coap import exchange
from firmware.coap import message as coap
from firmware.coap.blockwise import Block
from firmware.coap.message import ACK, CON, NON, OBSERVE, RST, Message
from tests.firmware.coap.street import LAMP, Street

PEER = ("192.0.2.7", 40000)
DAY_MS = 24 * 3600 * 1000


class Observer:
    """The peer: sends datagrams to the lamp, and keeps what it gets."""

    def __init__(self, street):
        self.street = street
        self.udp = street.network.open(PEER)
        self.got = []
        self.mid = 0

    async def send(self, message):
        if message.mid is None:
            self.mid += 1
            message.mid = self.mid
        self.udp.send(coap.encode(message), LAMP)
        return await self.receive()

    async def receive(self, ms=50):
        await self.street.clock.advance(ms)
        new = [coap.decode(data) for data, _ in self.udp._arrived]
        self.udp._arrived.clear()
        self.got += new
        return new

    async def observe(self, value=0, token=b"obs"):
        return (await self.send(Message(coap.GET, CON, None, token).add_path("3/0/13").add(OBSERVE, value)))[0]


class Observed:
    """The lamp's handler: accepts every observation."""

    def __init__(self, payload=b"0"):
        self.payload = payload
        self.observations = []

    def __call__(self, request):
        response = Message(coap.CONTENT, payload=self.payload).add(OBSERVE, 0)
        if request.observation is not None:
            self.observations.append(request.observation)
        return response


async def begin(street, payload=b"0"):
    """A peer that observes the lamp: returns (Observer, Observation)."""
    handler = street.lamp._server._handler = Observed(payload)
    observer = Observer(street)
    response = await observer.observe()
    assert response.uint(OBSERVE) == 1
    return observer, handler.observations[0]


async def test_a_new_state_reaches_the_observer_in_order():
    async with Street() as street:
        observer, observation = await begin(street)
        assert observation.is_active
        for number in (1, 2, 3):
            assert street.lamp.notify(observation, Message(coap.CONTENT, payload=b"%d" % number))
        got = await observer.receive()
        assert [message.payload for message in got] == [b"1", b"2", b"3"]
        assert [message.uint(OBSERVE) for message in got] == [2, 3, 4]
        assert all((message.type, message.token) == (NON, b"obs") for message in got)


async def test_a_handler_that_does_not_accept_begins_nothing():
    async with Street() as street:
        street.lamp._server._handler = lambda request: Message(coap.CONTENT, payload=b"0")
        response = await Observer(street).observe()
        assert response.option(OBSERVE) is None
        assert len(street.lamp.observations) == 0


async def test_an_error_and_a_request_of_another_kind_begin_nothing():
    async with Street() as street:
        street.lamp._server._handler = lambda request: Message(coap.NOT_FOUND).add(OBSERVE, 0)
        observer = Observer(street)
        assert (await observer.observe()).option(OBSERVE) is None
        street.lamp._server._handler = Observed()
        (response,) = await observer.send(Message(coap.POST).add(OBSERVE, 0))
        assert (response.code, response.option(OBSERVE)) == (coap.CONTENT, None)
        assert len(street.lamp.observations) == 0


async def test_asking_with_one_ends_it():
    async with Street() as street:
        observer, observation = await begin(street)
        response = await observer.observe(1)
        assert (response.code, response.option(OBSERVE)) == (coap.CONTENT, None)
        assert not observation.is_active
        assert not street.lamp.notify(observation, Message(coap.CONTENT))


@pytest.mark.parametrize("confirmable", [False, True])
async def test_a_reset_of_a_notification_ends_it_whatever_its_type(confirmable):
    async with Street() as street:
        ended = []
        street.lamp.observations.on_end = ended.append
        observer, observation = await begin(street)
        street.lamp.notify(observation, Message(coap.CONTENT), confirmable)
        (notification,) = await observer.receive()
        await observer.send(Message(coap.EMPTY, RST, notification.mid))
        assert ended == [observation]


async def test_an_observer_that_does_not_confirm_is_given_up():
    async with Street() as street:
        observer, observation = await begin(street)
        street.lamp.notify(observation, Message(coap.CONTENT), confirmable=True)
        got = await observer.receive(100_000)
        assert len(got) == 5
        assert not observation.is_active


async def test_while_one_is_being_confirmed_only_the_newest_state_waits():
    async with Street() as street:
        observer, observation = await begin(street)
        street.lamp.notify(observation, Message(coap.CONTENT, payload=b"1"), confirmable=True)
        for number in (2, 3):
            assert street.lamp.notify(observation, Message(coap.CONTENT, payload=b"%d" % number), confirmable=True)
        (first,) = await observer.receive()
        (second,) = await observer.send(Message(coap.EMPTY, ACK, first.mid))
        assert (first.payload, second.payload, second.type) == (b"1", b"3", CON)
        assert await observer.send(Message(coap.EMPTY, ACK, second.mid)) == []
        assert observation.is_active and observation.outgoing is None


async def test_once_a_day_a_notification_is_confirmable():
    async with Street() as street:
        observer, observation = await begin(street)
        await street.clock.advance(DAY_MS)
        street.lamp.notify(observation, Message(coap.CONTENT))
        assert (await observer.receive())[0].type == CON


async def test_an_error_is_told_and_ends_it():
    async with Street() as street:
        observer, observation = await begin(street)
        assert street.lamp.notify(observation, Message(coap.NOT_FOUND), confirmable=True)
        (notification,) = await observer.receive()
        assert (notification.code, notification.option(OBSERVE)) == (coap.NOT_FOUND, None)
        assert not observation.is_active
        await observer.send(Message(coap.EMPTY, ACK, notification.mid))


async def test_a_large_state_is_notified_by_its_first_block_and_the_rest_is_fetched():
    async with Street() as street:
        observer, observation = await begin(street)
        body = bytes(range(256)) * 4
        street.lamp.notify(observation, Message(coap.CONTENT, payload=body))
        (first,) = await observer.receive()
        assert (first.payload, first.option(coap.BLOCK2)) == (body[:512], Block(0, True, 5).encode())
        wish = Message(coap.GET, token=b"x").add_path("3/0/13").add(coap.BLOCK2, Block(1, False, 5).encode())
        (second,) = await observer.send(wish)
        assert second.payload == body[512:]
        assert second.option(coap.ETAG) == first.option(coap.ETAG)
        assert street.lamp._server._handler.observations == [observation]


async def test_a_state_that_cannot_be_sent_now_is_reported_as_such():
    async with Street() as street:
        _, observation = await begin(street)
        for _ in range(exchange.OUTGOING):
            street.lamp._exchange.ping(("192.0.2.99", 1), street.clock.now_ms)
        assert not street.lamp.notify(observation, Message(coap.CONTENT), confirmable=True)
        assert street.lamp.counters.dropped == 1
        assert not street.lamp.notify(observation, Message(coap.CONTENT, options=[(4, b"x" * 2000)]))
        assert street.lines[-1][0] == "notification failed"
        assert observation.is_active


async def test_an_answer_that_cannot_be_protected_begins_no_observation():
    async with Street() as street:

        def broken(message, binding, notification=False):
            raise ValueError("no numbers left")

        street.lamp._server._handler = Observed()
        street.lamp.security.protect_response = broken
        assert (await Observer(street).observe()).code == coap.INTERNAL_SERVER_ERROR
        assert len(street.lamp.observations) == 0


@pytest.mark.parametrize("seed", range(4))
async def test_in_bad_weather_the_newest_state_arrives_in_the_end(seed):
    async with Street(seed=seed, loss=0.0, repeat=0.2, delay_ms=(5, 400)) as street:
        handler = street.lamp._server._handler = Observed()
        observer = Observer(street)
        observer.udp.send(coap.encode(Message(coap.GET, CON, 1, b"obs").add(OBSERVE, 0)), LAMP)
        await observer.receive(2000)
        street.network.loss = 0.2
        (observation,) = handler.observations
        for number in range(5):
            street.lamp.notify(observation, Message(coap.CONTENT, payload=b"%d" % number), confirmable=True)
        for _ in range(200):
            for message in await observer.receive(500):
                if message.type == CON:
                    observer.udp.send(coap.encode(Message(coap.EMPTY, ACK, message.mid)), LAMP)
        newest = max(observer.got, key=lambda message: message.uint(OBSERVE) or 0)
        assert newest.payload == b"4"
        assert observation.is_active
