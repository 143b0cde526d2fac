"""Server account of the lamp. Bootstrap only: never listed, never readable.

Source: urn:oma:lwm2m:oma:0:1.1 (LWM2M Security, OMA registry). LwM2M 1.1 implies object version 1.1.
"""

from contract.objects import Object, resource

ID = 0

LWM2M_SERVER_URI = resource(ID, 0, "LWM2M Server URI", "String", "", mandatory=True, minimum=0, maximum=255)
BOOTSTRAP_SERVER = resource(ID, 1, "Bootstrap-Server", "Boolean", "", mandatory=True)
SECURITY_MODE = resource(ID, 2, "Security Mode", "Integer", "", mandatory=True, minimum=0, maximum=4)
PUBLIC_KEY_OR_IDENTITY = resource(ID, 3, "Public Key or Identity", "Opaque", "", mandatory=True)
SERVER_PUBLIC_KEY = resource(ID, 4, "Server Public Key", "Opaque", "", mandatory=True)
SECRET_KEY = resource(ID, 5, "Secret Key", "Opaque", "", mandatory=True)
SHORT_SERVER_ID = resource(ID, 10, "Short Server ID", "Integer", "", minimum=1, maximum=65534)
CLIENT_HOLD_OFF_TIME = resource(ID, 11, "Client Hold Off Time", "Integer", "", "s")
OSCORE_SECURITY_MODE = resource(ID, 17, "OSCORE Security Mode", "Objlnk", "")

OBJECT = Object(
    ID,
    "LWM2M Security",
    "1.1",
    "urn:oma:lwm2m:oma:0:1.1",
    True,
    True,
    (
        LWM2M_SERVER_URI,
        BOOTSTRAP_SERVER,
        SECURITY_MODE,
        PUBLIC_KEY_OR_IDENTITY,
        SERVER_PUBLIC_KEY,
        SECRET_KEY,
        SHORT_SERVER_ID,
        CLIENT_HOLD_OFF_TIME,
        OSCORE_SECURITY_MODE,
    ),
)
