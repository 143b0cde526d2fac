"""SQL of the device server, and the one place that knows dialects (the upsert). Functions take an open connection."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from backend.device_server.models import Credential, Registration

credentials = Credential.__table__  # type: ignore[attr-defined]
registrations = Registration.__table__  # type: ignore[attr-defined]

Row = RowMapping
Find = Callable[[Connection], Row | None]

_HEARD = (
    update(registrations)
    .where(registrations.c.lamp_id == bindparam("b_lamp_id"))
    .values(last_heard_real_ms=bindparam("b_last_heard"), address=bindparam("b_address"))
)


def find_credential(connection: Connection, sender_id: bytes) -> Row | None:
    """The credential in force with this sender id (an index, not a scan)."""
    query = select(credentials).where(credentials.c.sender_id == sender_id, credentials.c.revoked_real_ms.is_(None))
    return connection.execute(query).mappings().first()


def find_credential_by_lamp(connection: Connection, lamp_id: int) -> Row | None:
    query = select(credentials).where(credentials.c.lamp_id == lamp_id, credentials.c.revoked_real_ms.is_(None))
    return connection.execute(query).mappings().first()


def find_lamp_by_endpoint(connection: Connection, endpoint: str) -> int | None:
    """Laboratory mode only: the lamp that an unprotected request names."""
    query = select(credentials.c.lamp_id).where(
        credentials.c.endpoint == endpoint, credentials.c.revoked_real_ms.is_(None)
    )
    return connection.execute(query).scalar()


def reserve_sequence_numbers(connection: Connection, lamp_id: int, secret: bytes, count: int) -> int | None:
    """Reserve `count` sender sequence numbers; the first of them, or None when the credential was replaced or revoked.
    They belong to the caller when the transaction is committed (RFC 8613, B.1.1)."""
    statement = (
        update(credentials)
        .where(
            credentials.c.lamp_id == lamp_id,
            credentials.c.secret == secret,
            credentials.c.revoked_real_ms.is_(None),
        )
        .values(ssn_reserved=credentials.c.ssn_reserved + count)
        .returning(credentials.c.ssn_reserved)
    )
    limit = connection.execute(statement).scalar()
    return None if limit is None else int(limit) - count


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
