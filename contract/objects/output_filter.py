"""How a program's output is applied: operation and fade.

Source: urn:oma:lwm2m:ext:3456 (Output Filter, OMA registry).
"""

from contract.objects import Object, resource

ID = 3456

OPERATION = resource(ID, 0, "Operation", "Integer", "RW", mandatory=True)
DELAY = resource(ID, 1, "Delay", "Float", "RW", "s")
TRANSACTION = resource(ID, 2, "Transaction", "Integer", "RW")
EXPIRATION_TIME = resource(ID, 3, "Expiration Time", "Float", "RW")

OBJECT = Object(
    ID,
    "Output Filter",
    "1.0",
    "urn:oma:lwm2m:ext:3456",
    True,
    False,
    (
        OPERATION,
        DELAY,
        TRANSACTION,
        EXPIRATION_TIME,
    ),
)
