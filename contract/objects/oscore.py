"""OSCORE keys of an account. Bootstrap only: never listed, never readable.

Source: urn:oma:lwm2m:oma:21:2.0 (LWM2M OSCORE, OMA registry).
"""

from contract.objects import define

ID = 21

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "LWM2M OSCORE",
    "2.0",
    "urn:oma:lwm2m:oma:21:2.0",
    multiple=True,
    mandatory=False,
    table="""
OSCORE Master Secret|0||Opaque||M
OSCORE Sender ID|1||Opaque||M
OSCORE Recipient ID|2||Opaque||M
OSCORE AEAD Algorithm|3||Integer
OSCORE HMAC Algorithm|4||Integer
OSCORE Master Salt|5||Opaque
OSCORE ID Context|6||Opaque
""",
)
