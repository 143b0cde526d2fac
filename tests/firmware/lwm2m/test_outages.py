"""The client while the network or the server fails, or refuses."""

import pytest

from firmware.coap import message as coap
from firmware.lwm2m.queue import FAULT, TELEMETRY
from tests.firmware.lwm2m.street import Street


@pytest.fixture
def street():
    return Street()


class TestOutages:
    async def test_a_network_that_is_back_is_used_within_seconds(self, street):
        await street.run(10)
        street.board.is_up = False
        street.board.can_connect = False
        await street.run(100)
        street.board.can_connect = True
        assert (await street.run(6))[:2] == ["POST rd/1", "GET time"]
        assert street.server.resolved == 2

    async def test_another_address_is_told(self, street):
        await street.run(10)
        street.board.ip = "10.0.0.3"
        assert (await street.run(3)) == ["POST rd/1"]

    async def test_a_silent_server_costs_no_report(self, street):
        await street.run(10)
        street.server.is_silent = True
        street.queue.put(TELEMETRY, b"t")
        seen = await street.run(120)
        assert seen[0] == "POST dp"
        assert set(seen[1:]) == {"POST rd/1"}
        street.server.is_silent = False
        await street.run(30)
        assert street.server.reports == [b"t"]
        assert street.server.resolved > 1

    async def test_a_refusal_that_anybody_may_have_said_costs_no_report(self, street):
        await street.run(10)
        street.server.tampered.add("dp")
        street.queue.put(TELEMETRY, b"t")
        assert (await street.run(60)).count("POST dp") > 3
        street.server.tampered.clear()
        await street.run(30)
        assert street.server.reports == [b"t"]
        assert street.queue.dropped == 0

    async def test_a_server_that_restarted_without_memory_gets_a_registration(self, street):
        await street.run(10)
        street.server.registrations.clear()
        street.queue.put(TELEMETRY, b"t")
        seen = await street.run(10)
        assert seen[:2] == ["POST dp", "POST rd"]
        assert street.server.reports == [b"t"]

    async def test_each_time_that_a_server_forgets_the_lamp_it_is_told_at_once(self, street):
        await street.run(10)
        for number in range(3):
            street.server.registrations.clear()
            street.queue.put(TELEMETRY, b"%d" % number)
            start_ms = street.board.now_ms
            assert (await street.run(10))[:2] == ["POST dp", "POST rd"]
            assert [at for at, what in street.server.seen if what == "POST rd"][-1] * 1000 <= start_ms + 400
        assert street.server.reports == [b"0", b"1", b"2"]

    async def test_a_server_that_is_down_for_a_minute_has_the_lamp_back_within_another(self, street):
        await street.run(10)
        street.server.is_silent = True
        street.queue.put(TELEMETRY, b"t")
        await street.run(60)
        street.server.is_silent = False
        start_ms = street.board.now_ms
        await street.run(60)
        first_s = next(at for at, what in street.server.seen if at * 1000 >= start_ms)
        assert first_s * 1000 - start_ms < 45000
        assert street.server.reports == [b"t"]

    async def test_a_busy_server_is_left_alone(self, street):
        street.server.answers["rd"] = [(coap.SERVICE_UNAVAILABLE, 100)]
        await street.run(130)
        assert [at for at, what in street.server.seen if what == "POST rd"] == [1, 101]

    async def test_an_address_that_is_not_known_is_asked_for_again(self, street):
        resolve = street.server.resolve
        failures = [OSError("no address")] * 3

        def fail_first(host, port):
            if failures:
                raise failures.pop()
            return resolve(host, port)

        street.client.uplink._resolve = fail_first
        assert (await street.run(20))[0] == "POST rd"

    async def test_a_location_that_is_no_text_is_no_registration(self, street):
        street.server.rd = lambda request: coap.Message(coap.CREATED, options=[(coap.LOCATION_PATH, b"\xff")])
        seen = await street.run(10)
        assert seen.count("POST rd") >= 3
        assert not street.client.is_registered()


class TestRefusals:
    async def test_one_refusal_that_anybody_may_have_said_ends_no_registration(self, street):
        await street.run(10)
        for refusal in (coap.BAD_REQUEST, coap.UNAUTHORIZED):
            street.server.refusal = refusal
            street.queue.put(TELEMETRY, b"t")
            seen = await street.run(0.5)
            street.server.refusal = None
            seen += await street.run(5)
            assert "POST rd" not in seen
            assert street.client.is_registered()
        assert street.server.reports == [b"t", b"t"]

    async def test_a_revoked_lamp_keeps_its_reports_and_comes_back_when_it_is_welcome(self, street):
        street.server.refusal = coap.UNAUTHORIZED
        street.queue.put(TELEMETRY, b"t")
        seen = await street.run(3600)
        assert set(seen) == {"POST rd"}
        assert len(seen) < 12
        street.server.refusal = None
        await street.run(2400)
        assert street.server.reports == [b"t"]

    async def test_a_report_refused_for_our_keys_ends_the_registration(self, street):
        await street.run(5)
        street.queue.put(TELEMETRY, b"t")
        street.server.answers["dp"] = [(coap.UNAUTHORIZED, None)]
        seen = await street.run(60)
        assert seen[:3] == ["POST dp", "POST rd", "GET time"]
        assert street.server.reports == [b"t"]

    async def test_a_report_that_is_refused_for_itself_does_not_hold_up_the_next(self, street):
        await street.run(5)
        street.queue.put(TELEMETRY, b"bad")
        street.queue.put(TELEMETRY, b"good")
        street.server.answers["dp"] = [(coap.BAD_REQUEST, None)] * 3
        seen = await street.run(60)
        assert seen == ["POST dp", "POST rd/1"] * 3 + ["POST dp"]
        assert street.server.reports == [b"good"]
        assert street.queue.dropped == 1

    async def test_a_fault_that_was_refused_is_sent_again_after_a_new_registration(self, street):
        await street.run(5)
        street.queue.put(FAULT, b"f", 1)
        street.server.answers["dp"] = [(coap.BAD_REQUEST, None)] * 3
        await street.run(60)
        assert street.server.reports == []
        street.server.registrations.clear()
        street.client.trigger_update()
        await street.run(10)
        assert street.server.reports == [b"f"]

    @pytest.mark.parametrize(("max_age_s", "wait_s"), [(60, 60), (None, 10)])
    async def test_a_server_that_cannot_store_now_gets_the_report_later(self, street, max_age_s, wait_s):
        await street.run(5)
        street.queue.put(TELEMETRY, b"t")
        street.server.answers["dp"] = [(coap.SERVICE_UNAVAILABLE, max_age_s)]
        await street.run(100)
        sent = [at for at, what in street.server.seen if what == "POST dp"]
        assert len(sent) == 2
        assert wait_s <= sent[1] - sent[0] <= wait_s + 1
        assert street.server.reports == [b"t"]

    async def test_a_muted_lamp_keeps_its_reports(self, street):
        street.settings.set({"mute_send": True})
        street.queue.put(TELEMETRY, b"t")
        assert "POST dp" not in await street.run(30)
        street.settings.set({"mute_send": False})
        assert "POST dp" in await street.run(3)
