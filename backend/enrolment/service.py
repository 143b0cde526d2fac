"""Enrolment: a provisioned controller becomes a lamp of the city, with its keys, in one transaction.

Repeating an enrolment with the same content changes nothing, so that a technician's tool may retry. Content that
differs is a conflict until somebody says `replace`: a typing error must not take the keys of a lamp that works.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from backend.access import reach
from backend.audit.service import note
from backend.device_server.errors import CredentialConflict, CredentialInvalid
from backend.device_server.models import BootstrapAccount, Credential
from backend.enrolment import assets, repository
from backend.enrolment.assets import REPLACE
from backend.errors import BadInput, Conflict, FieldError, Forbidden
from backend.lamps import service as lamps
from backend.lamps.models import Lamp
from backend.zones import service as zones

_PLACE = {"latitude_e6": "latitude", "longitude_e6": "longitude", "time_zone": "time_zone"}


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


@dataclass(frozen=True)
class Order:
    """One enrolment. `columns` of `Lamp`, without the endpoint; `made_at_ms`: when it was written into a ledger."""

    endpoint: str
    keys: Keys
    columns: Mapping[str, Any]
    replace: bool
    made_at_ms: int | None = None


@dataclass(frozen=True)
class Enrolled:
    """`created`: the lamp is new; `unchanged`: it had exactly these keys."""

    lamp: Lamp
    created: bool
    unchanged: bool


def enrol(
    session: Session, now_real_ms: int, order: Order, credentials: Credentials, city_id: int | None = None
) -> Enrolled:
    """The lamp with this endpoint, or with this asset id, gets these keys; only within the city if there is one.

    Raises `Conflict` when the endpoint has other keys, the sender id another lamp, the asset another controller, the
    keys were revoked or the lamp is retired, unless `replace`; `Forbidden` for another city's lamp; `BadInput` when the
    lamp is new and its place or time zone is missing, or the keys cannot be used.
    """
    try:
        # A savepoint: of two that create one endpoint at the same moment, the second meets the lamp of the first.
        with session.begin_nested():
            return _enrol(session, now_real_ms, order, credentials, city_id)
    except IntegrityError:
        pass
    try:
        with session.begin_nested():
            return _enrol(session, now_real_ms, order, credentials, city_id)
    except IntegrityError:
        raise Conflict("Somebody else enrols this controller at this moment.", REPLACE) from None


def _enrol(session: Session, now_real_ms: int, order: Order, credentials: Credentials, city_id: int | None) -> Enrolled:
    keys, columns = order.keys, order.columns
    lamp = assets.find(session, order.endpoint, columns.get("asset_id", ""), replace=order.replace)
    assets.check_serial(session, lamp.id if lamp else None, columns.get("serial", ""))
    created = lamp is None
    is_same = False
    if lamp is None:
        check_place(columns)
        lamp = lamps.create(session, now_real_ms, {"name": order.endpoint, **columns, "endpoint": order.endpoint})
        assert lamp.id is not None
        if city_id is not None:
            zones.join(session, city_id, lamp.id)
    else:
        assert lamp.id is not None
        check_reach(session, lamp.id, city_id)
        held = repository.find_held(session, lamp.id)
        is_same = held is not None and lamp.endpoint == order.endpoint and keys.are(held)
        _check_existing(lamp, order, held, is_same=is_same)
        is_same = is_same and held is not None and held.revoked_real_ms is None
        if not is_same and (held is not None or lamp.endpoint != order.endpoint):
            _put_controller(session, lamp, order.endpoint, credentials)
        lamps.apply(session, lamp, now_real_ms, {**columns, "retired_at_ms": None})
    _free_sender_id(session, lamp.id, keys, credentials, city_id, replace=order.replace)
    _add_keys(session, lamp.id, order, credentials)
    if not is_same:
        lamp.provisioned_at_ms = lamp.provisioned_at_ms or now_real_ms
        lamp.enrolled_at_ms = now_real_ms
        session.flush()
    return Enrolled(lamp, created, is_same)


def swap(
    session: Session,
    now_real_ms: int,
    lamp_id: int,
    endpoint: str,
    keys: Keys,
    serial: str,
    credentials: Credentials,
) -> Enrolled:
    """This lamp gets this controller, whatever it had. Raises `Conflict` when the controller is part of another lamp in
    service, or the lamp is retired."""
    lamp = lamps.get(session, lamp_id, for_update=True)
    if lamp.retired_at_ms is not None:
        raise Conflict(f"Lamp {lamp_id} is retired.", "Enrol its endpoint again to bring it back into service.")
    other = lamps.find_by_endpoint(session, endpoint)
    if other is not None and other.id != lamp_id:
        if other.retired_at_ms is None:
            raise Conflict(
                f"The controller {endpoint} is part of lamp {other.id}.",
                f"Retire lamp {other.id} first if the controller moves from there.",
                [FieldError(field="endpoint", reason=f"belongs to lamp {other.id}")],
            )
        lamps.free_endpoint(session, other)
    repository.lock_assets(session)
    assets.check_serial(session, lamp_id, serial)
    held = repository.find_in_force(session, lamp_id)
    order = Order(endpoint, keys, {"serial": serial}, replace=False)
    if held is not None and lamp.endpoint == endpoint and keys.are(held):
        note(session, "lamp", lamp_id, "nothing changed")
        return Enrolled(lamp, created=False, unchanged=True)
    _put_controller(session, lamp, endpoint, credentials)
    _free_sender_id(session, lamp_id, keys, credentials, None, replace=False)
    _add_keys(session, lamp_id, order, credentials)
    lamp.serial = serial
    lamp.provisioned_at_ms = lamp.enrolled_at_ms = lamp.updated_at_ms = now_real_ms
    session.flush()
    return Enrolled(lamp, created=False, unchanged=False)


def check_reach(session: Session, lamp_id: int, city_id: int | None) -> None:
    """Raises `Forbidden` for a lamp of another city."""
    if city_id is not None and not reach.holds(session, city_id, lamp_id):
        raise Forbidden("This controller or asset belongs to a lamp outside the city of this token.", reach.ADVICE)


def revoke(session: Session, lamp_id: int, now_real_ms: int, credentials: Credentials) -> None:
    """Refuse the lamp from now on; it stays in service and waits for new keys. A repeat changes nothing."""
    lamp = lamps.get(session, lamp_id, for_update=True)
    held = repository.find_in_force(session, lamp_id)
    if held is None:
        note(session, "lamp", lamp_id, "no keys to revoke")
        return
    credentials.revoke(session, lamp_id)
    lamp.enrolled_at_ms = lamp.commissioned_at_ms = None
    lamp.updated_at_ms = now_real_ms
    session.flush()
    note(session, "lamp", lamp_id, f"keys revoked of {lamp.endpoint}")


def _put_controller(session: Session, lamp: Lamp, endpoint: str, credentials: Credentials) -> None:
    assert lamp.id is not None
    before = lamp.endpoint
    if before != endpoint:
        credentials.revoke(session, lamp.id)
        if not before.startswith(assets.VACANT):
            note(session, "lamp", lamp.id, f"controller {before} swapped for {endpoint}")
    lamps.put_controller(session, lamp, endpoint)


def _add_keys(session: Session, lamp_id: int, order: Order, credentials: Credentials) -> None:
    keys = order.keys
    give = credentials.add_bootstrap if keys.bootstrap else credentials.add
    try:
        give(session, lamp_id, order.endpoint, keys.sender_id, keys.secret, keys.salt)
    except CredentialInvalid as error:
        field, _, reason = str(error).partition(": ")
        raise BadInput.of(_FIELDS.get(field, "sender_id"), reason or field) from None
    except CredentialConflict as error:
        raise Conflict(str(error), REPLACE, [FieldError(field="sender_id", reason="belongs to another lamp")]) from None


_FIELDS = {"endpoint": "endpoint", "sender id": "sender_id", "secret": "master_secret", "salt": "master_salt"}


def check_place(columns: Mapping[str, Any]) -> None:
    missing = [field for column, field in _PLACE.items() if column not in columns]
    if missing:
        errors = [
            FieldError(field=field, reason="a new lamp needs it: sun and local time come from it") for field in missing
        ]
        raise BadInput("This endpoint is new, and its place is not complete.", errors=errors)


def _check_existing(lamp: Lamp, order: Order, held: Credential | BootstrapAccount | None, *, is_same: bool) -> None:
    """Raises `Conflict` for what nobody may do by mistake, and for what comes too late."""
    newer_ms = lamp.enrolled_at_ms
    if order.made_at_ms is not None and not is_same and newer_ms is not None and newer_ms > order.made_at_ms:
        raise Conflict(
            f"Lamp {lamp.id} got newer keys after this was written.",
            "Nothing is to be done if the newer controller hangs there; else provision this one again.",
            [FieldError(field="endpoint", reason=f"lamp {lamp.id} has newer keys")],
        )
    if order.replace:
        return
    if lamp.retired_at_ms is not None:
        raise Conflict(
            f"Lamp {lamp.id} with this endpoint is retired.",
            "Send replace: true to bring it back into service with these keys.",
            [FieldError(field="endpoint", reason=f"lamp {lamp.id} is retired")],
        )
    if held is None:
        return
    if is_same and held.revoked_real_ms is not None:
        raise Conflict(
            f"These keys of lamp {lamp.id} were revoked.",
            "Provision the controller again, which draws new keys; send replace: true if it was revoked by mistake.",
            [FieldError(field="endpoint", reason=f"these keys of lamp {lamp.id} were revoked")],
        )
    if not is_same and held.revoked_real_ms is None:
        raise Conflict(
            f"Lamp {lamp.id} with this endpoint has other keys.",
            REPLACE,
            [FieldError(field="endpoint", reason=f"lamp {lamp.id} has other keys")],
        )


def _free_sender_id(
    session: Session, lamp_id: int, keys: Keys, credentials: Credentials, city_id: int | None, *, replace: bool
) -> None:
    holder = repository.find_sender(session, keys.sender_id)
    if holder is None or holder.lamp_id == lamp_id:
        return
    if not replace:
        raise Conflict(
            f"The sender id {keys.sender_id.hex()} belongs to lamp {holder.lamp_id}.",
            REPLACE,
            [FieldError(field="sender_id", reason=f"belongs to lamp {holder.lamp_id}")],
        )
    check_reach(session, holder.lamp_id, city_id)
    credentials.revoke(session, holder.lamp_id)
    other = lamps.get(session, holder.lamp_id, for_update=True)
    other.enrolled_at_ms = other.commissioned_at_ms = None
    note(session, "lamp", lamp_id, f"took the sender id of lamp {holder.lamp_id}")
