"""Enrolment: a provisioned controller becomes a lamp of the city, with its keys, in one transaction.

Repeating an enrolment with the same content changes nothing, so that a technician's tool may retry. Content that
differs is a conflict until somebody says `replace`: a typing error must not take the keys of a lamp that works.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlmodel import Session

from backend.audit.service import note
from backend.device_server.errors import CredentialConflict, CredentialInvalid
from backend.device_server.models import BootstrapAccount, Credential
from backend.enrolment import repository
from backend.errors import BadInput, Conflict, FieldError
from backend.lamps import service as lamps
from backend.lamps.models import Lamp

_PLACE = {"latitude_e6": "latitude", "longitude_e6": "longitude", "time_zone": "time_zone"}
_REPLACE = "Check the label of the controller; send replace: true when the new keys are the right ones."


class Credentials(Protocol):
    """The device server's door for keys."""

    def add(
        self, session: Session, lamp_id: int, endpoint: str, sender_id: bytes, secret: bytes, salt: bytes
    ) -> object: ...
    def add_bootstrap(
        self, session: Session, lamp_id: int, endpoint: str, sender_id: bytes, secret: bytes, salt: bytes
    ) -> object: ...
    def revoke(self, session: Session, lamp_id: int) -> object: ...


@dataclass(frozen=True)
class Keys:
    """OSCORE input parameters (RFC 8613, 3.2); never shown, not even by repr. With `bootstrap` they only open the
    bootstrap, which gives the lamp others."""

    sender_id: bytes
    secret: bytes
    salt: bytes
    bootstrap: bool = False

    def __repr__(self) -> str:
        return f"Keys(sender_id={self.sender_id.hex()})"

    def are(self, held: Credential | BootstrapAccount) -> bool:
        """Whether `held` has exactly these, in a time that does not depend on where they differ."""
        if self.bootstrap != isinstance(held, BootstrapAccount):
            return False
        ours = b"".join((self.sender_id.ljust(8, b"\0"), self.secret, self.salt))
        theirs = b"".join(((held.sender_id or b"").ljust(8, b"\0"), held.secret or b"", held.salt))
        return hmac.compare_digest(ours, theirs)


def enrol(
    session: Session,
    now_real_ms: int,
    endpoint: str,
    keys: Keys,
    columns: Mapping[str, Any],
    credentials: Credentials,
    *,
    replace: bool,
) -> tuple[Lamp, bool]:
    """The lamp with this endpoint and these keys, and whether it is new.

    Raises `Conflict` when the endpoint has other keys, the sender id another lamp, or the lamp is retired, unless
    `replace`; `BadInput` when the lamp is new and its place or time zone is missing, or the keys cannot be used.
    """
    lamp = lamps.find_by_endpoint(session, endpoint)
    created = lamp is None
    if lamp is None:
        _check_place(columns)
        lamp = lamps.create(session, now_real_ms, {"name": endpoint, **columns, "endpoint": endpoint})
    else:
        _take_existing(session, lamp, keys, replace=replace)
        lamps.apply(session, lamp, now_real_ms, {**columns, "retired_at_ms": None})
    assert lamp.id is not None
    _free_sender_id(session, lamp.id, keys, credentials, replace=replace)
    give = credentials.add_bootstrap if keys.bootstrap else credentials.add
    try:
        give(session, lamp.id, endpoint, keys.sender_id, keys.secret, keys.salt)
    except CredentialInvalid as error:
        field, _, reason = str(error).partition(": ")
        raise BadInput.of(_FIELDS.get(field, "sender_id"), reason or field) from None
    except CredentialConflict as error:
        raise Conflict(
            str(error), _REPLACE, [FieldError(field="sender_id", reason="belongs to another lamp")]
        ) from None
    return lamp, created


_FIELDS = {"endpoint": "endpoint", "sender id": "sender_id", "secret": "master_secret", "salt": "master_salt"}


def _check_place(columns: Mapping[str, Any]) -> None:
    missing = [field for column, field in _PLACE.items() if column not in columns]
    if missing:
        errors = [
            FieldError(field=field, reason="a new lamp needs it: sun and local time come from it") for field in missing
        ]
        raise BadInput("This endpoint is new, and its place is not complete.", errors=errors)


def _take_existing(session: Session, lamp: Lamp, keys: Keys, *, replace: bool) -> None:
    if replace:
        return
    if lamp.retired_at_ms is not None:
        raise Conflict(
            f"Lamp {lamp.id} with this endpoint is retired.",
            "Send replace: true to bring it back into service with these keys.",
            [FieldError(field="endpoint", reason=f"lamp {lamp.id} is retired")],
        )
    held = repository.find_in_force(session, lamp.id)
    if held is not None and not keys.are(held):
        raise Conflict(
            f"Lamp {lamp.id} with this endpoint has other keys.",
            _REPLACE,
            [FieldError(field="endpoint", reason=f"lamp {lamp.id} has other keys")],
        )


def _free_sender_id(session: Session, lamp_id: int, keys: Keys, credentials: Credentials, *, replace: bool) -> None:
    holder = repository.find_sender(session, keys.sender_id)
    if holder is None or holder.lamp_id == lamp_id:
        return
    if not replace:
        raise Conflict(
            f"The sender id {keys.sender_id.hex()} belongs to lamp {holder.lamp_id}.",
            _REPLACE,
            [FieldError(field="sender_id", reason=f"belongs to lamp {holder.lamp_id}")],
        )
    credentials.revoke(session, holder.lamp_id)
    note(session, "lamp", lamp_id, f"took the sender id of lamp {holder.lamp_id}")
