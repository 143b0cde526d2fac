"""Which program function runs, on which dates, at which priority, on which output.

Source: urn:oma:lwm2m:ext:3452 (Program Scheduler, OMA registry).
"""

from contract.objects import define

ID = 3452

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Program Scheduler",
    "1.0",
    "urn:oma:lwm2m:ext:3452",
    multiple=True,
    mandatory=True,
    table="""
Schedule Name|0|RW|String
State|1|RW|Boolean||M
Priority|2|RW|Integer||M
Calendar Rules|3|RW|Integer||N
Program Function|4|RW|Integer||M
Input Sources|5|RW|String||N
Output Instances|6|RW|String||MN
Output Targets|7|RW|String||MN
Compound Operation|8|RW|Boolean
Off when inactive|9|RW|Boolean
""",
)
