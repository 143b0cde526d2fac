"""The endpoint under OSCORE, both ends ours: blocks, an Echo after a restart and replays, in bad weather."""

import pytest

from firmware.coap import message as coap
from firmware.coap.endpoint import Plain
from firmware.coap.errors import Timeout, Unverified
from firmware.coap.message import OBSERVE, Message
from firmware.oscore.context import Context
from firmware.oscore.protect import Oscore
from tests.firmware.coap.street import LAMP, SERVER, Street

BODY = bytes(range(256)) * 12
SECRET = bytes(range(16))


def security(ours, theirs, seed):
    """One side after a start: without a replay window, so that it asks for an Echo."""
    return Oscore(Context(ours, theirs, SECRET, lambda limit: None), lambda n: bytes((seed,)) * n)


def street(**network):
    return Street(security(b"lamp", b"srv", 1), security(b"srv", b"lamp", 2), **network)


@pytest.mark.parametrize("seed", range(4))
async def test_large_bodies_come_through_and_once_in_bad_weather(seed):
    async with street(seed=seed, loss=0.15, repeat=0.3, delay_ms=(5, 2500)) as both:
        both.asked.response = Message(coap.CHANGED, payload=BODY)
        response = await both.ask(payload=BODY[::-1])
        assert (response.code, response.payload) == (coap.CHANGED, BODY)
        assert [request.payload for request in both.asked.seen] == [BODY[::-1]]


async def test_the_path_and_the_payload_are_not_on_the_wire():
    async with street() as both:
        await both.ask(path="secretpath", payload=b"secretload")
        wire = b"".join(datagram.data for datagram in both.network.trace)
        assert b"secret" not in wire
        assert both.asked.seen[0].path() == "secretpath"


async def test_a_replay_under_another_message_id_is_refused_and_not_executed():
    async with street() as both:
        await both.ask(payload=b"on")
        genuine = both.messages(LAMP, SERVER)[-1]
        genuine.mid = (genuine.mid + 1000) & 0xFFFF
        both.lamp.udp.send(coap.encode(genuine), SERVER)
        await both.clock.advance(100)
        assert len(both.asked.seen) == 1
        assert both.messages(SERVER, LAMP)[-1].code == coap.UNAUTHORIZED


async def test_a_tampered_request_is_refused_and_leaves_nothing_behind():
    async with street() as both:
        await both.ask(payload=b"on")
        genuine = both.messages(LAMP, SERVER)[-1]
        genuine.mid = (genuine.mid + 1000) & 0xFFFF
        genuine.payload = genuine.payload[:-1] + bytes((genuine.payload[-1] ^ 1,))
        (number,) = [value for option, value in genuine.options if option == coap.OSCORE]
        genuine.remove(coap.OSCORE).add(coap.OSCORE, number[:1] + b"\x77" + number[2:])
        both.lamp.udp.send(coap.encode(genuine), SERVER)
        await both.clock.advance(100)
        assert both.messages(SERVER, LAMP)[-1].code == coap.BAD_REQUEST
        assert (await both.ask(payload=b"off")).payload == b"got off"


async def test_a_response_that_is_harmed_on_its_way_is_asked_for_again_and_nothing_executes_twice():
    async with street() as both:
        await both.ask(payload=b"first")
        send, harmed = both.server.udp.send, []

        def harm_the_first(data, address):
            if not harmed:
                harmed.append(data)
                data = data[:-1] + bytes((data[-1] ^ 1,))
            return send(data, address)

        both.server.udp.send = harm_the_first
        assert (await both.ask(payload=b"on")).payload == b"got on"
        assert [request.payload for request in both.asked.seen] == [b"first", b"on"]
        first, second = both.messages(LAMP, SERVER)[-2:]
        assert first.mid == second.mid
        assert [words for words, _ in both.lines] == ["response refused"]


async def test_a_server_whose_every_response_is_harmed_is_given_up_in_the_end():
    async with street() as both:
        await both.ask(payload=b"first")
        send = both.server.udp.send
        both.server.udp.send = lambda data, address: send(data[:-1] + bytes((data[-1] ^ 1,)), address)
        with pytest.raises(Timeout, match="after 5 transmissions"):
            await both.ask(payload=b"on")
        assert [request.payload for request in both.asked.seen] == [b"first", b"on"]


async def test_a_lamp_that_the_server_does_not_know_is_told_at_once():
    async with Street(security(b"new", b"srv", 1), security(b"srv", b"lamp", 2)) as both:
        with pytest.raises(Unverified, match="knows the keys"):
            await both.ask()


async def test_an_unprotected_request_is_refused():
    async with Street(Plain(), security(b"srv", b"lamp", 2)) as both:
        assert (await both.ask()).code == coap.UNAUTHORIZED
        assert both.asked.seen == []


async def test_notifications_are_protected_each_with_a_number_of_its_own():
    async with street() as both:
        observations = []

        def handler(request):
            observations.append(request.observation)
            return Message(coap.CONTENT, payload=b"0").add(OBSERVE, 0)

        both.server._server._handler = handler
        response = await both.ask(coap.GET, options=[(OBSERVE, b"")])
        assert response.payload == b"0"
        for payload in (b"1", b"2"):
            assert both.server.notify(observations[0], Message(coap.CONTENT, payload=payload))
            await both.clock.settle()
        first, second = both.messages(SERVER, LAMP)[-2:]
        assert first.option(coap.OSCORE) != second.option(coap.OSCORE)
        assert (first.code, first.token) == (coap.CONTENT, second.token)
