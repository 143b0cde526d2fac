"""Download and change of the firmware.

Source: urn:oma:lwm2m:oma:5 (Firmware Update, OMA registry). Of version 1.0; the result codes are those of the newest
registry entry, a superset.
"""

from contract.objects import define

ID = 5

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Firmware Update",
    "1.0",
    "urn:oma:lwm2m:oma:5",
    multiple=False,
    mandatory=False,
    table="""
Package|0|W|Opaque||M
Package URI|1|RW|String||M|0..255
Update|2|E|||M
State|3|R|Integer||M|0..3
Update Result|5|R|Integer||M|0..11
PkgName|6|R|String|||0..255
PkgVersion|7|R|String|||0..255
Firmware Update Protocol Support|8|R|Integer||N|0..5
Firmware Update Delivery Method|9|R|Integer||M|0..2
""",
)
