"""How each program fares.

Source: urn:oma:lwm2m:ext:3458 (Program Monitor, OMA registry).
"""

from contract.objects import define

ID = 3458

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Program Monitor",
    "1.0",
    "urn:oma:lwm2m:ext:3458",
    multiple=True,
    mandatory=False,
    table="""
Program Name|0|R|String||M
Status|1|R|Integer||M
Error Conditions|2|R|Integer||M
Clear errors|3|E
Evaluation Counter|4|R|Integer
Execution Counter|5|R|Integer
Counter Reset|6|E
Last Execution|7|R|Time
Last Control Output|8|R|String||N
""",
)
