"""OSCORE keys of an account. Bootstrap only: never listed, never readable.

Source: urn:oma:lwm2m:oma:21:2.0 (LWM2M OSCORE, OMA registry).
"""

from contract.objects import Object, resource

ID = 21

OSCORE_MASTER_SECRET = resource(ID, 0, "OSCORE Master Secret", "Opaque", "", mandatory=True)
OSCORE_SENDER_ID = resource(ID, 1, "OSCORE Sender ID", "Opaque", "", mandatory=True)
OSCORE_RECIPIENT_ID = resource(ID, 2, "OSCORE Recipient ID", "Opaque", "", mandatory=True)
OSCORE_AEAD_ALGORITHM = resource(ID, 3, "OSCORE AEAD Algorithm", "Integer", "")
OSCORE_HMAC_ALGORITHM = resource(ID, 4, "OSCORE HMAC Algorithm", "Integer", "")
OSCORE_MASTER_SALT = resource(ID, 5, "OSCORE Master Salt", "Opaque", "")
OSCORE_ID_CONTEXT = resource(ID, 6, "OSCORE ID Context", "Opaque", "")

OBJECT = Object(
    ID,
    "LWM2M OSCORE",
    "2.0",
    "urn:oma:lwm2m:oma:21:2.0",
    True,
    False,
    (
        OSCORE_MASTER_SECRET,
        OSCORE_SENDER_ID,
        OSCORE_RECIPIENT_ID,
        OSCORE_AEAD_ALGORITHM,
        OSCORE_HMAC_ALGORITHM,
        OSCORE_MASTER_SALT,
        OSCORE_ID_CONTEXT,
    ),
)
