"""Requests of a server and the answers of the true schedule and test objects, with observations and reports."""

from contract import paths
from contract.objects import Object, Resource, find_object
from contract.paths import parse
from contract.senml import Record
from firmware.clock import Clock
from firmware.coap import message as coap
from firmware.codec import senml
from firmware.log import Log
from firmware.lwm2m import links
from firmware.lwm2m.attributes import Attributes
from firmware.lwm2m.errors import BadRequest
from firmware.lwm2m.node import Node, Simple
from firmware.lwm2m.observations import Observations
from firmware.lwm2m.operations import Operations
from firmware.lwm2m.queue import FAULT, TELEMETRY, Queue
from firmware.lwm2m.reports import Reports
from firmware.lwm2m.tree import Tree

LEVEL = Resource(9001, 0, "Level", "Integer", "RW", "", False, True, 0, 100)
POWER = Resource(9001, 1, "Power", "Float", "R", "", False, False, None, None)
TYPES = Resource(9001, 2, "Types", "Integer", "RW", "", True, False, None, None)
REBOOT = Resource(9001, 3, "Reboot", "", "E", "", False, False, None, None)


class Thing(Simple):
    OBJECT = Object(9001, "Thing", "2.0", "urn:test", False, True, (LEVEL, POWER, TYPES, REBOOT))

    def __init__(self):
        self.values = {0: 40, 1: 12.5, 2: {0: 11}}
        super().__init__(
            {LEVEL: lambda: self.values[0], POWER: lambda: self.values[1], TYPES: lambda: self.values[2]},
            {LEVEL: lambda value: self.values.update({0: value}), TYPES: lambda value: self.values.update({2: value})},
            {REBOOT: lambda arguments: print("rebooting", arguments)},
        )


class Rules(Node):
    OBJECT = find_object(3453)

    def __init__(self):
        super().__init__()
        self.rules = {0: {0: "all year", 2: {0: "--01-01"}, 3: {0: "--12-31"}}}

    def instances(self):
        return sorted(self.rules)

    def present(self, instance):
        return sorted(self.rules[instance])

    def supports(self, instance, resource):
        return resource != 5

    def read(self, instance, resource):
        return self.rules[instance].get(resource)

    def check(self, instance, values, replace):
        if values.get(1, 0) > 1:
            raise BadRequest("calendar type 0 or 1")

    def check_create(self, instance, values):
        self.check(instance, values, True)

    def check_delete(self, instance):
        pass

    def write(self, instance, values, replace):
        if replace:
            self.rules[instance] = {}
        self.rules[instance].update(values)

    def create(self, instance, values):
        self.rules[instance] = values

    def delete(self, instance):
        del self.rules[instance]


class Handle:
    is_active = True


class Store:
    def __init__(self):
        self.records = {}

    def save(self, name, data):
        self.records[name] = b"".join(data)

    def load(self, name):
        return self.records.get(name)

    view = load

    def delete(self, name):
        self.records.pop(name, None)


thing = Thing()
tree = Tree([thing, Rules()])
attributes = Attributes()
observations = Observations(tree, attributes)
log = Log()
operations = Operations(tree, attributes, observations, lambda: 0, log)


def ask(code, path, values=None, format=112, queries=(), accept=None, handle=None):
    request = coap.Message(code).add_path(path)
    if values is not None:
        request.payload = values if isinstance(values, bytes) else pack(values)
        request.add(coap.CONTENT_FORMAT, format)
    for query in queries:
        request.add(coap.URI_QUERY, query)
    if accept is not None:
        request.add(coap.ACCEPT, accept)
    request.observation = handle
    response = operations.handle(request)
    show(coap.format_code(code) + " /" + path, response)


def pack(values):
    return senml.encode_cbor([Record(parse(path), None, value) for path, value in values])


def show(words, response):
    if response.uint(coap.CONTENT_FORMAT) == 112:
        found = [(paths.format(record.path), record.value) for record in senml.decode_cbor(response.payload)]
    else:
        found = response.payload.decode()
    print(words, "->", coap.format_code(response.code), found, response.location())


print(links.registration(tree))
ask(coap.GET, "9001/0")
ask(coap.GET, "9001", accept=40)
ask(coap.GET, "9001/0/1", accept=0)
ask(coap.GET, "9001/0/2", accept=110)
ask(coap.GET, "9001/0", accept=11542)
ask(coap.GET, "21/0")
ask(coap.GET, "bs")
ask(coap.PUT, "9001/0/0", [("/9001/0/0", 70)])
ask(coap.PUT, "9001/0/0", [("/9001/0/0", 101)])
ask(coap.PUT, "9001/0/0", [("/9001/0/0", True)])
ask(coap.PUT, "9001/0/0", b"55", 0)
ask(coap.PUT, "9001/0/0", b"5_5", 0)
ask(coap.PUT, "9001/0/0", b"\xff", 112)
ask(coap.PUT, "9001/0/1", [("/9001/0/1", 1.0)])
ask(coap.POST, "9001/0/2", [("/9001/0/2/4", 7)])
ask(coap.POST, "9001/0/3", b"0='now'", 0)
ask(coap.POST, "9001/0/3", b"\xc0\x80", 0)
ask(coap.POST, "3453", [("/3453/0", "new"), ("/3453/2/0", "--05-01")])
ask(coap.POST, "3453", [("/3453/9/0", "nine"), ("/3453/9/1", 2)])
ask(coap.FETCH, "", [("/9001/0/0", None), ("/3453/1", None), ("/9/9", None)])
ask(coap.IPATCH, "", [("/9001/0/0", 1), ("/3453/4/1", 5)])
ask(coap.IPATCH, "", [("/3453", None), ("/3453/0/0", "only"), ("/3453/7/0", "seven"), ("/9001/0/2", None)])
ask(coap.FETCH, "", [("/9001", None), ("/3453", None)])
ask(coap.DELETE, "3453/7")
ask(coap.PUT, "9001/0/1", queries=("pmin=2", "st=0.5"))
ask(coap.PUT, "9001/0/1", queries=("gt=1", "lt=2"))
ask(coap.GET, "9001/0/1", accept=40)
ask(coap.GET, "9001/0/1", handle=Handle())
for now_ms, power in ((1000, 13.5), (2000, 13.5), (3000, 13.75), (4000, 14.0), (6000, 20.0)):
    thing.values[1] = power
    for _, message in observations.poll(now_ms):
        show(f"notify at {now_ms}", message)
print(log.lines())

clock = Clock()
store = Store()
queue = Queue(store)
reports = Reports(tree, queue, clock, lambda: 60, lambda n: 0)
reports.report((9001 * 65536, 9001 * 65536 + 1, 77 * 65536 + 1), 0)
clock.offer(1800000000000, 40, 1000)
print(reports.poll(1000), reports.poll(1000))
reports.fault(1, True, 5000)
for number in range(100):
    queue.put(TELEMETRY, b"%d" % number)
queue.put(FAULT, b"flap", 5)
queue.flush()
again = Queue(store)
print(again.waiting(), queue.waiting(), again.dropped)
while again.next() is not None:
    key, payload = again.next()
    print(key, payload)
    again.acknowledge(key)
print(sorted(store.records), again.failures)
