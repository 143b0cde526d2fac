"""The message layer by hand: each test is one exchange of datagrams with its times. Flows after RFC 7252 appendix A."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.coap import answers, exchange
from firmware.coap import message as coap
from firmware.coap.errors import Busy, MessageError, Reset, Timeout
from firmware.coap.exchange import Answered, Delivered, Exchange, Failed, Incoming, Rejected, Send
from firmware.coap.message import ACK, CON, NON, RST, Message
from firmware.coap.tuning import Tuning

PEER = ("192.0.2.2", 5683)
OTHER = ("192.0.2.3", 5683)


def make(first=0, **tuning):
    """An exchange whose random bytes count up from `first`; the first time-out is 2000 ms."""
    count = itertools.count(first)
    values = {"ack_random_permille": 1000, **tuning}
    return Exchange(Tuning(**values), lambda n: (next(count) & 0xFFFF).to_bytes(n, "big"))


def send(chat, now_ms=0, type=CON, **more):
    outgoing, events = chat.send_request(Message(coap.GET, type).add_path("temperature"), PEER, now_ms, **more)
    return outgoing, events


def sent(events):
    """The messages that were sent, decoded."""
    return [coap.decode(event.data) for event in events if isinstance(event, Send)]


def datagram(code, type=CON, mid=1, token=b"", payload=b""):
    return coap.encode(Message(code, type, mid, token, [], payload))


def respond(outgoing, type=ACK, mid=None, **more):
    request = outgoing.message
    return datagram(coap.CONTENT, type, request.mid if mid is None else mid, request.token, b"22.3 C", **more)


def test_a_request_is_answered_with_its_acknowledgement():
    chat = make()
    outgoing, events = send(chat, context="mine")
    (request,) = sent(events)
    assert (request.type, request.path(), len(request.token)) == (CON, "temperature", 4)
    (answer,) = chat.receive(respond(outgoing), PEER, 100)
    assert isinstance(answer, Answered)
    assert (answer.outgoing.context, answer.message.payload) == ("mine", b"22.3 C")
    assert chat.forget(outgoing, 100) == []
    assert chat.deadline_ms() is None


def test_a_lost_request_is_repeated_with_doubled_times_and_then_given_up():
    chat = make()
    outgoing, first = send(chat)
    times = []
    while True:
        now_ms = chat.deadline_ms()
        times.append(now_ms)
        events = chat.poll(now_ms)
        if not isinstance(events[0], Send):
            break
        assert events == first
    assert times == [2000, 6000, 14_000, 30_000, 62_000]
    (failure,) = events
    assert isinstance(failure, Failed) and isinstance(failure.error, Timeout)
    assert "after 5 transmissions" in str(failure.error)
    assert failure.outgoing is outgoing
    assert chat.counters.retransmitted == 4
    assert chat.deadline_ms() is None


def test_nothing_is_repeated_before_its_time():
    chat = make()
    send(chat)
    assert chat.poll(1999) == []


def test_the_first_time_out_is_random():
    chat = make(first=0xFFF0, ack_random_permille=1500)
    send(chat)
    assert 2999 <= chat.deadline_ms() <= 3000


def test_a_separate_response_follows_its_acknowledgement():
    chat = make()
    outgoing, _ = send(chat)
    assert chat.receive(datagram(coap.EMPTY, ACK, outgoing.message.mid), PEER, 100) == []
    assert chat.poll(60_000) == []
    acknowledgement, answer = chat.receive(respond(outgoing, CON, 0xAD7B), PEER, 60_000)
    assert (sent([acknowledgement])[0].type, sent([acknowledgement])[0].mid) == (ACK, 0xAD7B)
    assert answer.message.payload == b"22.3 C"
    chat.forget(outgoing, 60_000)
    assert chat.receive(respond(outgoing, CON, 0xAD7B), PEER, 62_000) == [acknowledgement]
    assert chat.counters.duplicates == 1


def test_a_separate_response_that_overtakes_its_acknowledgement_ends_the_repeats():
    chat = make()
    outgoing, _ = send(chat)
    events = chat.receive(respond(outgoing, CON, 0xAD7B), PEER, 100)
    assert isinstance(events[-1], Answered)
    assert chat.poll(2000) == []
    chat.forget(outgoing, 2000)
    assert chat.receive(datagram(coap.EMPTY, ACK, outgoing.message.mid), PEER, 2100) == []


def test_an_acknowledged_request_without_an_answer_times_out_at_the_end_of_the_exchange():
    chat = make()
    outgoing, _ = send(chat)
    chat.receive(datagram(coap.EMPTY, ACK, outgoing.message.mid), PEER, 100)
    assert chat.deadline_ms() == chat.tuning.exchange_lifetime_ms
    (failure,) = chat.poll(chat.deadline_ms())
    assert "acknowledged" in str(failure.error)


def test_a_request_ends_when_its_caller_said():
    chat = make()
    send(chat, expires_ms=2500)
    assert chat.deadline_ms() == 2000
    assert len(chat.poll(2000)) == 1
    assert chat.deadline_ms() == 2500
    assert isinstance(chat.poll(2500)[0], Failed)


def test_a_reset_ends_a_request():
    chat = make()
    outgoing, _ = send(chat)
    (failure,) = chat.receive(datagram(coap.EMPTY, RST, outgoing.message.mid), PEER, 10)
    assert isinstance(failure.error, Reset)
    assert chat.deadline_ms() is None
    assert chat.forget(outgoing, 10) == []


def test_an_answer_from_another_address_or_with_another_token_is_not_taken():
    chat = make()
    outgoing, _ = send(chat)
    mid, token = outgoing.message.mid, outgoing.message.token
    assert chat.receive(respond(outgoing), OTHER, 1) == []
    assert chat.receive(datagram(coap.CONTENT, ACK, mid, b"else"), PEER, 1) == []
    assert chat.receive(datagram(coap.GET, ACK, mid, token), PEER, 1) == []
    assert sent(chat.receive(respond(outgoing, CON, 9), OTHER, 1))[0].type == RST
    assert sent(chat.receive(datagram(coap.CONTENT, CON, 10, b"else"), PEER, 1))[0].type == RST
    assert chat.receive(datagram(coap.EMPTY, RST, mid), OTHER, 1) == [Rejected(OTHER, mid)]
    assert isinstance(chat.receive(respond(outgoing), PEER, 1)[0], Answered)


def test_a_forged_answer_leaves_room_for_the_true_one():
    chat = make()
    outgoing, _ = send(chat)
    assert isinstance(chat.receive(respond(outgoing), PEER, 1)[0], Answered)
    assert isinstance(chat.receive(respond(outgoing), PEER, 2)[0], Answered)


def test_a_non_confirmable_request_is_sent_once_and_answered_by_a_non_confirmable_response():
    chat = make()
    outgoing, events = send(chat, type=NON)
    assert sent(events)[0].type == NON
    assert chat.deadline_ms() == chat.tuning.max_rtt_ms
    (answer,) = chat.receive(respond(outgoing, NON, 0xAD7C), PEER, 50)
    assert isinstance(answer, Answered)
    assert chat.receive(respond(outgoing, NON, 0xAD7C), PEER, 60) == []
    assert chat.counters.duplicates == 1


def test_a_non_confirmable_request_that_nobody_answers_times_out_with_advice():
    chat = make()
    send(chat, type=NON, expires_ms=5000)
    (failure,) = chat.poll(5000)
    assert "confirmable" in str(failure.error)


def test_one_request_at_a_time_goes_to_a_peer_and_others_wait_their_turn():
    chat = make()
    first, _ = send(chat)
    second, events = send(chat)
    assert events == []
    _, to_other = chat.send_request(Message(coap.GET), OTHER, 0)
    assert len(sent(to_other)) == 1
    events = chat.receive(datagram(coap.EMPTY, ACK, first.message.mid), PEER, 500)
    assert [message.mid for message in sent(events)] == [second.message.mid]
    assert chat.deadline_ms() == 2000


def test_a_request_that_never_had_its_turn_says_so():
    chat = make()
    send(chat)
    send(chat, expires_ms=1000)
    (failure,) = chat.poll(1000)
    assert "never sent" in str(failure.error)


def test_what_waits_goes_out_when_the_one_before_is_given_up():
    chat = make(max_retransmit=0)
    send(chat)
    second, _ = send(chat)
    failure, event = chat.poll(2000)
    assert isinstance(failure, Failed)
    assert sent([event])[0].mid == second.message.mid


def test_too_many_messages_under_way_are_refused():
    chat = make()
    for _ in range(exchange.OUTGOING):
        send(chat)
    with pytest.raises(Busy, match="8 messages"):
        send(chat)


def test_a_token_in_use_is_not_drawn_again():
    drawn = iter([b"\0\1", b"AAAA", b"\0\0", b"AAAA", b"BBBB"])
    chat = Exchange(Tuning(), lambda n: next(drawn))
    first, _ = send(chat)
    second, _ = send(chat)
    assert (first.message.token, second.message.token) == (b"AAAA", b"BBBB")


def test_message_ids_run_in_a_circle():
    chat = make(first=0xFFFF)
    assert send(chat, type=NON)[0].message.mid == 0


def receive_request(chat, now_ms=0, type=CON, mid=0x7D34, source=PEER):
    return chat.receive(datagram(coap.POST, type, mid, b"tok", b"22"), source, now_ms)


def test_a_request_is_answered_once_and_its_repeats_from_memory():
    chat = make()
    (incoming,) = receive_request(chat)
    assert isinstance(incoming, Incoming)
    assert (incoming.source, incoming.message.payload) == (PEER, b"22")
    (answer,) = chat.answer(incoming, Message(coap.CHANGED), 10)
    response = sent([answer])[0]
    assert (response.type, response.mid, response.token, response.code) == (ACK, 0x7D34, b"tok", coap.CHANGED)
    assert receive_request(chat, 2000) == [answer]
    lifetime_ms = chat.tuning.exchange_lifetime_ms
    assert receive_request(chat, lifetime_ms + 9) == [answer]
    assert chat.counters.duplicates == 2
    assert isinstance(receive_request(chat, lifetime_ms + 10)[0], Incoming)


def test_an_answer_bears_the_token_of_the_copy_that_it_answers():
    """The first copy came with a bit flipped where no security looks."""
    chat = make()
    (incoming,) = chat.receive(datagram(coap.POST, CON, 0x7D34, b"tuk", b"22"), PEER, 0)
    assert sent([*chat.answer(incoming, Message(coap.CHANGED), 10)])[0].token == b"tuk"
    again = sent(receive_request(chat, 2000))[0]
    assert (again.type, again.mid, again.token, again.code) == (ACK, 0x7D34, b"tok", coap.CHANGED)
    longer = sent(chat.receive(datagram(coap.POST, CON, 0x7D34, b"token", b"22"), PEER, 2001))[0]
    assert (longer.token, longer.code) == (b"token", coap.CHANGED)


def test_a_separate_answer_bears_the_token_of_the_newest_copy():
    chat = make()
    (incoming,) = chat.receive(datagram(coap.POST, CON, 0x7D34, b"tuk", b"22"), PEER, 0)
    assert sent(receive_request(chat, 5))[0].type == ACK
    (answer,) = chat.answer(incoming, Message(coap.CHANGED), 10)
    assert sent([answer])[0].token == b"tok"


def test_the_same_message_id_from_another_address_is_another_request():
    chat = make()
    (incoming,) = receive_request(chat)
    chat.answer(incoming, Message(coap.CHANGED), 0)
    assert isinstance(receive_request(chat, source=OTHER)[0], Incoming)


def test_a_slow_request_is_acknowledged_and_answered_separately():
    chat = make()
    (incoming,) = receive_request(chat)
    assert chat.deadline_ms() == 1000
    (acknowledgement,) = chat.poll(1000)
    assert sent([acknowledgement])[0].type == ACK
    assert receive_request(chat, 2000) == [acknowledgement]
    (separate,) = chat.answer(incoming, Message(coap.CHANGED), 3000)
    response = sent([separate])[0]
    assert (response.type, response.token) == (CON, b"tok")
    assert receive_request(chat, 3500) == [acknowledgement]
    assert chat.poll(5000) == [separate]
    (delivered,) = chat.receive(datagram(coap.EMPTY, ACK, response.mid), PEER, 5100)
    assert isinstance(delivered, Delivered)
    assert chat.deadline_ms() is None


def test_a_repeat_of_a_request_in_work_is_acknowledged_at_once():
    chat = make()
    receive_request(chat)
    assert sent(receive_request(chat, 500))[0].type == ACK
    assert chat.poll(1000) == []


def test_a_separate_response_is_not_repeated_when_there_is_no_room_for_it():
    chat = make()
    (incoming,) = receive_request(chat)
    chat.poll(1000)
    for _ in range(exchange.OUTGOING):
        send(chat, 1000)
    assert sent(chat.answer(incoming, Message(coap.CHANGED), 2000))[0].type == NON


def test_a_non_confirmable_request_gets_a_non_confirmable_response_and_its_repeats_none():
    chat = make()
    (incoming,) = receive_request(chat, type=NON)
    assert chat.deadline_ms() is None
    assert receive_request(chat, 5, type=NON) == []
    response = sent(chat.answer(incoming, Message(coap.CHANGED), 10))[0]
    assert (response.type, response.token) == (NON, b"tok")
    assert receive_request(chat, 20, type=NON) == []


def test_an_answer_that_need_not_be_remembered_is_made_again():
    chat = make()
    (incoming,) = receive_request(chat)
    chat.answer(incoming, Message(coap.UNAUTHORIZED), 0, remember=False)
    assert isinstance(receive_request(chat)[0], Incoming)


def test_a_response_that_cannot_be_encoded_leaves_the_request_unanswered():
    chat = make()
    (incoming,) = receive_request(chat)
    with pytest.raises(MessageError):
        chat.answer(incoming, Message(coap.CONTENT, payload=b"x" * 2000), 0)
    assert len(chat.answer(incoming, Message(coap.INTERNAL_SERVER_ERROR), 0)) == 1


def test_requests_beyond_those_in_work_are_left_unanswered():
    chat = make()
    for mid in range(exchange.PENDING):
        assert len(receive_request(chat, mid=mid)) == 1
    assert receive_request(chat, mid=99) == []
    assert chat.counters.dropped == 1


def test_an_abandoned_request_makes_room_and_is_not_answered_any_more():
    chat = make()
    (incoming,) = receive_request(chat)
    chat.abandon(incoming)
    chat.abandon(incoming)
    assert chat.answer(incoming, Message(coap.CHANGED), 10) == []
    assert isinstance(receive_request(chat, 2000)[0], Incoming)


def test_requests_that_are_never_answered_make_room_when_their_peer_has_given_up():
    chat = make()
    for mid in range(exchange.PENDING):
        receive_request(chat, mid=mid)
    assert receive_request(chat, chat.tuning.exchange_lifetime_ms - 1, mid=99) == []
    assert isinstance(receive_request(chat, chat.tuning.exchange_lifetime_ms, mid=99)[-1], Incoming)


def test_a_ping_is_answered_with_a_reset():
    chat = make()
    (answer,) = chat.receive(datagram(coap.EMPTY, CON, 5), PEER, 0)
    assert (sent([answer])[0].type, sent([answer])[0].mid) == (RST, 5)


def test_our_ping_is_answered_by_a_reset():
    chat = make()
    outgoing, events = chat.ping(PEER, 0)
    assert (sent(events)[0].type, sent(events)[0].code) == (CON, coap.EMPTY)
    assert chat.receive(datagram(coap.EMPTY, RST, outgoing.message.mid), PEER, 1) == [Delivered(outgoing)]


def test_what_is_no_message_is_counted_and_rejected_where_the_rfc_says_so():
    chat = make()
    assert chat.receive(b"", PEER, 0) == []
    assert chat.receive(b"\x00\x01\x02\x03", PEER, 0) == []
    (reset,) = chat.receive(bytes.fromhex("40017d34ff"), PEER, 0)
    assert (sent([reset])[0].type, sent([reset])[0].mid) == (RST, 0x7D34)
    assert (chat.counters.received, chat.counters.malformed) == (3, 3)


def test_a_non_confirmable_notification_is_sent_and_forgotten():
    chat = make()
    outgoing, events = chat.send_notification(Message(coap.CONTENT, NON, token=b"obs"), PEER, 0)
    assert sent(events)[0].token == b"obs"
    assert chat.deadline_ms() is None
    mid = outgoing.message.mid
    assert chat.receive(datagram(coap.EMPTY, RST, mid), PEER, 1) == [Rejected(PEER, mid)]


def test_a_confirmable_notification_is_repeated_until_it_is_acknowledged_or_rejected():
    chat = make()
    outgoing, events = chat.send_notification(Message(coap.CONTENT, CON, token=b"obs"), PEER, 0)
    assert chat.poll(2000) == events
    assert chat.receive(respond(outgoing), PEER, 2100) == []  # nobody answers a notification
    assert chat.receive(datagram(coap.EMPTY, ACK, outgoing.message.mid), PEER, 2200) == [Delivered(outgoing)]
    outgoing, _ = chat.send_notification(Message(coap.CONTENT, CON, token=b"obs"), PEER, 3000)
    (failure,) = chat.receive(datagram(coap.EMPTY, RST, outgoing.message.mid), PEER, 3100)
    assert isinstance(failure.error, Reset)


def test_memory_of_answers_is_bounded_in_bytes_and_in_number():
    kept = answers.Answers()
    for mid in range(5):
        kept.keep(PEER, mid, b"x" * 1000, 100, 0)
    assert [kept.find(PEER, mid, 0).data for mid in range(5)] == [None] * 3 + [b"x" * 1000] * 2
    for mid in range(100, 100 + answers.ENTRIES):
        kept.keep(PEER, mid, None, 100, 0)
    assert len(kept) == answers.ENTRIES
    assert kept.find(PEER, 4, 0) is None


def test_answers_are_forgotten_after_their_time():
    kept = answers.Answers()
    kept.keep(PEER, 1, b"x", 100, 0)
    assert kept.find(PEER, 1, 99) is not None
    assert kept.find(PEER, 1, 100) is None
    kept.keep(PEER, 2, b"x", 200, 100)
    assert len(kept) == 1


@settings(max_examples=100)
@given(st.lists(st.tuples(st.binary(max_size=24), st.integers(0, 3)), max_size=30))
def test_no_sequence_of_datagrams_breaks_the_exchange_or_fills_it(datagrams):
    chat = make()
    send(chat)
    for now_ms, (tail, type) in enumerate(datagrams):
        for data in (tail, bytes((0x40 | type << 4,)) + tail):
            for event in chat.receive(data, PEER, now_ms):
                if isinstance(event, Incoming) and now_ms % 2:
                    chat.answer(event, Message(coap.CHANGED), now_ms)
        chat.poll(now_ms)
    assert len(chat._pending) <= exchange.PENDING
    assert len(chat._answers) <= answers.ENTRIES
