"""Device details that the core object lacks, and the table of daylight saving.

Source: urn:oma:lwm2m:ext:3410:2.0 (Device Extension, OMA registry).
"""

from contract.objects import define

ID = 3410

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Device Extension",
    "2.0",
    "urn:oma:lwm2m:ext:3410:2.0",
    multiple=False,
    mandatory=False,
    table="""
GTIN model number|1|R|String
Manufacturer identifier|2|R|String||M
User-given name|3|RW|String
Asset identifier|4|RW|String
Installation date|5|RW|Time
Software update|6|RW|Boolean
Maintenance|7|RW|Boolean
Configuration reset|8|E
Device operating hours|9|R|Integer|h
Additional firmware information|10|R|String
DST Start|11|RW|Time|s|N
DST End|12|RW|Time||N
DST Offset|13|RW|String||N
Uptime|14|R|Integer|s
""",
)
