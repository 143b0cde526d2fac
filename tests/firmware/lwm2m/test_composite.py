"""Read-Composite and Write-Composite, and anything at all that a server may send."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.senml import ObjectLink
from firmware.coap import message as coap
from firmware.errors import ProgramError
from firmware.lwm2m.errors import BadRequest
from tests.firmware.lwm2m.fakes import Handle, Lamp, Owner, code_of, pack, values_of


@pytest.fixture
def lamp():
    return Lamp()


def text_of(response):
    return response.payload.decode()


class TestComposite:
    def test_a_read_takes_any_paths(self, lamp):
        response = lamp.fetch("/9001/0/0", "/9002/0/2", "/9001/0/7/3", "/9009/0", "/21/0")
        assert code_of(response) == "2.05"
        assert values_of(response) == {
            "/9001/0/0": 40,
            "/9002/0/2/0": "--01-01",
            "/9002/0/2/1": "--06-01",
            "/9001/0/7/3": 7,
        }

    def test_a_read_of_nothing_at_all_is_not_found(self, lamp):
        assert code_of(lamp.fetch("/9009/0", "/21")) == "4.04"
        assert code_of(lamp.fetch()) == "4.00"
        assert code_of(lamp.fetch("/9001/0/9")) == "4.05"

    def test_composites_go_to_the_root(self, lamp):
        assert code_of(lamp.ask(coap.FETCH, "9001", pack({}), 112)) == "4.05"
        assert code_of(lamp.ask(coap.IPATCH, "9001", pack({}), 112)) == "4.05"

    def test_a_read_has_no_text(self, lamp):
        assert code_of(lamp.ask(coap.FETCH, "", pack([("/9001/0/0", None)]), 112, accept=0)) == "4.06"

    def test_a_write_changes_several_objects(self, lamp):
        assert code_of(lamp.patch({"/9001/0/0": 3, "/9001/0/7/5": 2, "/9002/0/1": 9})) == "2.04"
        assert (lamp.thing.values[0], lamp.thing.values[7], lamp.rule.rules[0][1]) == (3, {0: 11, 3: 7, 5: 2}, 9)
        assert lamp.tree.revision == 0

    def test_a_write_creates_what_does_not_exist(self, lamp):
        assert code_of(lamp.patch({"/9002/4/0": "d", "/9002/4/2/0": "--05-01", "/9001/0/0": 1})) == "2.04"
        assert lamp.rule.rules[4] == {0: "d", 2: {0: "--05-01"}}
        assert lamp.tree.revision == 1

    def test_records_without_a_value_remove_what_they_name(self, lamp):
        lamp.rule.rules[1] = {0: "b", 2: {0: "--02-01"}}
        changes = [("/9002/1", None), ("/9002/0/2/0", None), ("/9001/0/7", None), ("/9001/0/7/1", 4), ("/9002/9", None)]
        assert code_of(lamp.patch(changes)) == "2.04"
        assert lamp.rule.rules == {0: {0: "night", 1: 5, 2: {1: "--06-01"}}}
        assert lamp.thing.values[7] == {1: 4}

    def test_one_write_can_say_exactly_what_shall_be_there(self, lamp):
        lamp.rule.rules[1] = {0: "b"}
        assert code_of(lamp.patch([("/9002", None), ("/9002/0/0", "only"), ("/9002/3/0", "new")])) == "2.04"
        assert lamp.rule.rules == {0: {0: "only"}, 3: {0: "new"}}

    def test_a_resource_that_an_instance_does_not_hold_yet_can_be_added(self, lamp):
        lamp.rule.rules[1] = {0: "b"}
        assert code_of(lamp.patch([("/9002/1/2/0", "--02-01"), ("/9002/1/2/7", None)])) == "2.04"
        assert lamp.rule.rules[1] == {0: "b", 2: {0: "--02-01"}}

    @pytest.mark.parametrize(
        ("values", "code"),
        [
            ({"/9001/0/0": 1, "/9002/0/1": 101}, "4.00"),
            ({"/9001/0/0": 1, "/9002/4/1": 1}, "4.00"),
            ({"/9001/0/0": 1, "/9009/0/1": 1}, "4.04"),
            ({"/9001/0/0": 1, "/9001/0/1": 1.0}, "4.05"),
            ({"/9001/0/0": 1, "/21/0/0": b"x"}, "4.04"),
            ([("/9001/0/0", 1), ("/9001/0/2", None)], "4.00"),
            ([("/9001/0/2", "x"), ("/9001/0", None)], "4.00"),
            ([("/9001/0/0", 1), ("/", None)], "4.00"),
            ([("/9001/0/0", 1), ("/9009", None)], "4.04"),
            ([("/9001/0/0", 1), ("/9009/1", None)], "4.04"),
            ([("/9002/0/0", "x"), ("/9001/0", None)], "4.05"),
            ([("/9001/0/0", 1), ("/9001/0/99", None)], "4.04"),
            ({"/": 1}, "4.00"),
            ({}, "4.00"),
        ],
    )
    def test_one_mistake_leaves_everything_as_it_was(self, lamp, values, code):
        before = lamp.state()
        assert code_of(lamp.patch(values)) == code
        assert lamp.state() == before

    def test_a_long_reason_is_cut(self, lamp):
        lamp.rule.owner = Owner()
        lamp.rule.owner.error = BadRequest("ề" * 500)
        response = lamp.patch({"/9002/4/0": "d"})
        assert len(text_of(response)) == 160

    def test_nodes_with_one_owner_are_taken_together(self, lamp):
        owner = Owner()
        lamp.rule.owner = owner
        lamp.thing.owner = owner
        assert code_of(lamp.patch({"/9002/4/0": "d", "/9001/0/0": 1, "/9002/0/1": 2})) == "2.04"
        assert owner.taken == [[(9001, 0, "write"), (9002, 0, "write"), (9002, 4, "create")]]

    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (BadRequest("no"), "/9002/4: no"),
            (ProgramError("/3454/0/4/0", "is no time"), "/3454/0/4/0 is no time: correct the schedule"),
        ],
    )
    def test_an_owner_that_refuses_stops_all_others(self, lamp, error, text):
        lamp.rule.owner = Owner()
        lamp.rule.owner.error = error
        response = lamp.patch({"/9002/4/0": "d", "/9001/0/0": 1})
        assert code_of(response) == "4.00"
        assert text_of(response).startswith(text)
        assert lamp.thing.values[0] == 40


PATHS = st.sampled_from(
    [
        "",
        "9001",
        "9001/0",
        "9001/0/0",
        "9001/0/1",
        "9001/0/7",
        "9001/0/7/0",
        "9001/0/8",
        "9002",
        "9002/0",
        "9002/1",
        "bs",
    ]
    + ["9002/0/2", "21/0", "9002/0/2/0", "x", "9001//0", "1/2/3/4/5"]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 200),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.binary(max_size=4),
    st.just(ObjectLink(1, 2)),
)
NAMES = ["/", "/9001", "/9001/0", "/9001/0/0", "/9001/0/7", "/9001/0/7/1", "/9001/0/9", "/9002", "/9002/0", "/9002/0/0"]
NAMES += ["/9002/4/0", "/9002/0/2/5", "/9002/4/1"]
RECORDS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=5)


class TestFuzz:
    @settings(max_examples=300)
    @given(
        code=st.sampled_from([1, 2, 3, 4, 5, 6, 7]),
        path=PATHS,
        payload=st.one_of(st.binary(max_size=24), RECORDS.map(pack), st.just(b"")),
        format=st.sampled_from([None, 0, 40, 42, 60, 110, 112, 112, 112, 11542]),
        accept=st.sampled_from([None, None, 0, 40, 42, 110, 112, 11542]),
        queries=st.lists(st.sampled_from(["pmin=1", "gt=4", "lt=x", "pmin", "=", "st=1e9"]), max_size=2),
        is_observing=st.booleans(),
    )
    def test_no_request_breaks_the_lamp_or_half_applies(
        self, code, path, payload, format, accept, queries, is_observing
    ):
        lamp = Lamp()
        before = lamp.state()
        handle = Handle() if is_observing else None
        response = lamp.ask(code, path, payload, format, accept, queries, handle)
        assert response.code >> 5 in (2, 4)
        if response.code >> 5 == 4:
            assert lamp.state() == before
            assert response.payload
