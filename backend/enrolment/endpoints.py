"""Enrolment over HTTP. Keys go in and never come out: not in the answer, not in an error, not in a log."""

from typing import Annotated

from fastapi import APIRouter, Request, Response, status
from pydantic import AfterValidator, BaseModel, Field, SecretStr, StringConstraints

from backend.access.guard import Technician
from backend.clock import Clock
from backend.db import Writing
from backend.enrolment import service
from backend.kit.fields import Hex
from backend.lamps import service as lamps
from backend.lamps.shapes import Endpoint, LampPatch, LampPublic
from contract.limits import MASTER_SALT_BYTES, MASTER_SECRET_BYTES, SENDER_ID_BYTES

router = APIRouter(prefix="/enrolments", tags=["enrolment"])


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


class EnrolmentCreate(LampPatch):
    """Identity and keys as provisioning drew them, and what is known of the lamp. A new lamp needs its place."""

    endpoint: Endpoint
    sender_id: Annotated[Hex, StringConstraints(min_length=2, max_length=2 * SENDER_ID_BYTES)] = Field(
        description="The lamp's OSCORE sender id, hexadecimal; unique in the fleet."
    )
    master_secret: Annotated[SecretStr, _bytes_of(MASTER_SECRET_BYTES)] = Field(description="Hexadecimal; write-only.")
    master_salt: Annotated[SecretStr, _bytes_of(MASTER_SALT_BYTES)] = Field(description="Hexadecimal; write-only.")
    bootstrap: bool = Field(
        False, description="The keys only open the bootstrap (LwM2M 1.1), which gives the lamp the keys of its account."
    )
    replace: bool = Field(False, description="Take the place of other keys, or of a retired lamp.")


class EnrolmentPublic(BaseModel):
    """The lamp that may now register; its sender id is public, because it rides in every message."""

    sender_id: str
    lamp: LampPublic


@router.post("", status_code=status.HTTP_201_CREATED, responses={200: {"description": "The lamp existed already."}})
def create_enrolment(
    body: EnrolmentCreate, request: Request, response: Response, session: Writing, actor: Technician
) -> EnrolmentPublic:
    """Create the lamp, or take the existing one, and give it these keys. The same content twice changes nothing."""
    clock: Clock = request.app.state.clock
    now = clock.real_ms()
    keys = service.Keys(
        sender_id=bytes.fromhex(body.sender_id),
        secret=bytes.fromhex(body.master_secret.get_secret_value()),
        salt=bytes.fromhex(body.master_salt.get_secret_value()),
        bootstrap=body.bootstrap,
    )
    lamp, created = service.enrol(
        session, now, body.endpoint, keys, body.columns(), request.app.state.credentials, replace=body.replace
    )
    if not created:
        response.status_code = status.HTTP_200_OK
    assert lamp.id is not None
    return EnrolmentPublic(sender_id=body.sender_id, lamp=LampPublic.of(lamps.get_row(session, lamp.id), now))
