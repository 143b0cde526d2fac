"""Every LwM2M object and resource that the lamp and the backend use.

One module an object, imported when it is asked for: the lamp lives in a small heap. Numbers, names, types,
operations, units and ranges are those of the OMA LwM2M registry; the URN in each module is the source. Numbers are
frozen by tests/contract/test_numbers.py: adding passes, changing or reusing one fails.
"""

from collections import namedtuple

# type: Integer Float String Boolean Time Opaque Objlnk, or "" for an executable resource.
# operations: the letters R, W, E; "" is reachable by bootstrap only.
# minimum, maximum: range of a number, or length of a String or Opaque; None when the registry sets none.
Resource = namedtuple(
    "Resource",
    ("object", "id", "name", "type", "operations", "unit", "multiple", "mandatory", "minimum", "maximum"),
)

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


def find_object(object):
    """Return the `Object` with this number, or None. Imports its module and no other."""
    name = MODULES.get(object)
    if name is None:
        return None
    return __import__("contract.objects." + name, None, None, ("OBJECT",)).OBJECT


def find(object, id):
    """Return the `Resource` with these two numbers, or None."""
    found = find_object(object)
    if found is not None:
        for resource in found.resources:
            if resource.id == id:
                return resource
    return None


def __getattr__(name):
    """`ALL`: every object in order of number. Not kept: it loads all modules, which only the backend can afford."""
    if name == "ALL":
        return tuple(find_object(number) for number in sorted(MODULES))
    # MicroPython asks here before it looks for a submodule.
    if name in MODULES.values():
        return __import__("contract.objects." + name, None, None, ("OBJECT",))
    raise AttributeError(name)
