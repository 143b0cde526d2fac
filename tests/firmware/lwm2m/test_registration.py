"""The registration as a state machine: what is sent when, for every answer a server may give."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import limits
from firmware.coap import message as coap
from firmware.lwm2m import links
from firmware.lwm2m.registration import DEREGISTER, REGISTER, UPDATE, Registration, keep_alive_s
from tests.firmware.lwm2m.fakes import Lamp


class Server:
    """Drives a registration through time. `draw` decides the random numbers: 0 is always the earliest."""

    def __init__(self, draw=lambda n: 0):
        self.now_ms = 0
        self.lifetime_s = 300
        self.links = "</>"
        self.registration = Registration("urn:dev:x", lambda: self.links, lambda: self.lifetime_s, draw)

    def wait(self, most_s=100000):
        """Move to the next request and return it, None when none comes."""
        due_ms = self.registration.due_ms
        if due_ms is None or due_ms > self.now_ms + most_s * 1000:
            return None
        if due_ms > self.now_ms:
            assert self.registration.next(due_ms - 1) is None
            self.now_ms = due_ms
        return self.registration.next(self.now_ms)

    def answer(self, code, location="", max_age_s=None):
        return self.registration.answered(code, self.now_ms, location, max_age_s)

    def register(self):
        self.registration.start(self.now_ms)
        assert self.wait().kind == REGISTER
        assert self.answer(coap.CREATED, "rd/5") == "registered"
        return self

    def delays_s(self, count, react):
        """Seconds between `count` requests that are all met by `react`."""
        delays = []
        for _ in range(count):
            react()
            before_ms = self.now_ms
            assert self.wait() is not None
            delays.append((self.now_ms - before_ms) / 1000)
        return delays


class TestRegister:
    def test_it_tells_name_lifetime_version_and_binding(self):
        server = Server()
        server.registration.start(0)
        request = server.wait()
        assert (request.code, request.path, request.payload) == (coap.POST, "rd", b"</>")
        assert request.queries == ("ep=urn:dev:x", "lt=300", "lwm2m=1.1", "b=U")

    def test_the_lamps_of_a_feeder_spread_over_the_jitter(self):
        latest = Server(lambda n: n - 1)
        latest.registration.start(1000)
        assert latest.registration.due_ms == 1000 + limits.REGISTRATION_JITTER_S * 1000
        none = Server(lambda n: n - 1)
        none.registration.start(1000, 0)
        assert none.registration.due_ms == 1000

    def test_nothing_is_sent_while_an_answer_is_expected(self):
        server = Server()
        server.registration.start(0)
        server.wait()
        assert server.registration.next(10**9) is None

    def test_a_created_without_location_is_no_registration(self):
        server = Server()
        server.registration.start(0)
        server.wait()
        assert server.answer(coap.CREATED) == "failed"
        assert not server.registration.is_registered()

    def test_the_body_names_versions_and_instances(self):
        lamp = Lamp()
        assert links.registration(lamp.tree) == ('</>;ct="110 112";rt="oma.lwm2m",</9001>;ver=2.0,</9001/0>,</9002/0>')
        lamp.rule.rules = {}
        assert links.registration(lamp.tree).endswith(",</9001/0>,</9002>")


class TestRetries:
    def test_silence_is_met_quickly_first_and_then_ever_more_slowly(self):
        server = Server()
        server.registration.start(0)
        server.wait()
        delays = server.delays_s(12, lambda: server.registration.unanswered(server.now_ms))
        assert delays == [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 128, 128, 128]

    def test_the_delay_is_drawn_from_the_upper_half(self):
        server = Server(lambda n: n - 1)
        server.registration.start(0)
        server.wait()
        assert server.delays_s(3, lambda: server.registration.unanswered(server.now_ms)) == [1, 2, 4]

    @pytest.mark.parametrize("code", [0x80, 0x81, 0x83, 0x8C, 0x85])
    def test_a_refusal_slows_down_but_never_locks_out(self, code):
        server = Server(lambda n: n - 1)
        server.registration.start(0)
        server.wait()
        delays = server.delays_s(12, lambda: server.answer(code))
        assert delays[:3] == [10, 20, 40]
        assert delays[-1] == 1800

    def test_a_busy_server_is_left_alone_for_its_max_age(self):
        server = Server()
        server.registration.start(0)
        server.wait()
        assert server.delays_s(1, lambda: server.answer(coap.SERVICE_UNAVAILABLE, max_age_s=120)) == [120]
        assert server.delays_s(1, lambda: server.answer(coap.TOO_MANY_REQUESTS)) == [60]
        assert server.delays_s(1, lambda: server.answer(coap.SERVICE_UNAVAILABLE, max_age_s=0)) == [1]
        assert server.delays_s(1, lambda: server.answer(coap.SERVICE_UNAVAILABLE, max_age_s=10**9)) == [1800]

    def test_lamps_that_were_told_to_wait_do_not_come_back_together(self):
        server = Server(lambda n: n - 1)
        server.registration.start(0)
        server.wait()
        delay_s = server.delays_s(1, lambda: server.answer(coap.SERVICE_UNAVAILABLE, max_age_s=120))[0]
        assert 145 < delay_s <= 151

    def test_lamps_that_were_sent_away_without_a_time_spread_over_as_long_as_they_wait(self):
        server = Server(lambda n: n - 1)
        server.registration.start(0)
        server.wait()
        assert 149 < server.delays_s(1, lambda: server.answer(coap.SERVICE_UNAVAILABLE))[0] < 150

    def test_a_failure_of_the_server_is_met_as_silence(self):
        server = Server()
        server.registration.start(0)
        server.wait()
        assert server.answer(coap.INTERNAL_SERVER_ERROR) == "failed"
        assert server.registration.due_ms == server.now_ms + 500


class TestUpdate:
    def test_it_comes_at_half_of_the_lifetime(self):
        server = Server().register()
        request = server.wait()
        assert (request.kind, request.code, request.path) == (UPDATE, coap.POST, "rd/5")
        assert (request.queries, request.payload) == ((), b"")
        assert server.now_ms == 150000
        assert server.answer(coap.CHANGED) == "updated"
        assert server.registration.due_ms == 300000

    @pytest.mark.parametrize(
        ("lifetime_s", "period_s"),
        [(300, 150), (100, 40), (60, 15), (20, 5), (1, 1), (0, 3600), (86400, 3600), (130, 65)],
    )
    def test_it_comes_well_before_the_lifetime_ends(self, lifetime_s, period_s):
        assert keep_alive_s(lifetime_s) == period_s

    def test_lamps_do_not_update_in_step(self):
        server = Server(lambda n: n - 1).register()
        assert server.registration.due_ms - server.now_ms == 135000

    def test_it_tells_what_has_changed(self):
        server = Server().register()
        server.links = "</>,</1/0>"
        server.lifetime_s = 600
        server.registration.changed(server.now_ms)
        request = server.wait(1)
        assert (request.queries, request.payload) == (("lt=600",), b"</>,</1/0>")
        server.answer(coap.CHANGED)
        request = server.wait()
        assert (request.queries, request.payload) == ((), b"")

    def test_what_changes_while_it_is_on_its_way_is_told_next(self):
        server = Server().register()
        server.wait()
        server.links = "</>,</1/0>"
        server.registration.changed(server.now_ms)
        server.answer(coap.CHANGED)
        assert server.wait(1).payload == b"</>,</1/0>"

    def test_a_server_that_forgot_the_lamp_gets_a_registration_at_once(self):
        server = Server().register()
        server.wait()
        assert server.answer(coap.NOT_FOUND) == "unknown"
        assert server.wait(0).kind == REGISTER

    def test_a_server_that_keeps_forgetting_is_not_flooded(self):
        server = Server().register()

        def forget():
            if server.registration.pending:
                server.answer(coap.CREATED, "rd/6")
            server.registration.lost(server.now_ms)

        delays = server.delays_s(5, forget)
        assert delays == [0, 0.5, 1, 2, 4]
        server.answer(coap.CREATED, "rd/6")
        server.registration.heard()
        server.registration.lost(server.now_ms)
        assert server.registration.due_ms == server.now_ms

    def test_a_silent_server_is_asked_again_and_stays_the_registered_one(self):
        server = Server().register()
        server.wait()
        server.registration.unanswered(server.now_ms)
        request = server.wait()
        assert (request.kind, request.path) == (UPDATE, "rd/5")
        assert not server.registration.is_ready()

    def test_a_refused_update_leads_to_a_new_registration(self):
        server = Server().register()
        server.wait()
        assert server.answer(coap.UNAUTHORIZED) == "refused"
        assert not server.registration.is_registered()
        assert server.wait().kind == REGISTER

    def test_a_busy_server_keeps_the_registration(self):
        server = Server().register()
        server.wait()
        assert server.answer(coap.SERVICE_UNAVAILABLE, max_age_s=5) == "busy"
        assert server.registration.is_registered()
        assert server.wait().kind == UPDATE

    def test_a_suspected_server_is_asked_before_anything_else(self):
        server = Server().register()
        assert server.registration.is_ready()
        server.registration.suspect(server.now_ms)
        assert server.registration.is_registered()
        assert not server.registration.is_ready()
        assert server.wait(1).kind == UPDATE
        server.answer(coap.CHANGED)
        assert server.registration.is_ready()

    def test_the_server_can_ask_for_one(self):
        server = Server().register()
        server.registration.trigger(server.now_ms)
        assert server.wait(0).kind == UPDATE

    def test_a_network_that_is_back_ends_all_waiting(self):
        server = Server(lambda n: n - 1)
        server.registration.start(0)
        server.wait()
        server.delays_s(9, lambda: server.registration.unanswered(server.now_ms))
        server.registration.unanswered(server.now_ms)
        server.registration.reconnected(server.now_ms)
        before_ms = server.now_ms
        assert server.wait().kind == REGISTER
        assert server.now_ms - before_ms < 3000
        assert server.delays_s(1, lambda: server.registration.unanswered(server.now_ms)) == [1]

    def test_a_change_before_the_registration_needs_no_update(self):
        server = Server()
        server.registration.changed(0)
        server.registration.trigger(0)
        assert server.registration.due_ms is None


class TestLeave:
    def test_a_planned_stop_says_good_bye(self):
        server = Server().register()
        server.registration.leave(server.now_ms)
        assert not server.registration.is_registered()
        request = server.wait(0)
        assert (request.kind, request.code, request.path) == (DEREGISTER, coap.DELETE, "rd/5")
        assert server.answer(coap.DELETED) == "left"
        assert server.wait() is None
        server.registration.reconnected(server.now_ms)
        assert server.wait() is None
        assert server.registration.is_started()

    def test_a_disabled_lamp_comes_back(self):
        server = Server().register()
        server.registration.leave(server.now_ms, 86400)
        server.wait(0)
        server.registration.unanswered(server.now_ms)
        assert server.wait().kind == REGISTER
        assert server.now_ms == 86400000

    def test_leaving_without_a_registration_says_nothing(self):
        server = Server()
        server.registration.start(0)
        server.registration.leave(0, 60)
        assert server.wait().kind == REGISTER
        assert server.now_ms == 60000

    @pytest.mark.parametrize("is_accepted", [True, False])
    def test_leaving_waits_for_the_registration_that_is_on_its_way(self, is_accepted):
        server = Server()
        server.registration.start(0)
        server.wait()
        server.registration.leave(0)
        if is_accepted:
            server.answer(coap.CREATED, "rd/5")
            assert server.wait(0).kind == DEREGISTER
        else:
            server.registration.unanswered(0)
            assert server.wait() is None
        assert not server.registration.is_registered()


EVENTS = st.sampled_from(
    ["answer", "silence", "busy", "refuse", "forget", "changed", "reconnected", "suspect", "heard", "trigger", "error"]
)


@settings(max_examples=200)
@given(events=st.lists(EVENTS, max_size=30), data=st.data())
def test_whatever_happens_the_lamp_comes_back_within_half_an_hour(events, data):
    server = Server(lambda n: data.draw(st.integers(0, n - 1)))
    server.registration.start(0)
    for event in events:
        request = server.wait()
        assert request is not None
        registration = server.registration
        if event == "answer":
            server.answer({REGISTER: coap.CREATED, UPDATE: coap.CHANGED}[request.kind], "rd/7")
        elif event == "busy":
            server.answer(coap.SERVICE_UNAVAILABLE, max_age_s=10**6)
        elif event in ("refuse", "forget", "error"):
            server.answer({"refuse": coap.UNAUTHORIZED, "forget": coap.NOT_FOUND, "error": 0xA0}[event])
        elif event == "silence":
            registration.unanswered(server.now_ms)
        else:
            if event != "heard":
                getattr(registration, event)(server.now_ms)
            registration.unanswered(server.now_ms)
        assert server.registration.due_ms <= server.now_ms + 2400 * 1000
