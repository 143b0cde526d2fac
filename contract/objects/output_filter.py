"""How a program's output is applied: operation and fade.

Source: urn:oma:lwm2m:ext:3456 (Output Filter, OMA registry).
"""

from contract.objects import define

ID = 3456

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "Output Filter",
    "1.0",
    "urn:oma:lwm2m:ext:3456",
    multiple=True,
    mandatory=False,
    table="""
Operation|0|RW|Integer||M
Delay|1|RW|Float|s
Transaction|2|RW|Integer
Expiration Time|3|RW|Float
""",
)
