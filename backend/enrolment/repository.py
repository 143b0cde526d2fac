"""Looking at the keys in force before they are changed. Writing them is the device server's business."""

from collections.abc import Mapping, Sequence

from sqlalchemy import or_, select, text, update
from sqlmodel import Session, col

from backend.device_server.models import BootstrapAccount, Credential
from backend.lamps.models import Lamp

_CHUNK = 500  # SQLite bounds the parameters of a statement
_ASSETS = 0x53544153  # "STAS": any constant that nobody else uses in this database


def find_in_force(session: Session, lamp_id: int | None) -> Credential | BootstrapAccount | None:
    """What a technician gave the lamp: keys for its bootstrap, else its own."""
    invited = select(BootstrapAccount).where(
        col(BootstrapAccount.lamp_id) == lamp_id, col(BootstrapAccount.revoked_real_ms).is_(None)
    )
    query = select(Credential).where(col(Credential.lamp_id) == lamp_id, col(Credential.revoked_real_ms).is_(None))
    return session.execute(invited).scalars().first() or session.execute(query).scalars().first()


def find_held(session: Session, lamp_id: int) -> Credential | BootstrapAccount | None:
    """The lamp's last keys, revoked or not."""
    in_force = find_in_force(session, lamp_id)
    return in_force or session.get(BootstrapAccount, lamp_id) or session.get(Credential, lamp_id)


def find_new(session: Session, lamp_ids: Sequence[int]) -> list[int]:
    """Which of these lamps are enrolled and not commissioned."""
    found: list[int] = []
    for start in range(0, len(lamp_ids), _CHUNK):
        query = select(col(Lamp.id)).where(
            col(Lamp.id).in_(lamp_ids[start : start + _CHUNK]),
            col(Lamp.enrolled_at_ms).is_not(None),
            col(Lamp.commissioned_at_ms).is_(None),
        )
        found += [lamp_id for lamp_id in session.execute(query).scalars() if lamp_id is not None]
    return found


def commission(session: Session, times: Mapping[int, int]) -> None:
    """Note when these lamps registered first, unless they got their keys after that."""
    for lamp_id, at_ms in sorted(times.items()):
        session.execute(
            update(Lamp)
            .where(
                col(Lamp.id) == lamp_id,
                col(Lamp.enrolled_at_ms) <= at_ms,
                col(Lamp.commissioned_at_ms).is_(None),
            )
            .values(commissioned_at_ms=at_ms)
        )


def lock_assets(session: Session) -> None:
    """Let one transaction at a time give asset ids and serials to lamps; SQLite's writers are alone anyway."""
    if session.connection().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ASSETS})


def find_sender(session: Session, sender_id: bytes) -> Credential | BootstrapAccount | None:
    """Who goes by this sender id, or is about to."""
    query = select(Credential).where(col(Credential.sender_id) == sender_id, col(Credential.revoked_real_ms).is_(None))
    ids = or_(col(BootstrapAccount.sender_id) == sender_id, col(BootstrapAccount.pending_sender_id) == sender_id)
    invited = select(BootstrapAccount).where(ids, col(BootstrapAccount.revoked_real_ms).is_(None))
    return session.execute(query).scalars().first() or session.execute(invited).scalars().first()
