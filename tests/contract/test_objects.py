"""The tables of objects hold together; `find` answers for what exists and for what does not."""

import importlib
import sys
import types
from pathlib import Path

import pytest

from contract import faults, objects
from contract.paths import path

TYPES = {"Integer", "Float", "String", "Boolean", "Time", "Opaque", "Objlnk", ""}


def test_every_object_is_listed_once_and_under_its_own_number():
    assert [item.id for item in objects.ALL] == sorted(objects.MODULES)
    for number in objects.MODULES:
        assert objects.find_object(number).id == number


def test_resources_ascend_belong_to_their_object_and_use_the_registrys_words():
    for item in objects.ALL:
        ids = [resource.id for resource in item.resources]
        assert ids == sorted(set(ids))
        for resource in item.resources:
            assert resource.object == item.id
            assert resource.type in TYPES
            assert set(resource.operations) <= set("RWE")
            assert (resource.type == "") == (resource.operations == "E")
            if resource.minimum is not None and resource.maximum is not None:
                assert resource.minimum < resource.maximum


def test_every_resource_has_a_constant_named_after_it():
    for number, name in objects.MODULES.items():
        module = importlib.import_module("contract.objects." + name)
        constants = {value for key, value in vars(module).items() if isinstance(value, objects.Resource)}
        assert constants == set(module.OBJECT.resources)
        assert number == module.ID
        for key, value in vars(module).items():
            if isinstance(value, objects.Resource):
                words = "".join(c if c.isalnum() else " " for c in value.name.upper()).split()
                assert key == "_".join(words)


def test_the_lamp_controller_has_what_a_lamp_must_serve():
    needed = [*range(1, 8), *range(9, 16), 17, 18, 19, 28, 29, 30, 35, 36, 37, 41, 42, 43, *range(49, 55), 5518]
    assert all(objects.find(3416, number) for number in needed)
    needed = [*range(1, 11), 12, 13, *range(15, 24), 35, 5518]
    assert all(objects.find(3418, number) for number in needed)


def test_a_resource_carries_everything_the_registry_says():
    command = objects.find(3416, 1)
    assert command == (3416, 1, "Command", "Integer", "RW", "/100", False, True, 0, 100)
    assert command.unit == "/100"


def test_what_does_not_exist_is_none():
    assert objects.find(3416, 999) is None
    assert objects.find(9, 0) is None
    assert objects.find_object(9) is None


def test_the_tables_of_the_lamp_say_the_same():
    for number, name in objects.MODULES.items():
        module = importlib.import_module("contract.objects." + name)
        table = module.__getattr__.__self__
        assert tuple(table) == module.OBJECT.resources
        assert len(table) == len(module.OBJECT.resources)
        on_the_lamp = module.OBJECT._replace(resources=table)
        for resource in module.OBJECT.resources:
            assert table.find(resource.id) == objects.find_in(on_the_lamp, resource.id) == resource
            for _ in range(2):
                assert table.get(objects.constant_of(resource.name)) == resource
        assert table.find(999) is None and objects.find_in(on_the_lamp, 999) is None
        with pytest.raises(AttributeError, match="NOTHING"):
            table.get("NOTHING")
        assert number == on_the_lamp.id


def test_on_the_lamp_no_constant_is_kept(monkeypatch):
    monkeypatch.setattr(objects.sys, "implementation", types.SimpleNamespace(name="micropython"))
    scope = {}
    item, get = objects.define(scope, 9, "Thing", "1.0", "urn:x", False, True, "\nOn-off|1|RW|Boolean\n")
    assert scope == {} and isinstance(item.resources, objects.Table)
    assert get("ON_OFF") == (9, 1, "On-off", "Boolean", "RW", "", False, False, None, None)


def test_on_the_lamp_faults_come_without_sentences(monkeypatch):
    monkeypatch.setattr(sys, "implementation", types.SimpleNamespace(name="micropython"))
    lamp = {"__name__": "faults"}
    exec(compile(Path(faults.__file__).read_text(encoding="utf-8"), faults.__file__, "exec"), lamp)
    assert "LAMP_FAILURE" not in lamp
    made = lamp["__getattr__"]
    assert [tuple(fault) for fault in made("ALL")] == [(*fault[:5], "", "") for fault in faults.ALL]
    for fault in faults.ALL:
        constant = fault.name.upper().replace(" ", "_")
        assert made(constant) == lamp["get"](fault.code) == (*fault[:5], "", "")
        assert getattr(faults, constant) is fault
    with pytest.raises(AttributeError, match="NOTHING"):
        made("NOTHING")


def test_an_unknown_name_in_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="NOTHING"):
        _ = objects.NOTHING
    assert objects.__getattr__("device").ID == 3


def test_a_fault_is_found_by_code_and_by_path():
    assert faults.get(1) is faults.LAMP_FAILURE
    assert faults.find_by_path(path(3416, 0, 10)) is faults.DAY_BURNER
    assert faults.find_by_path(path(3416, 0, 1)) is None
    with pytest.raises(KeyError):
        faults.get(0)


def test_every_fault_path_is_a_boolean_resource():
    for fault in faults.ALL:
        if fault.path is None:
            assert fault is faults.COMMUNICATION_LOST
            continue
        resource = objects.find(fault.path.object, fault.path.resource)
        assert resource.type == "Boolean"
        assert resource.multiple == (fault.path.resource_instance is not None)
        assert fault.path.resource_instance in (None, fault.code)


def test_faults_are_complete_and_unique():
    assert len({fault.code for fault in faults.ALL}) == len({fault.name for fault in faults.ALL}) == len(faults.ALL)
    for fault in faults.ALL:
        assert fault.severity in (faults.INFO, faults.MINOR, faults.MAJOR, faults.CRITICAL)
        assert fault.debounce_s >= 0
        assert fault.meaning.endswith(".") and fault.advice.endswith(".")
