"""The light sensor, where one is fitted.

Source: urn:oma:lwm2m:ext:3419:1.1 (Photocell, OMA registry).
"""

from contract.objects import Object, resource

ID = 3419

ON_LUX_LEVEL = resource(ID, 1, "ON lux level", "Float", "RW", "lx")
OFF_LUX_LEVEL = resource(ID, 2, "OFF lux level", "Float", "RW", "lx")
PHOTOCELL_STATUS = resource(ID, 3, "Photocell status", "Boolean", "R")
TIMESTAMP = resource(ID, 5518, "Timestamp", "Time", "R")

OBJECT = Object(
    ID,
    "Photocell",
    "1.1",
    "urn:oma:lwm2m:ext:3419:1.1",
    True,
    False,
    (
        ON_LUX_LEVEL,
        OFF_LUX_LEVEL,
        PHOTOCELL_STATUS,
        TIMESTAMP,
    ),
)
