"""What an enrolment says, in a request and in a ledger: identity, keys and what is known of the lamp."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from backend.enrolment import service
from backend.kit.fields import Hex, Input
from backend.lamps.shapes import Endpoint, LampPatch
from contract.limits import MASTER_SALT_BYTES, MASTER_SECRET_BYTES, SENDER_ID_BYTES


def _bytes_of(length: int) -> AfterValidator:
    def check(secret: SecretStr) -> SecretStr:
        try:
            value = bytes.fromhex(secret.get_secret_value())
        except ValueError:
            raise ValueError("write whole bytes as hexadecimal digits, two a byte") from None
        if len(value) != length:
            raise ValueError(f"{length} bytes are needed, {2 * length} hexadecimal digits")
        return secret

    return AfterValidator(check)


class KeysCreate(Input):
    """The keys of a controller, as provisioning drew them."""

    sender_id: Annotated[Hex, StringConstraints(min_length=2, max_length=2 * SENDER_ID_BYTES)] = Field(
        description="The lamp's OSCORE sender id, hexadecimal; unique in the fleet."
    )
    master_secret: Annotated[SecretStr, _bytes_of(MASTER_SECRET_BYTES)] = Field(description="Hexadecimal; write-only.")
    master_salt: Annotated[SecretStr, _bytes_of(MASTER_SALT_BYTES)] = Field(description="Hexadecimal; write-only.")
    bootstrap: bool = Field(
        False, description="The keys only open the bootstrap (LwM2M 1.1), which gives the lamp the keys of its account."
    )

    def keys(self) -> service.Keys:
        return service.Keys(
            sender_id=bytes.fromhex(self.sender_id),
            secret=bytes.fromhex(self.master_secret.get_secret_value()),
            salt=bytes.fromhex(self.master_salt.get_secret_value()),
            bootstrap=self.bootstrap,
        )


class EnrolmentCreate(KeysCreate, LampPatch):
    """Identity and keys of a controller, and what is known of the lamp. A new lamp needs its place. With the asset id
    of a lamp that has another controller, and `replace`, this one takes its place."""

    endpoint: Endpoint
    replace: bool = Field(
        False, description="Take the place of other keys, of another controller of this asset, or of a retired lamp."
    )

    def order(self, made_at_ms: int | None = None) -> service.Order:
        return service.Order(self.endpoint, self.keys(), self.columns(), self.replace, made_at_ms)
