"""Who this lamp is: the identity that provisioning wrote, checked once at start-up.

Fields: docs/architecture.md, "Identity". Sizes: endpoint names of OMA LwM2M Core 6.2.1, OSCORE ids of RFC 8613
section 3.3 (nonce length - 6 = 7 bytes for AES-CCM-16-64-128), Wi-Fi names and passwords of IEEE 802.11.
"""

from binascii import unhexlify

from firmware.errors import IdentityError

AGAIN = "provision the lamp again"

# name: (shortest, longest) in characters, or in bytes for the hexadecimal ones
TEXTS = {
    "endpoint": (1, 64),
    "serial": (0, 64),
    "server_host": (1, 253),
    "wifi_ssid": (0, 32),
    "wifi_password": (0, 64),
}
BYTES = {
    "sender_id": (1, 7),
    "recipient_id": (0, 7),
    "master_secret": (16, 64),
    "master_salt": (0, 64),
}
REQUIRED = ("endpoint", "server_host", "sender_id", "recipient_id", "master_secret")


def _text(fields, name):
    value = fields.get(name, "")
    shortest, longest = TEXTS[name]
    if not isinstance(value, str) or not shortest <= len(value) <= longest:
        raise IdentityError("%s must be text of %d to %d characters" % (name, shortest, longest), AGAIN)
    for character in value:
        if ord(character) < 32 or (character == " " and not name.startswith("wifi")):
            raise IdentityError("%s holds a space or a control character" % name, AGAIN)
    return value


def _bytes(fields, name):
    """Return the bytes of a hexadecimal field. What the field holds is never part of an error."""
    value = fields.get(name, "")
    shortest, longest = BYTES[name]
    data = None
    if isinstance(value, str):
        try:
            data = unhexlify(value)
        except ValueError:
            data = None
    if data is None or not shortest <= len(data) <= longest:
        raise IdentityError("%s must be %d to %d bytes in hexadecimal" % (name, shortest, longest), AGAIN)
    return data


class Identity:
    """The checked identity. `fields` is the dict that the board read; raises IdentityError with advice.

    `sender_id`, `recipient_id`, `master_secret` and `master_salt` are bytes; `settings` is a dict that
    `firmware.settings.Settings` checks name by name.
    """

    def __init__(self, fields):
        if not isinstance(fields, dict):
            raise IdentityError("the identity is no set of named fields", AGAIN)
        for name in REQUIRED:
            if name not in fields:
                raise IdentityError("the identity has no %s" % name, AGAIN)
        self.endpoint = _text(fields, "endpoint")
        self.serial = _text(fields, "serial")
        self.server_host = _text(fields, "server_host")
        self.server_port = fields.get("server_port", 5683)
        port = self.server_port
        if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
            raise IdentityError("server_port must be 1 to 65535", AGAIN)
        self.sender_id = _bytes(fields, "sender_id")
        self.recipient_id = _bytes(fields, "recipient_id")
        if self.sender_id == self.recipient_id:
            raise IdentityError("sender_id and recipient_id are equal: both sides would use one key", AGAIN)
        self.master_secret = _bytes(fields, "master_secret")
        if len(set(self.master_secret)) == 1:
            raise IdentityError("master_secret is one byte repeated: it was never drawn", AGAIN)
        self.master_salt = _bytes(fields, "master_salt")
        self.wifi_ssid = _text(fields, "wifi_ssid")
        self.wifi_password = _text(fields, "wifi_password")
        if 0 < len(self.wifi_password) < 8:
            raise IdentityError("wifi_password must be empty or 8 to 64 characters", AGAIN)
        self.settings = fields.get("settings", {})
        if not isinstance(self.settings, dict):
            raise IdentityError("settings must be a set of named values", AGAIN)

    def __repr__(self):
        return "Identity(endpoint=%s, server=%s:%d)" % (self.endpoint, self.server_host, self.server_port)
