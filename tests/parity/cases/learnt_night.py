"""Two nights on a feeder that is switched at dusk, and what is followed in the third."""

from collections import namedtuple

from contract import sun
from firmware.counters import Counters
from firmware.learnt_night import RECORD, SLOT_MS, SLOTS, LearntNight
from firmware.store import Store
from tests.parity.files import Files

PLACE = {"latitude_e6": 48137000, "longitude_e6": 11575000}
Shone = namedtuple("Shone", ("rung", "level"))


files = Files()
for day in (20833, 20834, 20835):
    store = Store("", None, files)
    counters = Counters(store)
    counters.begin()
    learnt = LearntNight(store, counters, PLACE.get, 0)
    print([learnt.level_at(slot * SLOT_MS) for slot in range(-1, SLOTS + 1)])
    dusk_s = day * 86400 + sun.events(PLACE["latitude_e6"], PLACE["longitude_e6"], day)[1]
    dawn_s = (day + 1) * 86400 + sun.events(PLACE["latitude_e6"], PLACE["longitude_e6"], day + 1)[0]
    for utc_s in range(dusk_s, dawn_s, 300):
        learnt.update(Shone("schedule", 40 if utc_s % 86400 > 75600 else 90), utc_s * 1000, (utc_s - dusk_s) * 1000)
    print(store.load(RECORD))
