"""Keys of lamps: domains add and revoke them in their own transaction.

Source: RFC 8613, section 3.2 and 3.3 (which parameters, and that nonces never repeat).
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, event, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from backend.device_server.errors import CredentialConflict, CredentialInvalid
from backend.device_server.models import BootstrapAccount, Credential, Registration
from backend.device_server.ports import Clock
from backend.device_server.registration import MAX_ENDPOINT
from contract.limits import MASTER_SECRET_BYTES, SENDER_ID_BYTES, SERVER_ID

_MAX_KEY = 64


class Credentials:
    """Adds and revokes keys in the caller's transaction; `on_change(lamp_id)` is called then and after its commit."""

    def __init__(self, clock: Clock, on_change: Callable[[int], None]) -> None:
        self._clock = clock
        self._on_change = on_change

    def add(
        self, session: Session, lamp_id: int, endpoint: str, sender_id: bytes | None, secret: bytes | None, salt: bytes
    ) -> None:
        """Give the lamp these keys; the ones it had, and those of a bootstrap, are replaced. Adding the same keys again
        changes nothing.
        `sender_id` and `secret` None: a laboratory lamp without keys, served only in the insecure mode. Raises
        CredentialInvalid, CredentialConflict.
        """
        _check(endpoint, sender_id, secret, salt)
        session.execute(delete(BootstrapAccount).where(col(BootstrapAccount.lamp_id) == lamp_id))
        used = self._release(session, lamp_id, endpoint, sender_id)
        row = session.get(Credential, lamp_id)
        if row is None:
            row = Credential(lamp_id=lamp_id, endpoint=endpoint, created_real_ms=self._clock.real_ms())
            session.add(row)
        if (row.sender_id, row.secret, row.salt) != (sender_id, secret, salt):
            # What registered with other keys is another controller, or one that lost everything.
            session.execute(delete(Registration).where(col(Registration.lamp_id) == lamp_id))
            row.sender_id, row.secret, row.salt = sender_id, secret, salt
            row.created_real_ms = self._clock.real_ms()
        # Never back to 0: keys that return after others, or from another lamp, must not meet their old nonces.
        row.ssn_reserved = max(row.ssn_reserved, used)
        row.endpoint = endpoint
        row.revoked_real_ms = None
        session.flush()
        self._changed(session, lamp_id)

    def add_bootstrap(
        self, session: Session, lamp_id: int, endpoint: str, sender_id: bytes, secret: bytes, salt: bytes
    ) -> None:
        """Let the lamp ask for its keys with these (`device_server.bootstrap`). Other keys than it had belong to
        another controller: what the one before had is refused. Adding the same keys again changes nothing. Raises
        CredentialInvalid, CredentialConflict."""
        _check(endpoint, sender_id, secret, salt)
        used = self._release(session, lamp_id, endpoint, sender_id)
        row = session.get(BootstrapAccount, lamp_id)
        if row is None or (row.sender_id, row.secret, row.salt) != (sender_id, secret, salt):
            fleet = session.get(Credential, lamp_id)
            if fleet is not None and fleet.sender_id == sender_id:
                raise CredentialInvalid("sender id: the lamp's own keys go by it: draw another one for its bootstrap")
            self.revoke(session, lamp_id)
            if row is not None:
                used = max(used, row.ssn_reserved)
                session.delete(row)
                session.flush()
            row = BootstrapAccount(
                lamp_id=lamp_id, endpoint=endpoint, sender_id=sender_id, secret=secret, salt=salt, ssn_reserved=used
            )
            row.created_real_ms = self._clock.real_ms()
            session.add(row)
        row.endpoint = endpoint
        row.revoked_real_ms = None
        session.flush()
        self._changed(session, lamp_id)

    def _release(self, session: Session, lamp_id: int, endpoint: str, sender_id: bytes | None) -> int:
        """Free the endpoint and the sender id where revoked keys hold them (a controller that was moved to another
        lamp). Returns the sequence numbers used with them."""
        used = 0
        tables: list[tuple[Any, tuple[Any, ...]]] = [
            (Credential, (col(Credential.sender_id),)),
            (BootstrapAccount, (col(BootstrapAccount.sender_id), col(BootstrapAccount.pending_sender_id))),
        ]
        for table, senders in tables:
            same = col(table.endpoint) == endpoint
            if sender_id is not None:
                same = or_(same, *(column == sender_id for column in senders))
            others = select(table).where(same, col(table.lamp_id) != lamp_id)
            for holder in session.scalars(others).all():
                if holder.revoked_real_ms is None:
                    what = f"endpoint {endpoint}" if holder.endpoint == endpoint else "sender id"
                    raise CredentialConflict(f"{what} belongs to another lamp: revoke that one first, or use a new one")
                used = max(used, holder.ssn_reserved)
                session.delete(holder)
        session.flush()
        return used

    def revoke(self, session: Session, lamp_id: int) -> None:
        """Refuse the lamp from now on, its bootstrap as well. Nothing happens for a lamp without keys."""
        tables: list[Any] = [Credential, BootstrapAccount]
        for table in tables:
            session.execute(
                update(table)
                .where(col(table.lamp_id) == lamp_id, col(table.revoked_real_ms).is_(None))
                .values(revoked_real_ms=self._clock.real_ms())
            )
        session.execute(update(Registration).where(col(Registration.lamp_id) == lamp_id).values(active=False))
        self._changed(session, lamp_id)

    def _changed(self, session: Session, lamp_id: int) -> None:
        def committed(_session: Session) -> None:
            self._on_change(lamp_id)

        # Now, and again after the commit: until then a look-up may still have read the row as it was.
        event.listen(session, "after_commit", committed)
        self._on_change(lamp_id)


def _check(endpoint: str, sender_id: bytes | None, secret: bytes | None, salt: bytes) -> None:
    if not endpoint or len(endpoint) > MAX_ENDPOINT or not endpoint.isprintable():
        raise CredentialInvalid(f"endpoint: 1 to {MAX_ENDPOINT} printable characters")
    if (sender_id is None) != (secret is None):
        raise CredentialInvalid("sender id and secret belong together: give both or neither")
    if sender_id is not None and (not 1 <= len(sender_id) <= SENDER_ID_BYTES or sender_id == SERVER_ID):
        raise CredentialInvalid(
            f"sender id: 1 to {SENDER_ID_BYTES} bytes, and not {SERVER_ID.hex()}, which is the server's"
        )
    if secret is not None and not MASTER_SECRET_BYTES <= len(secret) <= _MAX_KEY:
        raise CredentialInvalid(f"secret: {MASTER_SECRET_BYTES} to {_MAX_KEY} bytes")
    if len(salt) > _MAX_KEY:
        raise CredentialInvalid(f"salt: at most {_MAX_KEY} bytes")
