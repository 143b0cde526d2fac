"""On which dates.

Source: urn:oma:lwm2m:ext:3453 (Calendar Rule, OMA registry).
"""

from contract.objects import define

ID = 3453

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Calendar Rule",
    "1.0",
    "urn:oma:lwm2m:ext:3453",
    multiple=True,
    mandatory=False,
    table="""
Calendar Name|0|RW|String
Calendar Type|1|RW|Integer
Start Date|2|RW|String||N
End Date|3|RW|String||N
Date Rule|4|RW|String
Calendar Active|5|R|Boolean
""",
)
