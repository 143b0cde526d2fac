"""Records as they lie on flash: the bytes, and what is found when they are torn."""

from binascii import hexlify

from firmware.codec import cbor
from firmware.errors import LampError
from firmware.settings import Settings
from firmware.store import Store, head_of, inspect
from tests.parity.files import Files


def show(files):
    for name in sorted(files.files):
        print(name, hexlify(files.files[name]).decode())


print(hexlify(head_of(0xFFFFFFFF, [b"night"])).decode())
slot = head_of(7, [b"sche", b"dule"]) + b"schedule"
print(inspect([slot]), [inspect([slot[:cut]]) for cut in range(0, len(slot), 5)], inspect([slot[:17], slot[17:]]))
files = Files()
store = Store("", None, files)
for value in (b"one", b"two", b"two", b"three"):
    store.save("record", value)
    show(files)
for cut in (0, 3, 12, 15, 17):
    torn = Files()
    torn.files = {"record.a": files.files["record.a"][:cut], "record.b": files.files["record.b"]}
    found = Store("", None, torn)
    print(cut, found.load("record"), found.recovered, found.lost)
store.delete("record")
show(files)
try:
    store.save("record", bytes(9000))
except LampError as error:
    print(error)

settings = Settings(store, {"nominal_power_w": 40, "default_level": 900, "asset_id": "pole"})
print(settings.ignored, settings.get("nominal_power_w"), settings.get("asset_id"))
for changes in (
    {"default_level": 50, "low_voltage_v": 190, "time_zone_exceptions": [[50, 60, 3600], [10, 20, -1800]]},
    {"standby_mode": True, "user_name": "Br\u00fccke"},
    {"default_level": True},
    {"default_level": 101},
    {"low_voltage_v": float("nan")},
    {"low_voltage_v": 260.0, "default_level": 1},
    {"asset_id": 5},
    {"moon": 1},
    {"scheduler_ids": [1, -1]},
    {"time_zone_exceptions": [[5, 5, 0]]},
):
    try:
        settings.set(changes)
        print("taken", sorted(changes))
    except LampError as error:
        print(error)
show(files)
kept = cbor.decode(store.load("settings"))
print([(name, kept[name]) for name in sorted(kept) if name != "user_name"], kept["user_name"].encode())
print(Settings(store).get("time_zone_exceptions"))
