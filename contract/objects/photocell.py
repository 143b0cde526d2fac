"""The light sensor, where one is fitted.

Source: urn:oma:lwm2m:ext:3419:1.1 (Photocell, OMA registry).
"""

from contract.objects import define

ID = 3419

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Photocell",
    "1.1",
    "urn:oma:lwm2m:ext:3419:1.1",
    multiple=True,
    mandatory=False,
    table="""
ON lux level|1|RW|Float|lx
OFF lux level|2|RW|Float|lx
Photocell status|3|R|Boolean
Timestamp|5518|R|Time
""",
)
