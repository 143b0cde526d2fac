"""Server account of the lamp. Bootstrap only: never listed, never readable.

Source: urn:oma:lwm2m:oma:0:1.1 (LWM2M Security, OMA registry). LwM2M 1.1 implies object version 1.1.
"""

from contract.objects import define

ID = 0

OBJECT, __getattr__ = define(
    globals(),
    ID,
    "LWM2M Security",
    "1.1",
    "urn:oma:lwm2m:oma:0:1.1",
    multiple=True,
    mandatory=True,
    table="""
LWM2M Server URI|0||String||M|0..255
Bootstrap-Server|1||Boolean||M
Security Mode|2||Integer||M|0..4
Public Key or Identity|3||Opaque||M
Server Public Key|4||Opaque||M
Secret Key|5||Opaque||M
Short Server ID|10||Integer|||1..65534
Client Hold Off Time|11||Integer|s
OSCORE Security Mode|17||Objlnk
""",
)
