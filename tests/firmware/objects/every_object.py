"""Every resource of every object, read over the tree of both interpreters before and after writes."""

from contract.paths import Path
from firmware.clock import Clock
from firmware.counters import Counters
from firmware.health import Health
from firmware.lamp import Lamp
from firmware.lwm2m.errors import LwM2MError
from firmware.lwm2m.node import Change
from firmware.lwm2m.objects import build
from firmware.lwm2m.tree import Tree
from firmware.meter import Meter, Reading
from firmware.override import Override
from firmware.program import Program
from firmware.settings import Settings
from firmware.store import Store
from tests.parity.files import Files

EVENING = 1800014400 + 8 * 3600


class Board:
    model = "parity"

    def rtc_ms(self):
        return 100000

    def ticks_ms(self):
        return 100000

    def lux(self):
        return 4.0

    def celsius(self):
        return 31.5

    def rssi_dbm(self):
        return -61

    def address(self):
        return "192.0.2.7"

    def memory(self):
        return 61440, 131072


class Identity:
    endpoint = "urn:dev:mac:0024befffe804ff1"
    serial = "SL-000001"
    account = None


class Queue:
    dropped = 2

    def waiting(self):
        return 3


class Parts:
    pass


parts = Parts()
parts.board = Board()
parts.identity = Identity()
parts.queue = Queue()
parts.store = Store("", None, Files())
parts.settings = Settings(parts.store, {"latitude_e6": 48137000, "longitude_e6": 11575000, "standard_offset_s": 3600})
parts.program = Program(parts.settings, parts.store)
parts.clock = Clock()
parts.meter = Meter(parts.store)
parts.counters = Counters(parts.store, "watchdog")
parts.lamp = Lamp(parts.settings, parts.program, Override(parts.settings, parts.store))
parts.health = Health(parts)
tree = Tree(build(parts))


def show():
    rtc_ms = parts.board.rtc_ms()
    parts.lamp.decide(parts.clock.trusted_ms(rtc_ms), rtc_ms, parts.board.lux())
    for object in tree.objects():
        for record in tree.read(Path(object, None, None, None)):
            print(tuple(record.path), record.value)


def apply(*changes):
    try:
        tree.apply([Change(*change) for change in changes])
        print("taken")
    except LwM2MError as error:
        print(type(error).__name__, error)


show()
apply((3, 0, {13: EVENING}, "write"))
parts.meter.update(Reading(230.5, 0.5, 100.25, 0.75, 50.0, 12.5), True, 100000)
SCHEDULE = (
    (3453, 0, {1: 1, 4: "* * *"}, "create"),
    (3454, 0, {1: {0: "S~R"}, 4: {0: "S;23:00"}, 5: {0: "100;50"}}, "create"),
    (3452, 0, {1: True, 2: 0, 3: {0: 0}, 4: 0, 6: {0: "</3416/0>"}, 7: {0: "1"}, 9: True}, "create"),
)
apply(*SCHEDULE + ((3418, 0, {20: 300.0}, "write"),))
apply(*SCHEDULE + ((3418, 0, {20: 180.0}, "write"), (42769, 0, {16: 80}, "write")))
apply((3416, 0, {1: 30, 51: EVENING - 60}, "write"))
apply((3416, 0, {1: 30, 51: EVENING + 600, 52: 0.5, 49: 1.25}, "write"), (3410, 0, {4: "pole 7"}, "write"))
apply((3457, 0, {100: 5}, "write"))
apply((3454, 0, {4: {0: "25:00;23:00"}}, "write"))
apply((3457, 0, {101: 5}, "write"))
apply((3416, 0, {4: 101}, "write"))
apply((3418, 0, {1: 1.0}, "write"))
apply((5, 0, {1: "coap://example.org/x"}, "write"))
show()
