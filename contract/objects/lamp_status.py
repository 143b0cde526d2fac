"""What no standard object holds: why the lamp is at its level, what it holds, and how good its evidence is.

Own object. The number is in OMNA's private test range (42769-42800) until one is registered; decided in
docs/decisions. Latitude, longitude and offset are settings: the schedule's sun and local time need them.
"""

from contract.objects import define

ID = 42769

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Lamp status",
    "1.0",
    "urn:oma:lwm2m:x:42769",
    multiple=False,
    mandatory=True,
    table="""
Rung|0|R|String||M
Explanation|1|R|String||M
Until|2|R|Time||M
Schedule digest|3|R|String||M|0..16
Boot counter|4|R|Integer||M|0..
Reset cause|5|R|String||M
Clock error bound|6|R|Integer|ms|M|-1..
Command received|7|R|Integer|ms|M|0..
Light changed|8|R|Integer|ms|M|0..
Latitude|9|RW|Integer|udeg|M|-90000000..90000000
Longitude|10|RW|Integer|udeg|M|-180000000..180000000
Standard UTC offset|11|RW|Integer|s|M|-50400..50400
Fault|12|R|Boolean||MN
Reports waiting|13|R|Integer||M|0..
Reports dropped|14|R|Integer||M|0..
Report interval|15|RW|Integer|s|M|10..86400
Failsafe level|16|RW|Integer|/100|M|0..100
Faults active|17|R|Integer||M|0..
Safety floor|18|R|Integer|/100|M|0..100
Floor holds|19|R|Integer||M|0..
Flash written|20|R|Integer|B|M|0..
""",
)
