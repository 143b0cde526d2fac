"""Download and change of the firmware.

Source: urn:oma:lwm2m:oma:5 (Firmware Update, OMA registry). Of version 1.0; the result codes are those of the newest
registry entry, a superset.
"""

from contract.objects import Object, resource

ID = 5

PACKAGE = resource(ID, 0, "Package", "Opaque", "W", mandatory=True)
PACKAGE_URI = resource(ID, 1, "Package URI", "String", "RW", mandatory=True, minimum=0, maximum=255)
UPDATE = resource(ID, 2, "Update", "", "E", mandatory=True)
STATE = resource(ID, 3, "State", "Integer", "R", mandatory=True, minimum=0, maximum=3)
UPDATE_RESULT = resource(ID, 5, "Update Result", "Integer", "R", mandatory=True, minimum=0, maximum=11)
PKGNAME = resource(ID, 6, "PkgName", "String", "R", minimum=0, maximum=255)
PKGVERSION = resource(ID, 7, "PkgVersion", "String", "R", minimum=0, maximum=255)
FIRMWARE_UPDATE_PROTOCOL_SUPPORT = resource(
    ID, 8, "Firmware Update Protocol Support", "Integer", "R", multiple=True, minimum=0, maximum=5
)
FIRMWARE_UPDATE_DELIVERY_METHOD = resource(
    ID, 9, "Firmware Update Delivery Method", "Integer", "R", mandatory=True, minimum=0, maximum=2
)

OBJECT = Object(
    ID,
    "Firmware Update",
    "1.0",
    "urn:oma:lwm2m:oma:5",
    False,
    False,
    (
        PACKAGE,
        PACKAGE_URI,
        UPDATE,
        STATE,
        UPDATE_RESULT,
        PKGNAME,
        PKGVERSION,
        FIRMWARE_UPDATE_PROTOCOL_SUPPORT,
        FIRMWARE_UPDATE_DELIVERY_METHOD,
    ),
)
