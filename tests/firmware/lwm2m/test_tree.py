"""What the tree and its nodes promise to the rest of the lamp, apart from any request."""

import pytest

from contract.paths import ROOT, parse
from contract.senml import ObjectLink
from firmware.errors import StorageError
from firmware.lwm2m import values
from firmware.lwm2m.errors import BadRequest, NotAllowed, NotFound, Unavailable
from firmware.lwm2m.node import CREATE, DELETE, WRITE, Change, Node, Simple
from tests.firmware.lwm2m.fakes import LEVEL, RULE, RULE_OBJECT, THING, THING_OBJECT, Lamp, Owner, resource


@pytest.fixture
def lamp():
    return Lamp()


class TestTree:
    def test_security_and_oscore_are_never_there(self, lamp):
        assert lamp.tree.objects() == [THING, RULE]
        with pytest.raises(NotFound):
            lamp.tree.read(parse("/21/0"))

    def test_the_root_cannot_be_read(self, lamp):
        with pytest.raises(NotAllowed):
            lamp.tree.read(ROOT)

    def test_a_resource_that_the_lamp_does_not_have_is_not_found(self, lamp):
        del lamp.rule.rules[0][1]
        for path in ("/9002/0/1", "/9002/0/1/0"):
            with pytest.raises(NotFound):
                lamp.tree.read(parse(path))
        lamp.thing.values[7] = None
        with pytest.raises(NotFound):
            lamp.tree.read(parse("/9001/0/7/0"))

    def test_a_write_to_a_resource_that_the_lamp_does_not_have_is_not_found(self, lamp):
        lamp.rule.supports = lambda instance, id: id != 1
        with pytest.raises(NotFound, match="/9002/0/1: this lamp does not have"):
            lamp.tree.apply([Change(RULE, 0, {1: 4}, WRITE)])

    def test_a_multiple_resource_takes_no_single_value(self, lamp):
        with pytest.raises(BadRequest):
            lamp.tree.apply([Change(THING, 0, {7: 4}, WRITE)])

    def test_instances_that_come_and_go_are_counted(self, lamp):
        lamp.tree.apply([Change(RULE, 4, {0: "x"}, CREATE), Change(RULE, 0, {}, DELETE)])
        assert lamp.tree.revision == 2
        lamp.tree.apply([Change(RULE, 4, {0: "y"}, WRITE)])
        assert lamp.tree.revision == 2

    def test_an_error_of_an_owner_keeps_the_path_that_it_names(self, lamp):
        lamp.rule.owner = Owner()
        lamp.rule.owner.error = BadRequest("is wrong", parse("/9002/4/2/1"))
        with pytest.raises(BadRequest, match=r"^/9002/4/2/1: is wrong$"):
            lamp.tree.apply([Change(RULE, 4, {0: "x"}, CREATE)])

    def test_a_flash_that_is_full_refuses_before_anything_is_written(self, lamp):
        lamp.rule.owner = Owner()
        lamp.rule.owner.error = StorageError("full", "replace the controller")
        with pytest.raises(Unavailable):
            lamp.tree.apply([Change(THING, 0, {0: 1}, WRITE), Change(RULE, 4, {0: "x"}, CREATE)])
        assert lamp.thing.values[0] == 40


class Bare(Node):
    OBJECT = RULE_OBJECT

    def present(self, instance):
        return (0, 1)


class TestNode:
    def test_a_node_does_nothing_that_it_was_not_given(self):
        node = Bare()
        assert node.owner is node
        assert node.instances() == (0,)
        assert node.supports(0, 1)
        assert not node.supports(0, 2)
        assert not node.supports(1, 1)
        for refused in (node.check_create, node.execute):
            with pytest.raises(NotAllowed):
                refused(*(0, {}) if refused == node.check_create else (0, 1, ""))
        with pytest.raises(NotAllowed):
            node.check_delete(0)
        for missing in (lambda: node.read(0, 0), lambda: node.write(0, {}, False), lambda: node.create(0, {})):
            with pytest.raises(NotImplementedError, match="Rule"):
                missing()
        with pytest.raises(NotImplementedError, match="Rule"):
            node.delete(0)
        with pytest.raises(NotImplementedError, match="Rule"):
            Node.present(node, 0)

    def test_preparing_changes_nothing(self, lamp):
        commit = lamp.rule.prepare([Change(RULE, 4, {0: "x"}, CREATE), Change(RULE, 0, {1: 3}, WRITE)])
        assert 4 not in lamp.rule.rules
        commit()
        assert lamp.rule.rules[4] == {0: "x"}


class Sensor(Simple):
    OBJECT = THING_OBJECT


class TestSimple:
    def test_a_read_only_object_refuses_to_be_written_or_executed(self):
        sensor = Sensor({LEVEL: 5})
        assert sensor.present(0) == (0,)
        assert sensor.read(0, 0) == 5
        assert sensor.read(0, 1) is None
        with pytest.raises(NotAllowed):
            sensor.check(0, {0: 1}, False)
        with pytest.raises(NotAllowed):
            sensor.execute(0, 8, "")


class TestValues:
    @pytest.mark.parametrize("value", [(1,), (1, -1), (1, 65536), (1, True), ("a", 1), "1:1"])
    def test_a_link_is_two_numbers(self, value):
        with pytest.raises(BadRequest):
            values.check(resource(1, 1, "Link", "Objlnk", "RW"), value)

    def test_a_link_to_nothing_is_a_link(self):
        link = values.check(resource(1, 1, "Link", "Objlnk", "RW"), (65535, 65535))
        assert link == ObjectLink(65535, 65535)

    @pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
    def test_a_float_is_finite(self, value):
        with pytest.raises(BadRequest, match="finite"):
            values.check(resource(1, 1, "Gain", "Float", "RW"), value)

    def test_an_executable_has_no_value(self):
        with pytest.raises(BadRequest, match="POST"):
            values.check(resource(1, 1, "Reboot", "", "E"), 1)

    def test_a_range_may_be_open(self):
        open_above = resource(1, 1, "Count", "Integer", "RW", minimum=3)
        assert values.check(open_above, 3) == 3
        with pytest.raises(BadRequest, match=r"is 2, must be in 3\.\."):
            values.check(open_above, 2)
        with pytest.raises(BadRequest, match=r"has length 5, must be in \.\.4"):
            values.check(resource(1, 1, "Name", "String", "RW", maximum=4), "12345")
        assert values.check(resource(1, 1, "Data", "Opaque", "RW"), bytearray(b"x")) == b"x"

    def test_nothing_is_no_value(self):
        with pytest.raises(BadRequest, match="not nothing"):
            values.check(LEVEL, None)
