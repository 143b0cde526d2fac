"""Write, Execute, Create and Delete, by CoAP request and response."""

import pytest

from contract.senml import ObjectLink
from firmware.coap import message as coap
from firmware.errors import SettingError, StorageError
from tests.firmware.lwm2m.fakes import Lamp, code_of


@pytest.fixture
def lamp():
    return Lamp()


def text_of(response):
    return response.payload.decode()


class TestWrite:
    def test_a_resource_takes_a_value(self, lamp):
        assert code_of(lamp.put("9001/0/0", {"/9001/0/0": 70})) == "2.04"
        assert lamp.thing.values[0] == 70

    @pytest.mark.parametrize(
        ("id", "text", "value"),
        [
            (0, b"70", 70),
            (2, "ề".encode(), "ề"),
            (3, b"0", False),
            (4, b"-5", -5),
            (5, b"AQID", b"\x01\x02\x03"),
            (6, b"3:0", ObjectLink(3, 0)),
            (11, b"-1e-1", -0.1),
        ],
    )
    def test_text_is_read_by_the_type_of_the_resource(self, lamp, id, text, value):
        assert code_of(lamp.ask(coap.PUT, f"9001/0/{id}", text, 0)) == "2.04"
        assert lamp.thing.values[id] == value

    @pytest.mark.parametrize(
        ("id", "text"),
        [
            (0, b""),
            (0, b"4_0"),
            (0, b" 4"),
            (0, b"9" * 30),
            (2, b"\xff"),
            (3, b"true"),
            (5, b"A"),
            (6, b"3"),
            (6, b"a:b"),
            (6, b"3:70000"),
            (11, b"nan"),
            (11, b"1e999"),
            (11, b""),
        ],
    )
    def test_text_of_another_type_is_refused(self, lamp, id, text):
        before = lamp.state()
        assert code_of(lamp.ask(coap.PUT, f"9001/0/{id}", text, 0)) == "4.00"
        assert lamp.state() == before

    def test_bytes_are_taken_as_they_are(self, lamp):
        assert code_of(lamp.ask(coap.PUT, "9001/0/5", b"\x00\xff", 42)) == "2.04"
        assert lamp.thing.values[5] == b"\x00\xff"

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (101, "/9001/0/0: is 101, must be in 0..100"),
            (-1, "/9001/0/0: is -1, must be in 0..100"),
            (1.5, "/9001/0/0: needs a whole number, not 1.5"),
            (True, "/9001/0/0: needs a whole number, not true"),
            ("x", "/9001/0/0: needs a whole number, not the text 'x'"),
            (b"x", "/9001/0/0: needs a whole number, not 1 bytes"),
            (1 << 63, "/9001/0/0: needs a whole number of at most 64 bits"),
            (None, "/9001/0/0: gives no value"),
        ],
    )
    def test_a_wrong_value_is_refused_with_path_and_reason(self, lamp, value, reason):
        response = lamp.put("9001/0/0", [("/9001/0/0", value)])
        assert (code_of(response), text_of(response)) == ("4.00", reason)
        assert lamp.thing.values[0] == 40

    @pytest.mark.parametrize(
        ("id", "value"),
        [
            (2, "123456789"),
            (2, 5),
            (3, 1),
            (4, 1.0),
            (5, "x"),
            (5, b"x" * 256),
            (6, "3:0"),
            (11, 2),
            (11, "x"),
            (9, "x" * 256),
        ],
    )
    def test_each_type_refuses_what_it_is_not(self, lamp, id, value):
        assert code_of(lamp.put(f"9001/0/{id}", {f"/9001/0/{id}": value})) == "4.00"

    def test_an_int_is_a_float_where_one_is_meant(self, lamp):
        lamp.put("9001/0/11", {"/9001/0/11": 1})
        assert isinstance(lamp.thing.values[11], float)

    def test_put_replaces_a_multiple_resource_and_post_adds_to_it(self, lamp):
        assert code_of(lamp.post("9001/0/7", {"/9001/0/7/1": 5})) == "2.04"
        assert lamp.thing.values[7] == {0: 11, 1: 5, 3: 7}
        assert code_of(lamp.put("9001/0/7", {"/9001/0/7/9": 1})) == "2.04"
        assert lamp.thing.values[7] == {9: 1}
        assert code_of(lamp.put("9001/0/7", {})) == "2.04"
        assert lamp.thing.values[7] == {}

    def test_a_resource_instance_that_exists_takes_a_value(self, lamp):
        assert code_of(lamp.put("9001/0/7/3", {"/9001/0/7/3": 2})) == "2.04"
        assert code_of(lamp.ask(coap.PUT, "9001/0/7/0", b"13", 0)) == "2.04"
        assert lamp.thing.values[7] == {0: 13, 3: 2}
        assert code_of(lamp.put("9001/0/7/1", {"/9001/0/7/1": 2})) == "4.04"

    def test_a_partial_update_leaves_the_rest(self, lamp):
        response = lamp.post("9001/0", {"/9001/0/0": 10, "/9001/0/7/0": 1})
        assert code_of(response) == "2.04"
        assert (lamp.thing.values[0], lamp.thing.values[7], lamp.thing.values[2]) == (10, {0: 1, 3: 7}, "lamp")

    def test_a_replacement_leaves_nothing_else(self, lamp):
        assert code_of(lamp.put("9002/0", {"/9002/0/0": "new"})) == "2.04"
        assert lamp.rule.rules[0] == {0: "new"}

    def test_a_replacement_needs_what_is_mandatory(self, lamp):
        response = lamp.put("9002/0", {"/9002/0/1": 1})
        assert (code_of(response), text_of(response)) == ("4.00", "/9002/0: the mandatory resource 0, Name, is missing")

    @pytest.mark.parametrize(
        ("path", "values", "code"),
        [
            ("9001/0/1", {"/9001/0/1": 1.0}, "4.05"),
            ("9001/0/8", {"/9001/0/8": 1.0}, "4.05"),
            ("9001/0", {"/9001/0/0": 1, "/9001/0/1": 1.0}, "4.05"),
            ("9001/0", {"/9001/0/0": 1, "/9001/0/99": 1}, "4.04"),
            ("9001/0", {"/9001/0/0": 1, "/9001/0/2/0": "x"}, "4.04"),
            ("9001/0", {"/9001/0/0": 1, "/9001/0/7": 1}, "4.00"),
            ("9001/0", {"/9001/0/0": 1, "/9001/1/0": 1}, "4.00"),
            ("9001/0", {"/9001/0/0": 1, "/9001/0/2": "bad"}, "4.00"),
            ("9001/0", [("/9001/0/0", 1), ("/9001/0/0", 2)], "4.00"),
            ("9001/0", [("/9001/0/0", 1), ("/9001/0/7/0", 2), ("/9001/0/7/0", 2)], "4.00"),
            ("9001/0", {"/9001/0": 1}, "4.00"),
            ("9001/0/0", {}, "4.00"),
            ("9001/0/7/3", {}, "4.00"),
            ("9001/1", {"/9001/1/0": 1}, "4.04"),
            ("9001", {"/9001/0/0": 1}, "4.05"),
            ("", {"/9001/0/0": 1}, "4.05"),
            ("9005/0", {"/9005/0/0": 1}, "4.04"),
        ],
    )
    def test_a_write_with_one_mistake_changes_nothing(self, lamp, path, values, code):
        before = lamp.state()
        assert code_of(lamp.put(path, values)) == code
        assert lamp.state() == before

    @pytest.mark.parametrize(
        ("payload", "format", "code"),
        [
            (b"\xff", 112, "4.00"),
            (b"{", 110, "4.00"),
            (b"1", None, "4.00"),
            (b"1", 60, "4.15"),
            (b"1", 42, "4.15"),
            (b"\xe4\x00\x01", 11542, "4.15"),
            (b" " * 4097, 112, "4.13"),
        ],
    )
    def test_a_payload_that_cannot_be_read_says_why(self, lamp, payload, format, code):
        assert code_of(lamp.ask(coap.PUT, "9001/0/0", payload, format)) == code

    def test_text_does_not_carry_an_instance_or_several_values(self, lamp):
        assert code_of(lamp.ask(coap.PUT, "9001/0", b"1", 0)) == "4.15"
        assert code_of(lamp.ask(coap.PUT, "9001/0/7", b"1", 0)) == "4.15"

    @pytest.mark.parametrize(
        ("error", "code"),
        [(SettingError("x", "must be 1"), "4.00"), (StorageError("full", "replace it"), "5.03")],
    )
    def test_a_write_that_the_lamp_cannot_keep_is_told(self, lamp, error, code):
        lamp.thing.fails = error
        response = lamp.put("9001/0/0", {"/9001/0/0": 1})
        assert code_of(response) == code
        assert text_of(response).startswith("/9001/0: ")


class TestExecute:
    def test_an_executable_resource_runs_with_its_arguments(self, lamp):
        assert code_of(lamp.ask(coap.POST, "9001/0/8")) == "2.04"
        assert code_of(lamp.ask(coap.POST, "9001/0/8", b"0='a'", 0)) == "2.04"
        assert lamp.thing.executed == [(8, ""), (8, "0='a'")]

    @pytest.mark.parametrize(
        ("path", "payload", "format", "code"),
        [
            ("9001/0/8", b"no", 0, "4.00"),
            ("9001/0/8", b"\xff", 0, "4.00"),
            ("9001/0/8", b"x" * 256, 0, "4.00"),
            ("9001/0/8", b"\x80", 112, "4.15"),
            ("9001/0/8/0", b"", None, "4.05"),
            ("9001/1/8", b"", None, "4.04"),
            ("", b"", None, "4.05"),
        ],
    )
    def test_what_cannot_be_executed_says_why(self, lamp, path, payload, format, code):
        assert code_of(lamp.ask(coap.POST, path, payload, format)) == code
        assert lamp.thing.executed == []

    def test_a_readable_resource_is_not_executed_but_written(self, lamp):
        assert code_of(lamp.ask(coap.POST, "9001/0/1")) == "4.05"

    def test_the_tree_itself_refuses_to_execute_a_value(self, lamp):
        from contract.paths import parse
        from firmware.lwm2m.errors import NotAllowed

        with pytest.raises(NotAllowed):
            lamp.tree.execute(parse("/9001/0/0"), "")


class TestCreateAndDelete:
    def location(self, response):
        assert code_of(response) == "2.01", response.payload
        return response.location()

    def test_the_lamp_takes_the_lowest_free_id(self, lamp):
        assert self.location(lamp.post("9002", {"/9002/0": "a", "/9002/1": 3})) == "9002/1"
        assert self.location(lamp.post("9002", {"/9002/0": "b", "/9002/2/4": "--12-24"})) == "9002/2"
        assert lamp.rule.rules[1] == {0: "a", 1: 3}
        assert lamp.rule.rules[2] == {0: "b", 2: {4: "--12-24"}}
        assert lamp.tree.revision == 2

    def test_the_server_may_choose_the_id(self, lamp):
        assert self.location(lamp.post("9002", {"/9002/5/0": "a", "/9002/5/2/0": "--12-24"})) == "9002/5"
        assert lamp.rule.rules[5] == {0: "a", 2: {0: "--12-24"}}

    @pytest.mark.parametrize(
        ("path", "values", "code"),
        [
            ("9002", {"/9002/0/0": "again"}, "4.00"),
            ("9002", {"/9002/5/1": 1}, "4.00"),
            ("9002", {}, "4.00"),
            ("9002", {"/9002/5/0": "a", "/9002/6/0": "b"}, "4.00"),
            ("9002", {"/9002/0": "a", "/9002/5/2/0": "b"}, "4.00"),
            ("9002", {"/9002": 1}, "4.00"),
            ("9002", {"/9001/5/0": 1}, "4.00"),
            ("9002", {"/9002/5/0": "a", "/9002/5/1": 101}, "4.00"),
            ("9002", {"/9002/5/0": "a", "/9002/5/3": True}, "4.05"),
            ("9001", {"/9001/1/0": 1}, "4.04"),
            ("9005", {"/9005/1/0": 1}, "4.04"),
        ],
    )
    def test_a_create_with_a_mistake_makes_nothing(self, lamp, path, values, code):
        before = lamp.state()
        assert code_of(lamp.post(path, values)) == code
        assert lamp.state() == before

    def test_a_single_object_has_no_second_instance(self, lamp):
        lamp.thing.supports = lambda instance, resource: True
        assert code_of(lamp.post("9001", {"/9001/1/0": 1})) == "4.05"

    def test_an_instance_can_be_deleted(self, lamp):
        lamp.ask(coap.PUT, "9002/0", queries=["pmin=10"])
        assert code_of(lamp.ask(coap.DELETE, "9002/0")) == "2.02"
        assert lamp.rule.rules == {}
        assert lamp.tree.revision == 1
        lamp.post("9002", {"/9002/0": "a"})
        assert "pmin" not in text_of(lamp.get("9002", accept=40))

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("9002/4", "4.04"),
            ("9002", "4.05"),
            ("9002/0/0", "4.05"),
            ("9001/0", "4.05"),
            ("", "4.05"),
            ("9002/7", "4.00"),
        ],
    )
    def test_what_cannot_be_deleted_stays(self, lamp, path, code):
        lamp.rule.rules[7] = {0: "used"}
        before = lamp.state()
        assert code_of(lamp.ask(coap.DELETE, path)) == code
        assert lamp.state() == before
