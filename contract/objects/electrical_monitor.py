"""What the lamp takes from the mains, with thresholds and what broke them.

Source: urn:oma:lwm2m:ext:3418:2.0 (Electrical monitor, OMA registry). Without inrush and reactive values, which the
meter does not measure.
"""

from contract.objects import define

ID = 3418

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Electrical monitor",
    "2.0",
    "urn:oma:lwm2m:ext:3418:2.0",
    multiple=True,
    mandatory=False,
    table="""
Supply voltage|1|R|Float|V
Supply current|2|R|Float|A
Frequency|3|R|Float|Hz
Active power|4|R|Float|W
Power factor|5|R|Float|||-1..1
Cumulated active energy|6|R|Float|Wh
Energy reset|7|E
Low power factor threshold|8|RW|Float
Low power factor|9|R|Boolean
Low power threshold|10|RW|Float|W
Low power|12|R|Boolean
High power threshold|13|RW|Float|W
High power|15|R|Boolean
Low current threshold|16|RW|Float|A
Low current|17|R|Boolean
High current threshold|18|RW|Float|A
High current|19|R|Boolean
Low voltage threshold|20|RW|Float|V
Low voltage|21|R|Boolean
High voltage threshold|22|RW|Float|V
High voltage|23|R|Boolean
Dimming level|35|R|Integer|/100
Timestamp|5518|R|Time
""",
)
