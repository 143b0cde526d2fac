"""Looking at the keys in force before they are changed. Writing them is the device server's business."""

from sqlalchemy import select
from sqlmodel import Session, col

from backend.device_server.models import Credential


def find_in_force(session: Session, lamp_id: int | None) -> Credential | None:
    query = select(Credential).where(col(Credential.lamp_id) == lamp_id, col(Credential.revoked_real_ms).is_(None))
    return session.execute(query).scalars().first()


def find_sender(session: Session, sender_id: bytes) -> Credential | None:
    query = select(Credential).where(col(Credential.sender_id) == sender_id, col(Credential.revoked_real_ms).is_(None))
    return session.execute(query).scalars().first()
