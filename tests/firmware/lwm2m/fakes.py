"""Objects, a server and a store for the tests of the LwM2M client. The fakes keep the rules of the real things."""

from contract import paths
from contract.objects import Object, Resource
from contract.paths import parse
from contract.senml import ObjectLink, Record
from firmware.coap import message as coap
from firmware.codec import senml
from firmware.errors import StorageError
from firmware.log import Log
from firmware.lwm2m.attributes import Attributes
from firmware.lwm2m.errors import BadRequest
from firmware.lwm2m.node import Node, Simple
from firmware.lwm2m.observations import Observations
from firmware.lwm2m.operations import Operations
from firmware.lwm2m.tree import Tree

THING = 9001
RULE = 9002
SECRET = 21


def resource(object, id, name, type, operations, unit="", multiple=False, mandatory=False, minimum=None, maximum=None):
    """A `Resource`, of which most tests need the beginning."""
    return Resource(object, id, name, type, operations, unit, multiple, mandatory, minimum, maximum)


LEVEL = resource(THING, 0, "Level", "Integer", "RW", "/100", mandatory=True, minimum=0, maximum=100)
POWER = resource(THING, 1, "Power", "Float", "R", "W")
NAME = resource(THING, 2, "Name", "String", "RW", minimum=0, maximum=8)
IS_ON = resource(THING, 3, "Is on", "Boolean", "RW")
SINCE = resource(THING, 4, "Since", "Time", "RW")
PACKAGE = resource(THING, 5, "Package", "Opaque", "RW")
LINK = resource(THING, 6, "Link", "Objlnk", "RW")
TYPES = resource(THING, 7, "Types", "Integer", "RW", multiple=True, minimum=0, maximum=13)
REBOOT = resource(THING, 8, "Reboot", "", "E")
TOKEN = resource(THING, 9, "Token", "String", "W")
TEMPERATURE = resource(THING, 10, "Temperature", "Float", "R", "Cel")
GAIN = resource(THING, 11, "Gain", "Float", "RW", minimum=-1, maximum=1)
ALARMS = resource(THING, 12, "Alarms", "Boolean", "R", multiple=True)

THING_OBJECT = Object(
    THING,
    "Thing",
    "2.0",
    "urn:test:9001",
    False,
    True,
    (LEVEL, POWER, NAME, IS_ON, SINCE, PACKAGE, LINK, TYPES, REBOOT, TOKEN, TEMPERATURE, GAIN, ALARMS),
)

RULE_NAME = resource(RULE, 0, "Name", "String", "RW", mandatory=True)
RULE_PRIORITY = resource(RULE, 1, "Priority", "Integer", "RW")
RULE_DATES = resource(RULE, 2, "Dates", "String", "RW", multiple=True)
RULE_ACTIVE = resource(RULE, 3, "Active", "Boolean", "R")

RULE_OBJECT = Object(
    RULE, "Rule", "1.0", "urn:test:9002", True, False, (RULE_NAME, RULE_PRIORITY, RULE_DATES, RULE_ACTIVE)
)
SECRET_OBJECT = Object(SECRET, "OSCORE", "2.0", "urn:oma:lwm2m:oma:21:2.0", True, False, ())


class Thing(Simple):
    """One resource of every type; `executed` lists (resource, arguments)."""

    OBJECT = THING_OBJECT

    def __init__(self):
        self.values = {
            0: 40,
            1: 12.5,
            2: "lamp",
            3: True,
            4: 1700000000,
            5: b"\x01\x02",
            6: ObjectLink(3410, 0),
            7: {0: 11, 3: 7},
            9: "hidden",
            10: None,
            11: 0.5,
            12: {20: False},
        }
        self.executed = []
        self.fails = None
        reads = {item: self._reader(item.id) for item in THING_OBJECT.resources if item.type and item is not TOKEN}
        writes = {item: self._writer(item.id) for item in THING_OBJECT.resources if "W" in item.operations}
        actions = {REBOOT: self._reboot}
        super().__init__(reads, writes, actions, {NAME: self._check_name})

    def _reader(self, id):
        return lambda: self.values[id]

    def _writer(self, id):
        def write(value):
            if self.fails is not None:
                raise self.fails
            self.values[id] = value

        return write

    def _reboot(self, arguments):
        if arguments == "no":
            raise BadRequest("not now")
        self.executed.append((8, arguments))

    def _check_name(self, name):
        if name == "bad":
            raise ValueError("is a bad name")


class Rule(Node):
    """An object whose instances come and go; the sum of all priorities may not exceed 100 (its owner's rule)."""

    OBJECT = RULE_OBJECT

    def __init__(self, owner=None):
        super().__init__(owner)
        self.rules = {0: {0: "night", 1: 5, 2: {0: "--01-01", 1: "--06-01"}}}

    def instances(self):
        return list(self.rules)

    def present(self, instance):
        return [*sorted(self.rules[instance]), 3]

    def supports(self, instance, resource):
        return True

    def read(self, instance, resource):
        return True if resource == 3 else self.rules[instance].get(resource)

    def check(self, instance, values, replace):
        if values.get(1, 0) > 100:
            raise BadRequest("the priorities are above 100")

    def check_create(self, instance, values):
        self.check(instance, values, True)

    def check_delete(self, instance):
        if instance == 7:
            raise BadRequest("rule 7 is in use")

    def write(self, instance, values, replace):
        if replace:
            self.rules[instance] = {}
        self.rules[instance].update(values)

    def create(self, instance, values):
        self.rules[instance] = dict(values)

    def delete(self, instance):
        del self.rules[instance]


class Owner:
    """Takes the changes of several nodes together, or refuses them together."""

    def __init__(self):
        self.error = None
        self.taken = []

    def prepare(self, changes):
        if self.error is not None:
            raise self.error
        return lambda: self.taken.append([(change.object, change.instance, change.kind) for change in changes])


class Secret(Node):
    OBJECT = SECRET_OBJECT


class Handle:
    """A coap.observe.Observation, as much as lwm2m sees of it."""

    is_active = True


class Lamp:
    """A tree with its operations, as a server meets it."""

    def __init__(self, defaults=dict):
        self.now_ms = 1000
        self.thing = Thing()
        self.rule = Rule()
        self.log = Log()
        self.tree = Tree([self.thing, self.rule, Secret()])
        self.attributes = Attributes(defaults)
        self.observations = Observations(self.tree, self.attributes)
        self.operations = Operations(self.tree, self.attributes, self.observations, lambda: self.now_ms, self.log)

    def ask(self, code, path, payload=b"", format=None, accept=None, queries=(), handle=None):
        request = coap.Message(code, payload=payload).add_path(path)
        if format is not None:
            request.add(coap.CONTENT_FORMAT, format)
        if accept is not None:
            request.add(coap.ACCEPT, accept)
        for query in queries:
            request.add(coap.URI_QUERY, query)
        request.observation = handle
        return self.operations.handle(request)

    def get(self, path, **more):
        return self.ask(coap.GET, path, **more)

    def read(self, path):
        response = self.get(path)
        assert response.code == coap.CONTENT, response.payload
        assert response.uint(coap.CONTENT_FORMAT) == 112
        return values_of(response)

    def put(self, path, values):
        return self.ask(coap.PUT, path, pack(values), 112)

    def post(self, path, values):
        return self.ask(coap.POST, path, pack(values), 112)

    def fetch(self, *paths, handle=None):
        return self.ask(coap.FETCH, "", pack([(path, None) for path in paths]), 112, handle=handle)

    def patch(self, values):
        return self.ask(coap.IPATCH, "", pack(values), 112)

    def state(self):
        """All that a write could change."""
        rules = {id: {key: values[key] for key in values} for id, values in self.rule.rules.items()}
        return dict(self.thing.values), rules, self.tree.revision


def pack(values):
    """SenML-CBOR of {path text: value} or [(path text, value)]."""
    items = values.items() if isinstance(values, dict) else values
    return senml.encode_cbor([Record(parse(path), None, value) for path, value in items])


def values_of(response):
    """{path text: value} of a SenML-CBOR response."""
    return {paths.format(record.path): record.value for record in senml.decode_cbor(response.payload)}


def code_of(response):
    return coap.format_code(response.code)


class FakeStore:
    """Records in a dict, as flash that can be full or lose one."""

    def __init__(self):
        self.records = {}
        self.writes = 0
        self.is_full = False

    def save(self, name, data):
        assert all(character.isalnum() or character == "_" for character in name)
        if self.is_full or sum(map(len, data if isinstance(data, list) else [data])) > 8192:
            raise StorageError(f"flash did not take record {name}", "replace the controller")
        self.writes += 1
        self.records[name] = b"".join(data) if isinstance(data, list) else bytes(data)

    def load(self, name):
        return self.records.get(name)

    view = load

    def delete(self, name):
        if self.is_full:
            raise StorageError(f"flash did not remove record {name}", "replace the controller")
        self.records.pop(name, None)
