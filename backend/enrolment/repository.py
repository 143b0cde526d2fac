"""Looking at the keys in force before they are changed. Writing them is the device server's business."""

from sqlalchemy import or_, select
from sqlmodel import Session, col

from backend.device_server.models import BootstrapAccount, Credential


def find_in_force(session: Session, lamp_id: int | None) -> Credential | BootstrapAccount | None:
    """What a technician gave the lamp: keys for its bootstrap, else its own."""
    invited = select(BootstrapAccount).where(
        col(BootstrapAccount.lamp_id) == lamp_id, col(BootstrapAccount.revoked_real_ms).is_(None)
    )
    query = select(Credential).where(col(Credential.lamp_id) == lamp_id, col(Credential.revoked_real_ms).is_(None))
    return session.execute(invited).scalars().first() or session.execute(query).scalars().first()


def find_sender(session: Session, sender_id: bytes) -> Credential | BootstrapAccount | None:
    """Who goes by this sender id, or is about to."""
    query = select(Credential).where(col(Credential.sender_id) == sender_id, col(Credential.revoked_real_ms).is_(None))
    ids = or_(col(BootstrapAccount.sender_id) == sender_id, col(BootstrapAccount.pending_sender_id) == sender_id)
    invited = select(BootstrapAccount).where(ids, col(BootstrapAccount.revoked_real_ms).is_(None))
    return session.execute(query).scalars().first() or session.execute(invited).scalars().first()
