"""The identity of a lamp: what provisioning writes to the chip, the lamp reads at its start, and the backend enrols.

A document of named fields, kept in NVS as one blob of JSON. Sizes: endpoint names of OMA LwM2M Core 6.2.1, OSCORE ids
of RFC 8613 section 3.3 (nonce length - 6 = 7 bytes for AES-CCM-16-64-128), Wi-Fi of IEEE 802.11.
"""

from binascii import hexlify, unhexlify

from contract import limits

NAMESPACE = "streetlight"  # In NVS, whose names hold at most 15 characters.
KEY = "identity"  # The document, a blob: MicroPython reads blobs and i32 only.
SEALED_KEY = "sealed"  # i32, 1 when the lamp was enrolled and passed its test; absent until then.
DOCUMENT_BYTES = 2048  # Ours is under 800; the reader's buffer lives for one call.

# name: (shortest, longest) in characters, or in bytes for the hexadecimal ones
TEXTS = {
    "endpoint": (1, 64),
    "serial": (0, 64),
    "server_host": (1, 253),
    "wifi_ssid": (0, 32),
    "wifi_password": (0, 64),
}
BYTES = {
    "sender_id": (1, limits.SENDER_ID_BYTES),
    "recipient_id": (0, limits.SENDER_ID_BYTES),
    "master_secret": (16, 64),
    "master_salt": (0, 64),
}
REQUIRED = ("endpoint", "server_host", "sender_id", "recipient_id", "master_secret")


class IdentityInvalid(ValueError):
    """A field that cannot be used; the text names it and never tells what it holds."""


def endpoint_of(mac):
    """LwM2M endpoint name of a chip: the EUI-64 made of its six bytes MAC (RFC 9039 section 4.1)."""
    return "urn:dev:mac:" + hexlify(mac[:3] + b"\xff\xfe" + mac[3:]).decode()


def text(fields, name):
    """The text of a field, "" if it is not there; raises IdentityInvalid."""
    value = fields.get(name, "")
    shortest, longest = TEXTS[name]
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise IdentityInvalid("%s must be text of %d to %d characters" % (name, shortest, longest))
    for character in value:
        if ord(character) < 32 or (character == " " and not name.startswith("wifi")):
            raise IdentityInvalid("%s holds a space or a control character" % name)
    return value


def data(fields, name):
    """The bytes of a hexadecimal field, b"" if it is not there; raises IdentityInvalid."""
    value = fields.get(name, "")
    shortest, longest = BYTES[name]
    found = None
    if isinstance(value, str):
        try:
            found = unhexlify(value)
        except ValueError:
            found = None
    if found is None or not shortest <= len(found) <= longest:
        raise IdentityInvalid("%s must be %d to %d bytes in hexadecimal" % (name, shortest, longest))
    return found


def check(fields):
    """Raise IdentityInvalid unless `fields` can make a lamp.

    Beyond TEXTS and BYTES: `server_port` (1 to 65535, COAP_PORT if it is not there), `settings`, a dict of start
    values, and `bootstrap`, True if server and keys are those of a bootstrap server, which gives the lamp an account
    (False if it is not there).
    """
    if not isinstance(fields, dict):
        raise IdentityInvalid("the identity is no set of named fields")
    for name in REQUIRED:
        if name not in fields:
            raise IdentityInvalid("the identity has no %s" % name)
    for name in TEXTS:
        text(fields, name)
    port = fields.get("server_port", limits.COAP_PORT)
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise IdentityInvalid("server_port must be 1 to 65535")
    for name in BYTES:
        data(fields, name)
    if data(fields, "sender_id") == data(fields, "recipient_id"):
        raise IdentityInvalid("sender_id and recipient_id are equal: both sides would use one key")
    if len(set(data(fields, "master_secret"))) == 1:
        raise IdentityInvalid("master_secret is one byte repeated: it was never drawn")
    if 0 < len(fields.get("wifi_password", "")) < 8:
        raise IdentityInvalid("wifi_password must be empty or 8 to 64 characters")
    if not isinstance(fields.get("bootstrap", False), bool):
        raise IdentityInvalid("bootstrap must be true or false")
    if not isinstance(fields.get("settings", {}), dict):
        raise IdentityInvalid("settings must be a set of named values")
