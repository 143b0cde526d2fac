"""Every LwM2M object and resource that the lamp and the backend use.

One module an object, imported when it is asked for. A module holds a table, one line a resource, and has a constant for
each, named after it (`outdoor_lamp_controller.COMMAND_IN_ACTION`). On CPython the constants are made at import; on
MicroPython they are made from the line whenever they are asked for, because 210 of them would fill a quarter of the
lamp's heap. Numbers, names, types, operations, units and ranges are those of the OMA LwM2M registry; the URN in each
module is the source. Numbers are frozen by tests/contract/test_numbers.py: adding passes, changing or reusing fails.
"""

import sys
from collections import namedtuple

# type: Integer Float String Boolean Time Opaque Objlnk, or "" for an executable resource.
# operations: the letters R, W, E; "" is reachable by bootstrap only.
# minimum, maximum: range of a number, or length of a String or Opaque; None when the registry sets none.
Resource = namedtuple(
    "Resource",
    ("object", "id", "name", "type", "operations", "unit", "multiple", "mandatory", "minimum", "maximum"),
)

# resources: a tuple of Resource in order of number; on MicroPython a `Table`, which is walked like one.
Object = namedtuple("Object", ("id", "name", "version", "urn", "multiple", "mandatory", "resources"))

MODULES = {
    0: "security",
    1: "server",
    3: "device",
    4: "connectivity_monitoring",
    5: "firmware_update",
    6: "location",
    21: "oscore",
    3410: "device_extension",
    3415: "time_synchronization",
    3416: "outdoor_lamp_controller",
    3417: "luminaire_asset",
    3418: "electrical_monitor",
    3419: "photocell",
    3452: "program_scheduler",
    3453: "calendar_rule",
    3454: "program_function",
    3456: "output_filter",
    3457: "program_manager",
    3458: "program_monitor",
    42769: "lamp_status",
}


def resource(object, id, name, type, operations, unit="", multiple=False, mandatory=False, minimum=None, maximum=None):
    """Return a `Resource`; what most resources do not have may be left out."""
    return Resource(object, id, name, type, operations, unit, multiple, mandatory, minimum, maximum)


# Constants that were asked for last, by name: code that runs often asks for the same few. Only the lamp fills it.
_CACHED = 8
_cache = {}


class Table:
    """The resources of one object as text: a line "name|id|operations|type|unit|marks|minimum..maximum" for each.

    Marks: M mandatory, N several instances. What is empty at the end of a line is left out.
    """

    def __init__(self, object, text):
        self._object = object
        self._text = text

    def __len__(self):
        return self._text.count("\n") - 1

    def __iter__(self):
        for line in self._text.split("\n"):
            if line:
                yield self._resource(line)

    def find(self, id):
        """Return the `Resource` with this number, or None."""
        at = self._text.find("|%d|" % id)
        return None if at < 0 else self._line_at(at)

    def get(self, constant):
        """Return the `Resource` of a constant. Raises AttributeError."""
        found = _cache.get(constant)
        if found is None or found.object != self._object:
            found = self._look_up(constant)
            if len(_cache) >= _CACHED:
                _cache.clear()
            _cache[constant] = found
        return found

    def _look_up(self, constant):
        # Most names are a sentence, so that one search finds them.
        at = self._text.find("\n" + constant[:1] + constant[1:].lower().replace("_", " ") + "|")
        if at >= 0:
            return self._line_at(at + 1)
        for one in self:
            if constant_of(one.name) == constant:
                return one
        raise AttributeError(constant)

    def _line_at(self, at):
        return self._resource(self._text[self._text.rfind("\n", 0, at) + 1 : self._text.find("\n", at)])

    def _resource(self, line):
        fields = line.split("|")
        name, id, operations, type, unit, marks, extent = fields + [""] * (7 - len(fields))
        least, _, most = extent.partition("..")
        return resource(
            self._object,
            int(id),
            name,
            type,
            operations,
            unit,
            "N" in marks,
            "M" in marks,
            int(least) if least else None,
            int(most) if most else None,
        )


def define(scope, id, name, version, urn, multiple, mandatory, table):
    """Return (OBJECT, __getattr__) for a module of this package, whose globals are `scope`."""
    rows = Table(id, table)
    resources = rows
    if sys.implementation.name != "micropython":
        resources = tuple(rows)
        for one in resources:
            scope[constant_of(one.name)] = one
    return Object(id, name, version, urn, multiple, mandatory, resources), rows.get


def constant_of(name):
    """Return the name of the constant for the name of a resource: "Command in action" is COMMAND_IN_ACTION."""
    return name.upper().replace(" ", "_").replace("-", "_")


def find_object(object):
    """Return the `Object` with this number, or None. Imports its module and no other."""
    name = MODULES.get(object)
    if name is None:
        return None
    return __import__("contract.objects." + name, None, None, ("OBJECT",)).OBJECT


def find(object, id):
    """Return the `Resource` with these two numbers, or None."""
    found = find_object(object)
    return None if found is None else find_in(found, id)


def find_in(item, id):
    """Return the `Resource` with this number of an `Object`, or None. Quicker than walking `item.resources`."""
    if isinstance(item.resources, Table):
        return item.resources.find(id)
    for one in item.resources:
        if one.id == id:
            return one
    return None


def __getattr__(name):
    """`ALL`: every object in order of number. Not kept: it loads all modules, which only the backend can afford."""
    if name == "ALL":
        return tuple(find_object(number) for number in sorted(MODULES))
    # MicroPython asks here before it looks for a submodule.
    if name in MODULES.values():
        return __import__("contract.objects." + name, None, None, ("OBJECT",))
    raise AttributeError(name)
