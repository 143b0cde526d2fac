"""Which notification is due, by pmin, pmax, gt, lt, st and the evaluation periods, in virtual time."""

import asyncio

import pytest

from firmware.coap import message as coap
from firmware.lwm2m.observer import Observer
from tests.firmware.lwm2m.fakes import Handle, Lamp, code_of, pack, values_of


@pytest.fixture
def lamp():
    return Lamp()


def observe(lamp, path="9001/0/1", **more):
    handle = Handle()
    response = lamp.get(path, handle=handle, **more)
    assert code_of(response) == "2.05"
    assert response.option(coap.OBSERVE) is not None
    return handle


def due_at(lamp, seconds):
    """[(seconds, values)] of the notifications until `seconds` from now, looking every 100 ms."""
    told = []
    start_ms = lamp.now_ms
    while lamp.now_ms < start_ms + seconds * 1000:
        lamp.now_ms += 100
        for _, message in lamp.observations.poll(lamp.now_ms):
            told.append(((lamp.now_ms - start_ms) / 1000, list(values_of(message).values())))
    return told


class TestPlain:
    def test_a_change_is_told_within_a_second(self, lamp):
        observe(lamp)
        assert due_at(lamp, 5) == []
        lamp.thing.values[1] = 13.0
        assert due_at(lamp, 5) == [(1.0, [13.0])]

    def test_nothing_is_told_without_an_observation(self, lamp):
        lamp.get("9001/0/1")
        assert lamp.observations.deadline_ms() is None
        lamp.thing.values[1] = 13.0
        assert due_at(lamp, 2) == []

    def test_a_refused_request_observes_nothing(self, lamp):
        assert code_of(lamp.get("9001/0/99", handle=Handle())) == "4.04"
        assert lamp.observations.deadline_ms() is None

    def test_an_ended_observation_is_forgotten(self, lamp):
        observe(lamp).is_active = False
        lamp.thing.values[1] = 13.0
        assert due_at(lamp, 2) == []
        assert lamp.observations.deadline_ms() is None

    def test_an_instance_is_told_whole_when_a_part_changes(self, lamp):
        observe(lamp, "9002/0")
        lamp.rule.rules[0][1] = 6
        assert due_at(lamp, 2) == [(1.0, ["night", 6, "--01-01", "--06-01", True])]

    def test_values_that_come_or_go_are_told(self, lamp):
        observe(lamp, "9002/0")
        del lamp.rule.rules[0][1]
        assert due_at(lamp, 1) == [(1.0, ["night", "--01-01", "--06-01", True])]
        lamp.rule.rules[0][2] = {0: "--01-01", 5: "--06-01"}
        assert len(due_at(lamp, 1)) == 1

    def test_the_format_asked_for_is_kept(self, lamp):
        observe(lamp, accept=0)
        lamp.thing.values[1] = 13.5
        lamp.now_ms += 1000
        [(_, message)] = lamp.observations.poll(lamp.now_ms)
        assert (message.payload, message.uint(coap.CONTENT_FORMAT)) == (b"13.5", 0)

    def test_what_is_gone_ends_with_an_error(self, lamp):
        handle = observe(lamp, "9002/0")
        lamp.ask(coap.DELETE, "9002/0")
        lamp.now_ms += 1000
        [(ended, message)] = lamp.observations.poll(lamp.now_ms)
        assert ended is handle
        assert code_of(message) == "4.04"

    def test_a_composite_is_told_whole(self, lamp):
        handle = Handle()
        response = lamp.fetch("/9001/0/0", "/9001/0/1", "/9009/0", handle=handle)
        assert response.option(coap.OBSERVE) is not None
        lamp.thing.values[0] = 41
        assert due_at(lamp, 2) == [(1.0, [41, 12.5])]


class TestPeriods:
    def write(self, lamp, path, *queries):
        assert code_of(lamp.ask(coap.PUT, path, queries=queries)) == "2.04"

    def test_pmin_holds_a_change_back(self, lamp):
        self.write(lamp, "9001/0/1", "pmin=10")
        observe(lamp)
        lamp.thing.values[1] = 13.0
        assert due_at(lamp, 20) == [(10.0, [13.0])]

    def test_a_change_that_is_undone_within_pmin_is_not_told(self, lamp):
        self.write(lamp, "9001/0/1", "pmin=10")
        observe(lamp)
        lamp.thing.values[1] = 13.0
        due_at(lamp, 5)
        lamp.thing.values[1] = 12.5
        assert due_at(lamp, 20) == []

    def test_pmax_tells_without_a_change(self, lamp):
        self.write(lamp, "9001", "pmax=30")
        observe(lamp)
        assert [at for at, _ in due_at(lamp, 100)] == [30.0, 60.0, 90.0]

    def test_pmax_below_pmin_is_ignored(self, lamp):
        self.write(lamp, "9001/0/1", "pmin=20", "pmax=10")
        observe(lamp)
        assert due_at(lamp, 60) == []

    def test_the_closest_attribute_counts(self, lamp):
        self.write(lamp, "9001", "pmax=5")
        self.write(lamp, "9001/0", "pmax=10")
        self.write(lamp, "9001/0/1", "pmax=20")
        observe(lamp)
        assert [at for at, _ in due_at(lamp, 30)] == [20.0]

    def test_the_server_object_has_the_defaults(self):
        lamp = Lamp(lambda: {"pmin": 5, "pmax": 0})
        observe(lamp)
        lamp.thing.values[1] = 13.0
        assert due_at(lamp, 20) == [(5.0, [13.0])]

    def test_what_is_written_counts_more_than_the_defaults(self):
        lamp = Lamp(lambda: {"pmin": 30})
        self.write(lamp, "9001", "pmin=2")
        observe(lamp)
        lamp.thing.values[1] = 13.0
        assert due_at(lamp, 20) == [(2.0, [13.0])]

    def test_epmin_looks_less_often(self, lamp):
        self.write(lamp, "9001/0/1", "epmin=7", "epmax=3")
        observe(lamp)
        lamp.thing.values[1] = 13.0
        assert due_at(lamp, 20) == [(7.0, [13.0])]

    def test_epmin_does_not_hold_up_pmax(self, lamp):
        self.write(lamp, "9001/0/1", "epmin=60", "pmax=5")
        observe(lamp)
        assert [at for at, _ in due_at(lamp, 12)] == [5.0, 10.0]

    def test_of_a_composite_the_strictest_periods_count(self, lamp):
        self.write(lamp, "9001/0/0", "pmin=3", "pmax=40")
        self.write(lamp, "9001/0/1", "pmin=9", "pmax=30")
        lamp.fetch("/9001/0/0", "/9001/0/1", handle=Handle())
        lamp.thing.values[0] = 41
        assert [at for at, _ in due_at(lamp, 50)] == [9.0, 39.0]


class TestThresholds:
    @pytest.mark.parametrize(
        ("queries", "values", "told"),
        [
            (["gt=20"], [19, 20, 20.5, 30, 20], [20.5, 20]),
            (["lt=10"], [11, 10, 9.5, 5, 10], [9.5, 10]),
            (["st=3"], [13, 15, 15.5, 17, 18.5, 12], [15.5, 18.5, 12]),
            (["gt=20", "lt=5"], [10, 4, 6, 21, 4], [4, 6, 21, 4]),
            (["gt=20", "st=100"], [21, 200], [21, 200]),
        ],
    )
    def test_only_what_crosses_or_steps_is_told(self, lamp, queries, values, told):
        assert code_of(lamp.ask(coap.PUT, "9001/0/1", queries=queries)) == "2.04"
        observe(lamp)
        found = []
        for value in values:
            lamp.thing.values[1] = value
            found += [told for _, told in due_at(lamp, 1)]
        assert found == [[value] for value in told]

    def test_they_count_for_their_resource_when_the_instance_is_observed(self, lamp):
        lamp.ask(coap.PUT, "9001/0/1", queries=["st=5"])
        observe(lamp, "9001/0")
        lamp.thing.values[1] = 13.0
        assert due_at(lamp, 3) == []
        lamp.thing.values[0] = 41
        assert len(due_at(lamp, 3)) == 1


class TestObserver:
    class Board:
        def __init__(self, lamp, end_ms):
            self.lamp = lamp
            self.end_ms = end_ms

        def ticks_ms(self):
            return self.lamp.now_ms

        async def sleep_ms(self, ms):
            assert 1 <= ms <= 1000
            self.lamp.now_ms += ms
            if self.lamp.now_ms >= self.end_ms:
                raise asyncio.CancelledError

    class Endpoint:
        def __init__(self):
            self.told = []

        def notify(self, handle, message):
            self.told.append((handle, values_of(message)))

    async def test_it_sends_what_is_due(self, lamp):
        lamp.ask(coap.PUT, "9001/0/1", queries=["pmax=3"])
        endpoint = self.Endpoint()
        observer = Observer(self.Board(lamp, 3500), endpoint, lamp.observations)
        with pytest.raises(asyncio.CancelledError):
            await observer.run()
        handle = observe(lamp)
        observer = Observer(self.Board(lamp, lamp.now_ms + 7500), endpoint, lamp.observations)
        with pytest.raises(asyncio.CancelledError):
            await observer.run()
        assert endpoint.told == [(handle, {"/9001/0/1": 12.5})] * 2


def test_a_fetch_without_content_format_is_refused():
    lamp = Lamp()
    assert code_of(lamp.ask(coap.FETCH, "", pack([("/9001", None)]), handle=Handle())) == "4.00"
