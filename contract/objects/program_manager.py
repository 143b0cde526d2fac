"""Capacity for schedules, errors in them, and transactions over them.

Source: urn:oma:lwm2m:ext:3457:1.1 (Program Manager, OMA registry). Version 1.1 adds the transaction, 100-103.
"""

from contract.objects import define

ID = 3457

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Program Manager",
    "1.1",
    "urn:oma:lwm2m:ext:3457:1.1",
    multiple=False,
    mandatory=True,
    table="""
Max number of Program Schedulers|0|RW|Integer||M
Current number of Program Schedulers|1|R|Integer||M
Max number of Program Functions|2|RW|Integer||M
Current number of Program Functions|3|R|Integer||M
Max number of Calendars|4|RW|Integer||M
Current number of Calendar|5|R|Integer||M
Max number of Actuators|6|RW|Integer||M
Max number of Input Sources|7|RW|Integer
Max number of Dates in Calendar|8|RW|Integer
Max Flash Memory Allocated|9|RW|Integer|B|M
Flash Memory Free|10|R|Integer|B
Error Conditions|11|R|Integer||M
Clear errors|12|E
Supported Capabilities|13|R|Integer
Max Dynamic Memory Allocated|14|RW|Integer|B
Dynamic Memory Free|15|R|Integer|B
Reset schedule objects|16|E
Transaction start|100|RW|Integer
Transaction end|101|RW|Integer
Transaction timeout|102|RW|Integer|s
Transaction error|103|R|Boolean
""",
)
