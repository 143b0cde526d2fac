"""The endpoint over a network in memory, on virtual time."""

import asyncio

import pytest

from firmware.coap import endpoint as module
from firmware.coap import exchange
from firmware.coap import message as coap
from firmware.coap.blockwise import Block
from firmware.coap.endpoint import Plain
from firmware.coap.errors import Busy, Refused, Reset, Timeout, TooLarge, Unprotected, Unverified
from firmware.coap.message import ACK, CON, NON, RST, Message
from firmware.coap.tuning import Tuning
from tests.firmware.coap.street import LAMP, SERVER, Street

BODY = bytes(range(256)) * 12


async def test_a_request_comes_back_with_its_answer():
    async with Street() as street:
        response = await street.ask(payload=b"21.5", options=[(coap.URI_QUERY, b"q=1")])
        assert (response.code, response.payload) == (coap.CONTENT, b"got 21.5")
        (request,) = street.asked.seen
        assert (request.path(), request.query()) == ("dp", ["q=1"])
        assert street.clock.now_ms == 20
        assert (street.lamp.counters.sent, street.lamp.counters.received) == (1, 1)


async def test_a_non_confirmable_request_is_answered_too():
    async with Street() as street:
        assert (await street.ask(confirmable=False)).type == NON


async def test_a_lost_datagram_is_sent_again():
    async with Street() as street:
        street.network.drop = lambda datagram: len(street.network.trace) in (0, 2)
        await street.ask(payload=b"x")
        assert len(street.asked.seen) == 1
        assert (street.lamp.counters.retransmitted, street.server.counters.duplicates) == (2, 1)
        assert 6000 <= street.clock.now_ms <= 9100


async def test_nobody_at_home_is_a_time_out_with_advice():
    async with Street() as street:
        street.network.close(SERVER)
        with pytest.raises(Timeout, match="check the network"):
            await street.ask()
        assert 62_000 <= street.clock.now_ms <= 93_000


async def test_the_caller_may_be_less_patient():
    async with Street() as street:
        street.network.close(SERVER)
        with pytest.raises(Timeout):
            await street.ask(timeout_ms=5000)
        assert street.clock.now_ms == 5000


async def test_a_cancelled_request_leaves_nothing_behind():
    async with Street() as street:
        street.network.close(SERVER)
        task = asyncio.create_task(street.lamp.request(coap.GET, "", SERVER))
        await street.clock.advance(1000)
        task.cancel()
        await street.clock.advance(100_000)
        assert len(street.network.trace) == 1


async def test_requests_go_one_after_the_other_and_too_many_are_refused():
    async with Street() as street:
        requests = [street.lamp.request(coap.GET, str(number), SERVER) for number in range(exchange.OUTGOING + 1)]
        results = await street.clock.run(asyncio.wait_for(asyncio.gather(*requests, return_exceptions=True), 60))
        assert [request.path() for request in street.asked.seen] == list("01234567")
        assert isinstance(results[-1], Busy)
        assert street.clock.now_ms == 20 * exchange.OUTGOING


async def test_large_bodies_travel_in_blocks_both_ways():
    async with Street() as street:
        street.asked.response = Message(coap.CHANGED, payload=BODY)
        response = await street.ask(payload=BODY[::-1])
        assert [request.payload for request in street.asked.seen] == [BODY[::-1]]
        assert (response.code, response.payload) == (coap.CHANGED, BODY)
        assert max(len(item.data) for item in street.network.trace) < 600


@pytest.mark.parametrize("seed", range(6))
async def test_blocks_survive_loss_repeats_and_reordering(seed):
    network = {"seed": seed, "loss": 0.15, "repeat": 0.2, "delay_ms": (5, 3000)}
    async with Street(**network) as street:
        street.asked.response = Message(coap.CHANGED, payload=BODY)
        response = await street.ask(payload=BODY[::-1])
        assert [request.payload for request in street.asked.seen] == [BODY[::-1]]
        assert response.payload == BODY


@pytest.mark.parametrize("seed", range(6))
async def test_every_report_is_handled_exactly_once_in_bad_weather(seed):
    async with Street(seed=seed, loss=0.2, repeat=0.3, delay_ms=(5, 4000)) as street:
        for number in range(10):
            await street.ask(payload=b"%d" % number)
        assert [request.payload for request in street.asked.seen] == [b"%d" % number for number in range(10)]
        assert street.server.counters.duplicates > 0


async def test_one_block_can_be_asked_for_by_itself():
    async with Street() as street:
        street.asked.response = Message(coap.CONTENT, payload=BODY)
        wish = Block(3, False, 5).encode()
        response = await street.ask(coap.GET, options=[(coap.BLOCK2, wish)])
        assert response.payload == BODY[1536:2048]


async def test_a_body_beyond_the_limit_is_refused_and_an_answer_beyond_it_given_up():
    async with Street() as street:
        response = await street.ask(payload=b"x" * 9000)
        assert (response.code, response.uint(coap.SIZE1)) == (coap.REQUEST_ENTITY_TOO_LARGE, 8192)
        assert response.payload == b"a request has at most 8192 bytes here; send it in parts"
        street.asked.response = Message(coap.CONTENT, payload=b"x" * 9000)
        with pytest.raises(TooLarge, match="ask for a smaller part"):
            await street.ask(coap.GET)


async def test_a_slow_handler_is_acknowledged_and_answered_separately():
    async with Street() as street:

        async def slow(request):
            await street.server.board.sleep_ms(30_000)
            return Message(coap.CHANGED, payload=b"flashed")

        street.server._server._handler = slow
        response = await street.ask()
        assert (response.type, response.payload) == (CON, b"flashed")
        assert [message.type for message in street.messages(SERVER, LAMP)] == [ACK, CON]
        assert street.clock.now_ms == pytest.approx(30_000, abs=100)
        await street.clock.advance(10_000)
        assert len(street.network.trace) == 4  # the separate response was acknowledged


async def test_a_separate_response_that_nobody_confirms_is_given_up():
    async with Street() as street:

        async def slow(request):
            await street.server.board.sleep_ms(3000)
            return Message(coap.CHANGED)

        street.server._server._handler = slow
        with pytest.raises(Timeout):
            await street.ask(timeout_ms=2000)
        street.network.close(LAMP)
        await street.clock.advance(100_000)
        assert [message.type for message in street.messages(SERVER, LAMP)] == [ACK] + [CON] * 5
        assert (await street.clock.run(street.server.request(coap.GET, "", SERVER))).code == coap.CHANGED


async def test_a_block_beyond_the_end_of_a_read_is_refused():
    async with Street() as street:
        response = await street.ask(coap.GET, options=[(coap.BLOCK2, Block(9, False, 5).encode())])
        assert (response.code, response.payload) == (coap.BAD_REQUEST, b"there is no block 9 in this answer")


async def test_an_endpoint_needs_no_log():
    async with Street() as street:
        street.lamp._log = module.Endpoint(street.lamp.board, None, Plain(), None)._log
        street.lamp.udp.deliver(OSError(12, "ENOMEM"))
        await street.clock.advance(2 * module.PAUSE_MS)
        assert (await street.ask()).code == coap.CONTENT


async def test_a_slow_handler_that_fails_is_answered_too():
    async with Street() as street:

        async def slow(request):
            await street.server.board.sleep_ms(10)
            raise KeyError("secret")

        street.server._server._handler = slow
        response = await street.ask()
        assert (response.code, response.payload) == (coap.INTERNAL_SERVER_ERROR, b"")


async def test_a_handler_that_is_still_at_work_ends_with_the_endpoint():
    async with Street() as street:
        street.server._server._handler = lambda request: street.server.board.sleep_ms(10**9)
        with pytest.raises(Timeout, match="no answer came in time"):
            await street.ask()


@pytest.mark.parametrize(
    ("error", "code", "payload"),
    [
        (KeyError("secret"), coap.INTERNAL_SERVER_ERROR, b""),
        (MemoryError(), coap.INTERNAL_SERVER_ERROR, b""),
        (Refused(coap.NOT_FOUND, "no such lamp"), coap.NOT_FOUND, b"no such lamp"),
    ],
)
async def test_a_handler_that_raises_is_answered_without_details(error, code, payload):
    async with Street() as street:
        street.asked.error = error
        response = await street.ask()
        assert (response.code, response.payload) == (code, payload)
        counters = street.server.counters
        assert (counters.refused, counters.failed) == ((1, 0) if payload else (0, 1))
        assert [words for words, _ in street.lines] == ([] if payload else ["handler failed"])


async def test_a_handler_that_gives_nothing_usable_is_answered():
    async with Street() as street:
        street.server._server._handler = lambda request: None
        assert (await street.ask()).code == coap.INTERNAL_SERVER_ERROR


async def test_unknown_critical_options_and_bad_text_are_refused_by_name():
    async with Street() as street:
        response = await street.ask(options=[(65001, b"x")])
        assert (response.code, response.payload) == (
            coap.BAD_OPTION,
            b"option 65001 is critical and not understood here; leave it out",
        )
        street.server._server._handler = lambda request: Message(coap.CONTENT, payload=request.path().encode())
        response = await street.ask(path="", options=[(coap.URI_PATH, b"\xff")])
        assert (response.code, response.payload) == (coap.BAD_REQUEST, b"a path segment is not UTF-8 text")


async def test_a_response_that_cannot_be_sent_becomes_a_bare_error():
    async with Street() as street:
        street.asked.response = Message(coap.CONTENT, options=[(coap.ETAG, b"x" * 2000)])
        assert (await street.ask()).code == coap.INTERNAL_SERVER_ERROR
        assert street.lines[0][0] == "answering failed"


async def test_a_reset_ends_the_request():
    async with Street() as street:
        street.network.close(SERVER)
        udp = street.network.open(SERVER)
        task = asyncio.create_task(street.lamp.request(coap.GET, "", SERVER))
        await street.clock.advance(50)
        (request,) = street.messages(LAMP, SERVER)
        udp.send(coap.encode(Message(coap.EMPTY, RST, request.mid)), LAMP)
        with pytest.raises(Reset, match="register again"):
            await street.clock.run(asyncio.wait_for(task, 1))


async def test_a_ping_is_answered_and_one_to_nobody_times_out():
    async with Street() as street:
        await street.clock.run(street.lamp.ping(SERVER))
        assert street.clock.now_ms == 20
        street.network.close(SERVER)
        with pytest.raises(Timeout):
            await street.clock.run(street.lamp.ping(SERVER))


async def test_garbage_does_not_stop_the_receiver():
    async with Street() as street:
        for data in (b"", b"\xff", b"\x40", bytes(1280), b"\x40\x01\x00\x01\xff", b"\x7f" * 2000):
            street.server.udp.deliver(data, LAMP)
        assert (await street.ask()).code == coap.CONTENT
        assert street.server.counters.malformed == 6


async def test_failures_of_the_socket_do_not_stop_the_receiver():
    async with Street() as street:
        for failure in (OSError(12, "ENOMEM"), MemoryError(), ValueError("odd")):
            street.server.udp.deliver(failure)
        await street.clock.advance(2 * module.PAUSE_MS)
        assert (await street.ask()).code == coap.CONTENT
        assert street.server.counters.failed == 3


async def test_a_datagram_that_the_network_does_not_take_is_lost_and_repeated():
    async with Street() as street:
        street.lamp.udp.failures.append(OSError(12, "ENOMEM"))
        assert (await street.ask()).code == coap.CONTENT
        assert street.lamp.counters.dropped == 1
        street.lamp.udp.send = lambda data, address: False
        with pytest.raises(Timeout):
            await street.ask(timeout_ms=2500)
        assert street.lamp.counters.dropped == 3


async def test_a_failure_while_polling_does_not_stop_the_timer():
    async with Street() as street:
        true_poll = street.lamp._exchange.poll
        failures = [MemoryError()]

        def poll(now_ms):
            if failures:
                raise failures.pop()
            return true_poll(now_ms)

        street.lamp._exchange.poll = poll
        street.network.drop = lambda datagram: len(street.network.trace) == 0
        assert (await street.ask()).code == coap.CONTENT
        assert ("polling failed", {"error": "MemoryError()"}) in street.lines


class Lock(Plain):
    """A security that vouches for messages with a mark in front of the payload, and can challenge."""

    def __init__(self):
        self.challenge = None
        self.made = 0

    def protect_request(self, message):
        message = message.copy()
        message.payload = b"!" + message.payload
        return message, "binding"

    def unprotect_request(self, message):
        if not message.payload.startswith(b"!"):
            raise Refused(coap.UNAUTHORIZED, "protect it")
        inner = message.copy()
        inner.payload = message.payload[1:]
        if self.challenge and inner.option(coap.ECHO) != self.challenge:
            self.made += 1
            echo = Message(coap.UNAUTHORIZED, payload=b"!").add(coap.ECHO, self.challenge)
            raise Refused(coap.UNAUTHORIZED, "repeat it", echo)
        return inner, "binding"

    def protect_response(self, message, binding, notification=False):
        return self.protect_request(message)[0]

    def unprotect_response(self, message, binding):
        if not message.payload.startswith(b"!"):
            raise Refused(message.code, "unprotected", message)
        message.payload = message.payload[1:]
        return message


async def test_protected_requests_of_many_blocks_come_through():
    async with Street(Lock(), Lock()) as street:
        street.asked.response = Message(coap.CONTENT, payload=BODY)
        assert (await street.ask(payload=BODY)).payload == BODY


async def test_an_unprotected_request_is_refused_and_its_refusal_not_remembered():
    async with Street(Plain(), Lock()) as street:
        response = await street.ask()
        assert (response.code, response.payload) == (coap.UNAUTHORIZED, b"protect it")
        assert street.asked.seen == []
        assert street.server.counters.refused == 1
        assert len(street.server._exchange._answers) == 0


async def test_an_error_outside_of_protection_ends_the_request_and_says_so():
    async with Street(Lock(), Plain()) as street:
        street.asked.error = Refused(coap.UNAUTHORIZED, "who?")
        with pytest.raises(Unverified, match=r"4\.01 without protection; check .* keys") as caught:
            await street.ask()
        assert caught.value.code == coap.UNAUTHORIZED


async def test_a_forged_success_is_passed_over_and_the_true_answer_taken():
    async with Street(Lock(), Lock()) as street:
        forger = street.network.open("forger")
        task = asyncio.create_task(street.lamp.request(coap.GET, "", SERVER))
        await street.clock.advance(5)
        (request,) = street.messages(LAMP, SERVER)
        forged = coap.encode(Message(coap.CONTENT, ACK, request.mid, request.token, [], b"forged"))
        street.lamp.udp.deliver(forged, SERVER)
        await street.clock.advance(100)
        assert task.result().payload == b"got "
        assert street.lamp.counters.refused == 1
        forger.close()


async def test_an_answer_that_comes_twice_before_it_is_taken_counts_once():
    async with Street() as street:
        task = asyncio.create_task(street.lamp.request(coap.GET, "", SERVER))
        await street.clock.advance(5)
        (request,) = street.messages(LAMP, SERVER)
        events = []
        for payload in (b"first", b"second"):
            data = coap.encode(Message(coap.CONTENT, ACK, request.mid, request.token, [], payload))
            events += street.lamp._exchange.receive(data, SERVER, 5)
        street.lamp._carry_out(events)
        await street.clock.settle()
        assert task.result().payload == b"first"


async def test_an_echo_is_given_back_once_and_kept_for_the_blocks_that_follow():
    lock = Lock()
    lock.challenge = b"12345678"
    async with Street(Lock(), lock) as street:
        response = await street.ask(payload=BODY)
        assert response.code == coap.CONTENT
        assert street.asked.seen[0].payload == BODY
        assert lock.made == 1


async def test_an_echo_that_does_not_help_is_the_answer():
    lock = Lock()
    async with Street(Lock(), lock) as street:
        street.asked.response = Message(coap.UNAUTHORIZED).add(coap.ECHO, b"again")
        assert (await street.ask()).code == coap.UNAUTHORIZED
        assert len(street.asked.seen) == 2


async def test_a_challenge_is_made_once_however_often_the_request_comes():
    lock = Lock()
    lock.challenge = b"12345678"
    async with Street(Lock(), lock) as street:
        street.network.drop = lambda datagram: datagram.source == SERVER and len(street.network.trace) < 4
        assert (await street.ask()).code == coap.CONTENT
        assert lock.made == 1


async def test_a_security_that_breaks_is_answered_without_details():
    async with Street(Lock(), Lock()) as street:

        def broken(message):
            raise ValueError("key 0123")

        street.server.security.unprotect_request = broken
        with pytest.raises(Unverified, match=r"5\.00"):
            await street.ask()
        assert street.server.counters.failed == 1


async def test_a_request_that_cannot_be_protected_is_not_sent():
    async with Street(Lock(), Lock()) as street:

        def broken(message):
            raise ValueError("no numbers left")

        street.lamp.security.protect_request = broken
        with pytest.raises(Unprotected, match=r"no numbers left.* not sent"):
            await street.ask()
        assert street.network.trace == []


async def test_nothing_is_protected_twice_when_its_answer_cannot_be_sent():
    async with Street(Lock(), Lock()) as street:
        calls = []

        def broken(message, binding, notification=False):
            calls.append(message)
            raise ValueError("no numbers left")

        street.server.security.protect_response = broken
        with pytest.raises(Unverified, match=r"5\.00"):
            await street.ask(payload=b"x")
        assert len(calls) == 1


@pytest.mark.parametrize("slowly", [False, True])
async def test_a_request_that_cannot_even_be_refused_is_handled_when_it_comes_again(slowly):
    async with Street() as street:
        true_answer = street.server._exchange.answer
        failures = [MemoryError(), MemoryError()]

        def answer(*arguments):
            if failures:
                raise failures.pop()
            return true_answer(*arguments)

        async def slow(request):
            return Message(coap.CONTENT)

        street.server._exchange.answer = answer
        if slowly:
            street.server._server._handler = slow
        assert (await street.ask()).code == coap.CONTENT
        assert [words for words, _ in street.lines] == ["answering failed", "request abandoned"]
        assert street.lamp.counters.retransmitted == 1


async def test_slow_networks_have_their_own_tuning():
    async with Street(tuning=Tuning(ack_timeout_ms=20_000), delay_ms=(9000, 9000)) as street:
        assert (await street.ask()).code == coap.CONTENT
        assert len(street.network.trace) == 2
