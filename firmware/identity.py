"""Who this lamp is: the identity that provisioning wrote, checked once at start-up (`contract.identity`)."""

from contract import identity, limits
from firmware.errors import IdentityError

AGAIN = "provision the lamp again"


class Identity:
    """The checked identity. `fields` is the dict that the board read; raises IdentityError with advice.

    `sender_id`, `recipient_id`, `master_secret` and `master_salt` are bytes; `settings` is a dict that
    `firmware.settings.Settings` checks name by name; `account`: None where provisioning named the server itself,
    0 where it named a bootstrap server, the short server id of the account that this one gave (firmware.bootstrapping).
    """

    def __init__(self, fields):
        try:
            identity.check(fields)
        except identity.IdentityInvalid as error:
            raise IdentityError(str(error), AGAIN) from None
        self.endpoint = fields["endpoint"]
        self.serial = fields.get("serial", "")
        self.server_host = fields["server_host"]
        self.server_port = fields.get("server_port", limits.COAP_PORT)
        self.sender_id = identity.data(fields, "sender_id")
        self.recipient_id = identity.data(fields, "recipient_id")
        self.master_secret = identity.data(fields, "master_secret")
        self.master_salt = identity.data(fields, "master_salt")
        self.wifi_ssid = fields.get("wifi_ssid", "")
        self.wifi_password = fields.get("wifi_password", "")
        self.settings = fields.get("settings", {})
        self.account = fields.get("account", 0) if fields.get("bootstrap") else None

    def __repr__(self):
        return "Identity(endpoint=%s, server=%s:%d)" % (self.endpoint, self.server_host, self.server_port)
