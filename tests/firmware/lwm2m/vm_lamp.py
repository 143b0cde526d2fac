"""A lamp's client and a server in one MicroPython process, over UDP on the loopback. Run by test_vm.py; prints.

The server is made of the same CoAP endpoint; no security, because this is about LwM2M.
"""

import asyncio
import gc
import sys

from contract.objects import Object, Resource
from contract.paths import parse
from contract.senml import Record
from firmware.clock import Clock
from firmware.coap import message as coap
from firmware.coap.endpoint import Endpoint, Plain
from firmware.codec import cbor, senml
from firmware.hal.posix import Board
from firmware.log import Log
from firmware.lwm2m.attributes import Attributes
from firmware.lwm2m.client import Client
from firmware.lwm2m.node import Simple
from firmware.lwm2m.observations import Observations
from firmware.lwm2m.observer import Observer
from firmware.lwm2m.operations import Operations
from firmware.lwm2m.queue import TELEMETRY, Queue
from firmware.lwm2m.tree import Tree

UTC_MS = 1800000000000
LEVEL = Resource(9001, 0, "Level", "Integer", "RW", "", False, False, 0, 100)


class Thing(Simple):
    OBJECT = Object(9001, "Thing", "1.0", "urn:test", False, True, (LEVEL,))

    def __init__(self):
        self.level = 40
        super().__init__({LEVEL: lambda: self.level}, {LEVEL: self.set})

    def set(self, level):
        self.level = level


class Store:
    def __init__(self):
        self.records = {}

    def load(self, name):
        return self.records.get(name)

    view = load

    def save(self, name, data):
        self.records[name] = b"".join(data) if isinstance(data, list) else data

    def delete(self, name):
        self.records.pop(name, None)


class Settings:
    def get(self, name):
        return {"lifetime_s": 60, "mute_send": False}[name]

    def listen(self, callback):
        pass


class Identity:
    endpoint = "urn:dev:vm"
    server_host = "127.0.0.1"


seen = []


def serve(request):
    path = request.path()
    seen.append((request.code, path, len(request.payload)))
    if path == "time":
        return coap.Message(coap.CONTENT, payload=cbor.encode(UTC_MS))
    if path == "rd":
        return coap.Message(coap.CREATED).add(coap.LOCATION_PATH, "rd").add(coap.LOCATION_PATH, "1")
    return coap.Message(coap.DELETED if request.code == coap.DELETE else coap.CHANGED)


async def wait_for(condition):
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep_ms(20)
    raise RuntimeError("nothing happened within four seconds")


async def main():
    board = Board({"directory": sys.argv[1]})
    log = Log()
    server_udp = board.open_udp()
    server = Endpoint(board, server_udp, Plain(), serve)

    gc.collect()
    before = gc.mem_alloc()
    thing = Thing()
    tree = Tree([thing])
    attributes = Attributes()
    observations = Observations(tree, attributes)
    operations = Operations(tree, attributes, observations, board.ticks_ms, log)
    udp = board.open_udp()
    endpoint = Endpoint(board, udp, Plain(), operations.handle, log=log.note)
    clock, queue = Clock(), Queue(Store())
    identity = Identity()
    identity.server_port = server_udp.port
    client = Client(board, endpoint, udp.resolve, tree, clock, queue, Settings(), identity, log, 0)
    gc.collect()
    print("heap", gc.mem_alloc() - before)

    tasks = [
        asyncio.create_task(part.run()) for part in (server, endpoint, client, Observer(board, endpoint, observations))
    ]
    for number in range(3):
        queue.put(TELEMETRY, b"%d" % number * 600)
    await wait_for(lambda: queue.waiting() == 0)
    print([(code, path) for code, path, _ in seen])
    print(
        seen[0][2] > 0,
        [size for _, path, size in seen if path == "dp"],
        abs(clock.now_ms(board.rtc_ms()) - UTC_MS) < 2000,
    )

    lamp = server_udp.resolve("127.0.0.1", udp.port)
    names = senml.encode_cbor([Record(parse("/9001/0"), None, None)])
    told = await server.request(coap.FETCH, "", lamp, ((coap.CONTENT_FORMAT, b"\x70"),), names)
    print(coap.format_code(told.code), senml.decode_cbor(told.payload))
    values = senml.encode_cbor([Record(parse("/9001/0/0"), None, 70)])
    told = await server.request(coap.IPATCH, "", lamp, ((coap.CONTENT_FORMAT, b"\x70"),), values)
    print(coap.format_code(told.code), thing.level)
    told = await server.request(coap.PUT, "9001/0/0", lamp, ((coap.CONTENT_FORMAT, b""),), b"101")
    print(coap.format_code(told.code), told.payload.decode(), thing.level)
    told = await server.request(coap.GET, "9001/0/0", lamp, ((coap.OBSERVE, b""),))
    print(coap.format_code(told.code), told.option(coap.OBSERVE) is not None)
    thing.level = 20
    notifications = server.counters.received
    await wait_for(lambda: server.counters.received > notifications)
    print("notified")

    await client.stop()
    await wait_for(lambda: seen[-1][0] == coap.DELETE)
    print(log.lines()[-1])
    for task in tasks:
        task.cancel()


asyncio.run(main())
