"""The light: command, override, default, level and what can fail in it.

Source: urn:oma:lwm2m:ext:3416:2.0 (Outdoor lamp controller, OMA registry). Of the registry's 67 resources those that
a lamp with a dimming output and a relay can serve; DALI ones come with DALI.
"""

from contract.objects import define

ID = 3416

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Outdoor lamp controller",
    "2.0",
    "urn:oma:lwm2m:ext:3416:2.0",
    multiple=True,
    mandatory=False,
    table="""
Command|1|RW|Integer|/100|M|0..100
Command in action|2|R|Integer|/100||0..100
Dimming level|3|R|Integer|/100|M|0..100
Default dimming level|4|RW|Integer|/100||0..100
Lamp failure|5|R|Boolean
Lamp failure reason|6|R|Integer
Control gear failure|7|R|Boolean
Control gear failure reason|8|R|Integer
Relay failure|9|R|Boolean
Day burner|10|R|Boolean
Cycling failure|11|R|Boolean
Control gear communication failure|12|R|Boolean
Scheduler ID|13|RW|Integer||N
Invalid scheduler|14|R|Boolean
Lamp operating hours|15|R|Float|h
Lamp operating hours reset|16|E
Lamp ON timestamp|17|R|Time
Lamp switch counter|18|R|Integer
Lamp switch counter reset|19|E
Control gear start counter|20|R|Integer
Control gear temperature|21|R|Float|Cel
Output port|28|RW|Integer
Standby mode|29|RW|Boolean
Constant light output|30|RW|Boolean
Control type|35|RW|Integer||N|0..13
Nominal Lamp wattage|36|RW|Integer|W
Minimum dimming level|37|RW|Integer|/100
Minimum lamp wattage|38|RW|Integer|W
Virtual power output|41|RW|Integer|/100||0..100
Voltage at max dim level|42|RW|Float|V
Voltage at min dim level|43|RW|Float|V
Default fade time|49|RW|Float|s
Manual override start time|50|RW|Time
Manual override end time|51|RW|Time
Manual override fade|52|RW|Float|s
Manual override default duration|53|RW|Integer|s
Manual override active|54|R|Boolean
Timestamp|5518|R|Time
""",
)
