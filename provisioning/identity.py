"""The identity that a lamp gets: drawn here, written to its chip, enrolled, and forgotten.

Fields and limits are `contract.identity`. Secrets are drawn by the operating system's generator and held in bytearrays,
which `wipe` overwrites; what the libraries below make of them (JSON, the NVS image) lives until it was written and is
dropped then. Nothing here has a repr that shows one.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from contract import identity as fields
from contract.limits import MASTER_SALT_BYTES, MASTER_SECRET_BYTES, SENDER_ID_BYTES, SERVER_ID
from provisioning.errors import Failure

NVS_IDENTITY = (fields.NAMESPACE, fields.KEY)
NVS_SEALED = (fields.NAMESPACE, fields.SEALED_KEY)


class Drawn:
    """One lamp's identity. `rest` is everything that is no secret key: server, Wi-Fi, serial, settings."""

    def __init__(self, endpoint: str, sender_id: bytes, secret: bytes, salt: bytes, rest: Mapping[str, Any]) -> None:
        self.endpoint = endpoint
        self.sender_id = sender_id
        self.secret = bytearray(secret)
        self.salt = bytearray(salt)
        self.rest = dict(rest)

    def document(self) -> bytes:
        """The JSON of NVS; raises Failure `identity_invalid` with the field that cannot be used."""
        content = {
            **self.rest,
            "endpoint": self.endpoint,
            "sender_id": self.sender_id.hex(),
            "recipient_id": SERVER_ID.hex(),
            "master_secret": self.secret.hex(),
            "master_salt": self.salt.hex(),
        }
        try:
            fields.check(content)
        except fields.IdentityInvalid as error:
            raise Failure("identity_invalid", str(error)) from None
        data = json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
        if len(data) > fields.DOCUMENT_BYTES:
            raise Failure("identity_invalid", f"{len(data)} bytes; the lamp reads {fields.DOCUMENT_BYTES}")
        return data

    def with_rest(self, rest: Mapping[str, Any]) -> "Drawn":
        """The same keys with another server, network or settings."""
        return Drawn(self.endpoint, self.sender_id, bytes(self.secret), bytes(self.salt), rest)

    def wipe(self) -> None:
        """Forget the keys; the rest may be shown."""
        for held in (self.secret, self.salt):
            held[:] = bytes(len(held))
        self.rest.pop("wifi_password", None)

    def __repr__(self) -> str:
        return f"Drawn({self.endpoint}, sender_id={self.sender_id.hex()})"


def endpoint_of(mac: bytes) -> str:
    """The endpoint name of the chip with this MAC."""
    return str(fields.endpoint_of(mac))


def draw(mac: bytes, rest: Mapping[str, Any]) -> Drawn:
    """New keys for the chip with this MAC."""
    return Drawn(
        endpoint_of(mac),
        secrets.token_bytes(SENDER_ID_BYTES),
        secrets.token_bytes(MASTER_SECRET_BYTES),
        secrets.token_bytes(MASTER_SALT_BYTES),
        rest,
    )


def parse(data: bytes) -> Drawn | None:
    """The identity in a document that was read from a chip; None when it is none that a lamp could use."""
    try:
        content = json.loads(data)
        fields.check(content)
        given = {name: value for name, value in content.items() if name not in _OWN}
        return Drawn(
            content["endpoint"],
            fields.data(content, "sender_id"),
            fields.data(content, "master_secret"),
            fields.data(content, "master_salt"),
            given,
        )
    except (ValueError, UnicodeError, RecursionError):
        return None


_OWN = ("endpoint", "sender_id", "recipient_id", "master_secret", "master_salt")
