"""SenML as LwM2M uses it: labels, content formats and the record both codecs exchange. No codec is here.

The lamp's codec and the backend's are separate on purpose, so that one bug cannot cancel itself out.
Source: RFC 8428 sections 4 to 6, OMA LwM2M 1.1 Core section 7.4 (object links), CoAP content formats at IANA.
"""

from collections import namedtuple

# CBOR labels, RFC 8428 table 4; OBJECT_LINK is LwM2M's own and is spelt out in CBOR as in JSON.
BASE_NAME = -2
BASE_TIME = -3
NAME = 0
VALUE = 2
STRING = 3
BOOLEAN = 4
TIME = 6
DATA = 8
OBJECT_LINK = "vlo"

# The same labels in SenML-JSON.
JSON_LABELS = {
    BASE_NAME: "bn",
    BASE_TIME: "bt",
    NAME: "n",
    VALUE: "v",
    STRING: "vs",
    BOOLEAN: "vb",
    TIME: "t",
    DATA: "vd",
    OBJECT_LINK: "vlo",
}

# Times below this are relative to now, RFC 8428 section 4.5.3.
ABSOLUTE_TIME_S = 1 << 28

# CoAP content formats.
TEXT = 0
LINK_FORMAT = 40
OPAQUE = 42
CBOR = 60
SENML_JSON = 110
SENML_CBOR = 112
TLV = 11542

# path: contract.paths.Path; time_s: int, UTC seconds since 1970, or None when the record carries no time;
# value: int, float, bool, str, bytes, ObjectLink, or None (a name without a value, as composite reads send).
Record = namedtuple("Record", ("path", "time_s", "value"))

# The value of an Objlnk resource, "3410:0" on the wire.
ObjectLink = namedtuple("ObjectLink", ("object", "instance"))
