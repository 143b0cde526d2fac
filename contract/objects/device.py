"""The controller as a device: names, versions, time zone, restart.

Source: urn:oma:lwm2m:oma:3:1.1 (Device, OMA registry). LwM2M 1.1 implies object version 1.1.
"""

from contract.objects import define

ID = 3

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Device",
    "1.1",
    "urn:oma:lwm2m:oma:3:1.1",
    multiple=False,
    mandatory=True,
    table="""
Manufacturer|0|R|String
Model Number|1|R|String
Serial Number|2|R|String
Firmware Version|3|R|String
Reboot|4|E|||M
Factory Reset|5|E
Available Power Sources|6|R|Integer||N|0..7
Memory Free|10|R|Integer
Error Code|11|R|Integer||MN|0..32
Reset Error Code|12|E
Current Time|13|RW|Time
UTC Offset|14|RW|String
Timezone|15|RW|String
Supported Binding and Modes|16|R|String||M
Device Type|17|R|String
Hardware Version|18|R|String
Software Version|19|R|String
Memory Total|21|R|Integer
ExtDevInfo|22|R|Objlnk||N
""",
)
