"""Which level at which time, and when the function is in force at all.

Source: urn:oma:lwm2m:ext:3454 (Program Function, OMA registry). The registry has no resource 2.
"""

from contract.objects import define

ID = 3454

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Program Function",
    "1.0",
    "urn:oma:lwm2m:ext:3454",
    multiple=True,
    mandatory=True,
    table="""
Function Name|0|RW|String
Run Condition|1|RW|String||N
Output Filter|3|RW|Integer||N
Time Input Array|4|RW|String||MN
Time Output Array|5|RW|String||MN
Single Sensor Input Array|6|RW|String||N
Multi Sensor Input Array|7|RW|String||N
Sensor Output Array|8|RW|String||N
Output Filter for Time Output|9|RW|String||N
Output Filter for Sensor Output|10|RW|String||N
""",
)
