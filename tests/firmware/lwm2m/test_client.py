"""The client: start, time, the server object, a planned stop."""

import asyncio
import itertools

import pytest

from firmware.coap import message as coap
from firmware.lwm2m.queue import FAULT, TELEMETRY, Queue
from tests.firmware.lwm2m.street import UTC_MS, Street


@pytest.fixture
def street():
    return Street()


class TestStart:
    async def test_a_lamp_connects_registers_takes_the_time_and_reports(self, street):
        street.queue.put(TELEMETRY, b"t")
        street.queue.put(FAULT, b"f", 1)
        seen = await street.run(5)
        assert seen == ["POST rd", "GET time", "GET time", "GET time", "POST dp", "POST dp"]
        assert street.server.reports == [b"f", b"t"]
        assert street.client.is_registered()
        assert street.queue.waiting() == 0
        [request] = street.server.registrations.values()
        assert request.query() == ["ep=urn:dev:x", "lt=300", "lwm2m=1.1", "b=U"]
        assert request.uint(coap.CONTENT_FORMAT) == 40
        assert request.payload.startswith(b'</>;ct="110 112";rt="oma.lwm2m",</9001>;ver=2.0,</9001/0>')

    async def test_the_clock_is_off_by_half_a_round_trip_at_most(self, street):
        await street.run(5)
        rtc_ms = street.board.rtc_ms()
        assert abs(street.clock.now_ms(rtc_ms) - (UTC_MS + street.board.now_ms)) <= 21
        assert street.clock.error_bound_ms(rtc_ms) <= 22

    async def test_lamps_of_a_feeder_spread_and_a_restarted_one_does_not_wait(self):
        for cause, latest_s in (("power", 30), ("watchdog", 2)):
            street = Street(jitter_s=None)
            street.board.cause = cause
            street.board.drawn = 0xFFFFFFFF
            await street.run(60)
            assert 0 < street.server.seen[0][0] <= 1 + latest_s

    async def test_a_network_that_does_not_come_up_is_tried_for_ever(self, street):
        street.board.can_connect = False
        assert await street.run(60) == []
        street.board.can_connect = True
        assert (await street.run(5))[0] == "POST rd"

    async def test_a_registration_is_kept_alive(self, street):
        seen = await street.run(1000)
        assert [what for what in seen if what.startswith("POST")] == ["POST rd"] + ["POST rd/1"] * 6

    async def test_progress_is_seen_by_a_watchdog(self, street):
        await street.run(20)
        assert street.board.now_ms - street.client.progress_ms <= 250


class TestTime:
    async def test_it_is_taken_again_every_hour(self, street):
        seen = await street.run(2 * 3600 + 60)
        assert seen.count("GET time") == 9

    async def test_a_time_that_came_late_is_asked_again_soon_until_a_prompt_answer_comes(self, street):
        street.server.loses = True
        street.server.repeated_ms = 6000
        await street.run(30)
        rtc_ms = street.board.rtc_ms()
        assert street.clock.error_bound_ms(rtc_ms) > 3000  # half the way is all that is known
        street.server.loses = False
        await street.run(60)
        rtc_ms = street.board.rtc_ms()
        assert street.clock.error_bound_ms(rtc_ms) < 50
        assert abs(street.clock.now_ms(rtc_ms) - (UTC_MS + street.board.now_ms)) <= 21

    async def test_where_every_answer_is_late_it_is_asked_less_and_less_often(self, street):
        street.server.loses = True
        street.server.repeated_ms = 6000
        await street.run(7200)
        asked = [at_s for at_s, what in street.server.seen if what == "GET time"]
        pauses = [after - before for before, after in itertools.pairwise(asked) if after - before > 20]
        assert pauses == sorted(pauses) and pauses[0] < 45 and pauses[-1] > 1000
        assert street.clock.error_bound_ms(street.board.rtc_ms()) > 3000

    @pytest.mark.parametrize("payload", [b"", b"\xff", b"\x20", b"\x61a", b"\xf5", b"\x1b" + b"\xff" * 8])
    async def test_nonsense_is_not_taken_and_asked_again(self, street, payload):
        street.server.clock = payload
        assert (await street.run(40)).count("GET time") == 2
        assert street.clock.now_ms(0) is None
        street.server.clock = None
        await street.run(40)
        assert street.clock.now_ms(0) is not None

    async def test_a_server_without_time_does_not_hold_up_reports(self, street):
        street.server.answers["time"] = [(coap.NOT_FOUND, None)] * 100
        street.queue.put(TELEMETRY, b"t")
        assert (await street.run(10)) == ["POST rd", "GET time", "POST dp"]


class TestServerObject:
    async def test_objects_that_come_and_a_new_lifetime_are_told(self, street):
        await street.run(5)
        street.lamp.post("9002", {"/9002/0": "a"})
        assert await street.run(3) == ["POST rd/1"]
        street.settings.set({"lifetime_s": 600})
        assert await street.run(3) == ["POST rd/1"]
        street.settings.set({"report_interval_s": 60})
        assert await street.run(3) == []

    async def test_an_update_can_be_triggered(self, street):
        await street.run(5)
        street.client.trigger_update()
        assert await street.run(1) == ["POST rd/1"]

    async def test_a_disabled_lamp_leaves_and_comes_back(self, street):
        street.settings.set({"disable_timeout_s": 100})
        await street.run(5)
        street.client.disable()
        assert await street.run(90) == ["DELETE rd/1"]
        assert not street.client.is_registered()
        assert (await street.run(30))[0] == "POST rd"

    async def test_a_new_registration_ends_observations(self, street):
        street.server.observations.append("one")
        await street.run(5)
        assert street.server.observations == []


class TestStop:
    async def test_a_planned_stop_says_good_bye_and_keeps_the_reports(self, street):
        await street.run(5)
        street.settings.set({"mute_send": True})
        street.queue.put(TELEMETRY, b"t")
        street.board.end_ms = street.board.now_ms + 60000
        running = asyncio.ensure_future(street.client.run())
        await street.client.stop()
        assert street.server.seen[-1][1] == "DELETE rd/1"
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert Queue(street.queue._store).next()[1] == b"t"

    async def test_a_stop_does_not_wait_for_a_silent_server(self, street):
        await street.run(5)
        street.server.is_silent = True
        street.board.end_ms = street.board.now_ms + 60000
        before_ms = street.board.now_ms
        await street.client.stop()
        assert street.board.now_ms - before_ms <= 5100
