"""Read, Discover and Write-Attributes, by CoAP request and response."""

import pytest

from contract.senml import ObjectLink
from firmware.coap import message as coap
from tests.firmware.lwm2m.fakes import Lamp, code_of


@pytest.fixture
def lamp():
    return Lamp()


def text_of(response):
    return response.payload.decode()


class TestRead:
    def test_an_instance_gives_all_that_is_readable_and_has_a_value(self, lamp):
        assert lamp.read("9001/0") == {
            "/9001/0/0": 40,
            "/9001/0/1": 12.5,
            "/9001/0/2": "lamp",
            "/9001/0/3": True,
            "/9001/0/4": 1700000000,
            "/9001/0/5": b"\x01\x02",
            "/9001/0/6": ObjectLink(3410, 0),
            "/9001/0/7/0": 11,
            "/9001/0/7/3": 7,
            "/9001/0/11": 0.5,
            "/9001/0/12/20": False,
        }

    def test_an_object_gives_all_its_instances(self, lamp):
        lamp.rule.rules[3] = {0: "day"}
        assert lamp.read("9002") == {
            "/9002/0/0": "night",
            "/9002/0/1": 5,
            "/9002/0/2/0": "--01-01",
            "/9002/0/2/1": "--06-01",
            "/9002/0/3": True,
            "/9002/3/0": "day",
            "/9002/3/3": True,
        }

    def test_a_resource_and_a_resource_instance_give_their_values(self, lamp):
        assert lamp.read("9001/0/1") == {"/9001/0/1": 12.5}
        assert lamp.read("9001/0/7") == {"/9001/0/7/0": 11, "/9001/0/7/3": 7}
        assert lamp.read("9001/0/7/3") == {"/9001/0/7/3": 7}

    @pytest.mark.parametrize(
        "path",
        ["9003", "9001/1", "9001/0/99", "9001/0/10", "9001/0/7/1", "9001/0/0/0", "21/0", "21", "0", "0/0/0", "a/b"],
    )
    def test_what_is_not_there_is_not_found(self, lamp, path):
        assert code_of(lamp.get(path)) == "4.04"

    @pytest.mark.parametrize("path", ["9001/0/8", "9001/0/9", "bs", ""])
    def test_what_is_not_readable_is_not_allowed(self, lamp, path):
        assert code_of(lamp.get(path)) == "4.05"

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("9001/0/0", b"40"),
            ("9001/0/1", b"12.5"),
            ("9001/0/2", b"lamp"),
            ("9001/0/3", b"1"),
            ("9001/0/4", b"1700000000"),
            ("9001/0/5", b"AQI="),
            ("9001/0/6", b"3410:0"),
            ("9001/0/7/3", b"7"),
        ],
    )
    def test_a_single_value_can_be_had_as_text(self, lamp, path, text):
        response = lamp.get(path, accept=0)
        assert (code_of(response), response.payload, response.uint(coap.CONTENT_FORMAT)) == ("2.05", text, 0)

    def test_bytes_can_be_had_as_they_are(self, lamp):
        response = lamp.get("9001/0/5", accept=42)
        assert (response.payload, response.uint(coap.CONTENT_FORMAT)) == (b"\x01\x02", 42)

    def test_json_can_be_had(self, lamp):
        response = lamp.get("9001/0/0", accept=110)
        assert (response.payload, response.uint(coap.CONTENT_FORMAT)) == (b'[{"bn":"/9001/0/","n":"0","v":40}]', 110)

    @pytest.mark.parametrize(
        ("path", "accept"),
        [("9001/0", 0), ("9001", 42), ("9001/0/7", 0), ("9001/0/0", 42), ("9001/0", 11542), ("9001/0/0", 60)],
    )
    def test_a_format_that_does_not_fit_is_not_acceptable(self, lamp, path, accept):
        response = lamp.get(path, accept=accept)
        assert code_of(response) == "4.06"
        assert "112" in text_of(response)

    def test_an_answer_beyond_the_limit_asks_for_less(self, lamp):
        lamp.rule.rules = {id: {0: "x" * 200} for id in range(30)}
        assert code_of(lamp.get("9002")) == "4.13"

    def test_a_query_is_refused(self, lamp):
        assert code_of(lamp.get("9001/0/0", queries=["pmin=1"])) == "4.00"

    def test_a_path_that_is_not_text_is_refused(self, lamp):
        request = coap.Message(coap.GET, options=[(coap.URI_PATH, b"\xff")])
        assert code_of(lamp.operations.handle(request)) == "4.00"

    def test_another_method_is_not_allowed(self, lamp):
        assert code_of(lamp.ask(coap.PATCH, "9001/0/0")) == "4.05"

    def test_a_fault_of_ours_is_told_and_logged(self, lamp):
        lamp.thing.read = lambda instance, resource: 1 / 0
        assert code_of(lamp.get("9001/0/0")) == "5.00"
        assert "ZeroDivisionError" in lamp.log.lines()[-1]


class TestDiscover:
    def discover(self, lamp, path):
        response = lamp.get(path, accept=40)
        assert (code_of(response), response.uint(coap.CONTENT_FORMAT)) == ("2.05", 40)
        return text_of(response)

    def test_an_object_lists_version_instances_and_resources(self, lamp):
        lamp.ask(coap.PUT, "9002/0", queries=["pmin=10", "pmax=60"])
        assert self.discover(lamp, "9002") == (
            "</9002>,</9002/0>;pmin=10;pmax=60,</9002/0/0>,</9002/0/1>,</9002/0/2>;dim=2,</9002/0/3>"
        )
        assert self.discover(lamp, "9001").startswith("</9001>;ver=2.0,</9001/0>,</9001/0/0>,")

    def test_a_resource_has_inherited_attributes_and_its_instances(self, lamp):
        lamp.ask(coap.PUT, "9001", queries=["pmin=10"])
        lamp.ask(coap.PUT, "9001/0/7", queries=["gt=5.5"])
        assert self.discover(lamp, "9001/0/7") == "</9001/0/7>;dim=2;pmin=10;gt=5.5,</9001/0/7/0>,</9001/0/7/3>"
        assert self.discover(lamp, "9001/0/8") == "</9001/0/8>;pmin=10"

    def test_only_three_levels_can_be_discovered(self, lamp):
        assert code_of(lamp.get("9001/0/7/0", accept=40)) == "4.05"
        assert code_of(lamp.get("", accept=40)) == "4.05"
        assert code_of(lamp.get("9001/4", accept=40)) == "4.04"
        assert code_of(lamp.get("9001/0/99", accept=40)) == "4.04"


class TestAttributes:
    def test_they_are_written_by_query_and_removed_by_an_empty_one(self, lamp):
        assert code_of(lamp.ask(coap.PUT, "9001/0/1", queries=["pmin=5", "pmax=60", "st=0.5"])) == "2.04"
        assert code_of(lamp.ask(coap.PUT, "9001/0/1", queries=["pmin", "st="])) == "2.04"
        assert text_of(lamp.get("9001/0/1", accept=40)) == "</9001/0/1>;pmax=60"
        assert code_of(lamp.ask(coap.PUT, "9001/0/1", queries=["pmax"])) == "2.04"
        assert text_of(lamp.get("9001/0/1", accept=40)) == "</9001/0/1>"

    @pytest.mark.parametrize(
        ("path", "queries", "code"),
        [
            ("9001/0/1", ["pmim=5"], "4.00"),
            ("9001/0/1", ["pmin=-5"], "4.00"),
            ("9001/0/1", ["pmin=1.5"], "4.00"),
            ("9001/0/1", ["pmin=99999999999"], "4.00"),
            ("9001/0/1", ["st=0"], "4.00"),
            ("9001/0/1", ["gt=x"], "4.00"),
            ("9001/0/1", ["gt=1", "lt=2"], "4.00"),
            ("9001/0/1", ["gt=3.5", "lt=2", "st=1"], "4.00"),
            ("9001/0/2", ["gt=1"], "4.00"),
            ("9001/0", ["gt=1"], "4.00"),
            ("9001", ["lt=1"], "4.00"),
            ("9001/0/1", ["pmin=1", "pmax=x"], "4.00"),
            ("9009", ["pmin=1"], "4.04"),
            ("9001/7", ["pmin=1"], "4.04"),
            ("9001/0/99", ["pmin=1"], "4.04"),
            ("", ["pmin=1"], "4.05"),
        ],
    )
    def test_a_wrong_one_changes_nothing(self, lamp, path, queries, code):
        assert code_of(lamp.ask(coap.PUT, path, queries=queries)) == code
        assert ";p" not in text_of(lamp.get("9001", accept=40))

    def test_they_come_without_a_payload(self, lamp):
        assert code_of(lamp.ask(coap.PUT, "9001/0/0", b"1", 0, queries=["pmin=1"])) == "4.00"
        assert code_of(lamp.ask(coap.PUT, "9001/0/0", b"", 0, queries=["pmin=1"])) == "4.00"

    def test_there_is_room_for_so_many_paths(self, lamp):
        lamp.rule.rules = {id: {0: "x"} for id in range(40)}
        codes = [code_of(lamp.ask(coap.PUT, f"9002/{id}", queries=["pmin=1"])) for id in range(33)]
        assert codes == ["2.04"] * 32 + ["5.03"]
        assert code_of(lamp.ask(coap.PUT, "9002/3", queries=["pmin=2"])) == "2.04"
