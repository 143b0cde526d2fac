"""SQL of the device server, and the one place that knows dialects (the upsert). Functions take an open connection."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from backend.device_server.models import BootstrapAccount, Credential, Registration

credentials = Credential.__table__  # type: ignore[attr-defined]
bootstraps = BootstrapAccount.__table__  # type: ignore[attr-defined]
registrations = Registration.__table__  # type: ignore[attr-defined]

Row = RowMapping
Find = Callable[[Connection], Row | None]

_HEARD = (
    update(registrations)
    .where(registrations.c.lamp_id == bindparam("b_lamp_id"))
    .values(last_heard_real_ms=bindparam("b_last_heard"), address=bindparam("b_address"))
)


FLEET, BOOTSTRAP, PENDING = "fleet", "bootstrap", "pending"
"""What keys are for: everything but bootstrap; bootstrap only; not used yet, and then instead of those in force."""

_IN_FORCE = credentials.c.revoked_real_ms.is_(None)
_FLEET = select(credentials, literal(FLEET).label("kind")).where(_IN_FORCE)
_WELCOME = bootstraps.c.revoked_real_ms.is_(None)
_BOOTSTRAP = select(bootstraps, literal(BOOTSTRAP).label("kind")).where(_WELCOME)
_PENDING = select(
    bootstraps.c.lamp_id,
    bootstraps.c.endpoint,
    bootstraps.c.pending_sender_id.label("sender_id"),
    bootstraps.c.pending_secret.label("secret"),
    bootstraps.c.pending_salt.label("salt"),
    literal(PENDING).label("kind"),
).where(_WELCOME)


def find_keys(connection: Connection, sender_id: bytes) -> Row | None:
    """The keys with this sender id and their `kind` (indexes, not scans); None for unknown or revoked ones."""
    for query in (
        _FLEET.where(credentials.c.sender_id == sender_id),
        _BOOTSTRAP.where(bootstraps.c.sender_id == sender_id),
        _PENDING.where(bootstraps.c.pending_sender_id == sender_id),
    ):
        row = connection.execute(query).mappings().first()
        if row is not None:
            return row
    return None


def find_keys_by_lamp(connection: Connection, lamp_id: int) -> Row | None:
    """The keys in force of a lamp: none of those of its bootstrap."""
    return connection.execute(_FLEET.where(credentials.c.lamp_id == lamp_id)).mappings().first()


def is_in_force(connection: Connection, lamp_id: int, secret: bytes | None) -> bool:
    """Whether this is the lamp's key (None: any lamp that may come without, in the laboratory mode), and stays it until
    this transaction ends."""
    query = select(credentials.c.secret).where(credentials.c.lamp_id == lamp_id, _IN_FORCE)
    row = connection.execute(query.with_for_update(read=True)).first()
    if secret is not None:
        return row is not None and row[0] == secret
    welcome = select(bootstraps.c.lamp_id).where(bootstraps.c.lamp_id == lamp_id, _WELCOME)
    return row is not None or connection.execute(welcome).first() is not None


def find_lamp_by_endpoint(connection: Connection, endpoint: str) -> int | None:
    """Laboratory mode only: the lamp that an unprotected request names."""
    for query in (
        select(credentials.c.lamp_id).where(credentials.c.endpoint == endpoint, _IN_FORCE),
        select(bootstraps.c.lamp_id).where(bootstraps.c.endpoint == endpoint, _WELCOME),
    ):
        lamp_id = connection.execute(query).scalar()
        if lamp_id is not None:
            return int(lamp_id)
    return None


def reserve_sequence_numbers(
    connection: Connection, lamp_id: int, secret: bytes, count: int, kind: str = FLEET
) -> int | None:
    """Reserve `count` sender sequence numbers; the first of them, or None when the keys were replaced or revoked.
    They belong to the caller when the transaction is committed (RFC 8613, B.1.1)."""
    table = credentials if kind == FLEET else bootstraps
    held = table.c.pending_secret if kind == PENDING else table.c.secret
    statement = (
        update(table)
        .where(table.c.lamp_id == lamp_id, held == secret, table.c.revoked_real_ms.is_(None))
        .values(ssn_reserved=table.c.ssn_reserved + count)
        .returning(table.c.ssn_reserved)
    )
    limit = connection.execute(statement).scalar()
    return None if limit is None else int(limit) - count


def is_sender_id_known(connection: Connection, sender_id: bytes) -> bool:
    """Whether any keys, in force or not, go by this sender id."""
    for query in (
        select(credentials.c.lamp_id).where(credentials.c.sender_id == sender_id),
        select(bootstraps.c.lamp_id).where(
            or_(bootstraps.c.sender_id == sender_id, bootstraps.c.pending_sender_id == sender_id)
        ),
    ):
        if connection.execute(query).first() is not None:
            return True
    return False


def save_pending(connection: Connection, lamp_id: int, secret: bytes, keys: tuple[bytes, bytes, bytes]) -> bool:
    """Keep (sender id, secret, salt) that are to be given to a lamp whose bootstrap goes by `secret`. Returns whether
    this is still so."""
    names = ("pending_sender_id", "pending_secret", "pending_salt")
    statement = (
        update(bootstraps)
        .where(bootstraps.c.lamp_id == lamp_id, bootstraps.c.secret == secret, _WELCOME)
        .values(dict(zip(names, keys, strict=True)))
    )
    return connection.execute(statement).rowcount == 1


def enforce_pending(connection: Connection, lamp_id: int, secret: bytes, now_real_ms: int) -> bool:
    """Put pending keys in force instead of those that the lamp had. Returns whether they were still pending.

    The count of sequence numbers never goes back: it continues at the higher one of both."""
    found = connection.execute(
        select(bootstraps).where(bootstraps.c.lamp_id == lamp_id, bootstraps.c.pending_secret == secret, _WELCOME)
    ).mappings()
    row = found.first()
    if row is None:
        return False
    used = connection.execute(select(credentials.c.ssn_reserved).where(credentials.c.lamp_id == lamp_id)).scalar() or 0
    values = {
        "endpoint": row["endpoint"],
        "sender_id": row["pending_sender_id"],
        "secret": row["pending_secret"],
        "salt": row["pending_salt"],
        "ssn_reserved": max(int(used), int(row["ssn_reserved"])),
        "revoked_real_ms": None,
        "created_real_ms": now_real_ms,
    }
    insert: Any = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    statement = insert(credentials).values(lamp_id=lamp_id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["lamp_id"], set_=values))
    nothing = {"pending_sender_id": None, "pending_secret": None, "pending_salt": None}
    connection.execute(update(bootstraps).where(bootstraps.c.lamp_id == lamp_id).values(nothing))
    return True


def save_registration(connection: Connection, row: Mapping[str, Any]) -> None:
    """Insert the registration of a lamp, or replace the one before it."""
    insert: Any = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    statement = insert(registrations)
    changed = {name: statement.excluded[name] for name in row if name != "lamp_id"}
    connection.execute(statement.on_conflict_do_update(index_elements=["lamp_id"], set_=changed), dict(row))


def update_registration(connection: Connection, lamp_id: int, changes: Mapping[str, Any]) -> None:
    connection.execute(update(registrations).where(registrations.c.lamp_id == lamp_id).values(**changes))


def save_heard(connection: Connection, heard: Sequence[tuple[int, int, str]]) -> None:
    """Write (lamp_id, last heard in real ms, address) of many lamps; one without a registration is passed over.
    In order of lamp_id, so that two writers cannot wait for each other."""
    if heard:
        rows = [{"b_lamp_id": lamp, "b_last_heard": at, "b_address": address} for lamp, at, address in sorted(heard)]
        connection.execute(_HEARD, rows)


def all_registrations(connection: Connection) -> Sequence[Row]:
    """Every registration of a lamp whose credential is in force, with its endpoint and its secret (None: without
    keys)."""
    query = select(registrations, credentials.c.endpoint, credentials.c.secret).join(
        credentials, credentials.c.lamp_id == registrations.c.lamp_id
    )
    return connection.execute(query.where(credentials.c.revoked_real_ms.is_(None))).mappings().all()
