"""Tables of the device server: who may speak (`Credential`), who may ask for keys (`BootstrapAccount`), and who is
registered (`Registration`).

A lamp is named by `lamp_id`, the key of the domain's own table. There is no foreign key to it: this package knows no
domain (docs/architecture.md), and the domain adds and revokes credentials in its own transaction.
"""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text
from sqlmodel import Field, SQLModel

LAMP_ID = BigInteger().with_variant(Integer, "sqlite")


class Credential(SQLModel, table=True):
    """The OSCORE input parameters of one lamp (RFC 8613, 3.2). A lamp without keys is a laboratory lamp."""

    __tablename__ = "device_credential"

    lamp_id: int = Field(sa_column=Column(LAMP_ID, primary_key=True, autoincrement=False))
    endpoint: str = Field(sa_column=Column(String(190), unique=True, nullable=False))
    sender_id: bytes | None = Field(default=None, sa_column=Column(LargeBinary(7), unique=True))
    """The lamp's sender id: what it sends as key id."""
    secret: bytes | None = Field(default=None, repr=False, sa_column=Column(LargeBinary(64)))
    salt: bytes = Field(default=b"", repr=False, sa_column=Column(LargeBinary(64), nullable=False))
    ssn_reserved: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """The server's sender sequence numbers below this one may have been used (RFC 8613, B.1.1)."""
    revoked_real_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    created_real_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))

    def __repr__(self) -> str:
        return f"Credential(lamp_id={self.lamp_id}, endpoint={self.endpoint!r})"

    __str__ = __repr__


class BootstrapAccount(SQLModel, table=True):
    """The keys with which a lamp may ask for the keys of its credential, and those that it was given and has not used
    yet (`pending`): they take the place of the credential when it proves that it has them."""

    __tablename__ = "device_bootstrap"

    lamp_id: int = Field(sa_column=Column(LAMP_ID, primary_key=True, autoincrement=False))
    endpoint: str = Field(sa_column=Column(String(190), unique=True, nullable=False))
    sender_id: bytes = Field(sa_column=Column(LargeBinary(7), unique=True, nullable=False))
    secret: bytes = Field(repr=False, sa_column=Column(LargeBinary(64), nullable=False))
    salt: bytes = Field(default=b"", repr=False, sa_column=Column(LargeBinary(64), nullable=False))
    ssn_reserved: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """As in `Credential`, for both keys: each number is used with one of them at most."""
    pending_sender_id: bytes | None = Field(default=None, sa_column=Column(LargeBinary(7), unique=True))
    pending_secret: bytes | None = Field(default=None, repr=False, sa_column=Column(LargeBinary(64)))
    pending_salt: bytes | None = Field(default=None, repr=False, sa_column=Column(LargeBinary(64)))
    revoked_real_ms: int | None = Field(default=None, sa_column=Column(BigInteger))
    created_real_ms: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))

    def __repr__(self) -> str:
        return f"BootstrapAccount(lamp_id={self.lamp_id}, endpoint={self.endpoint!r})"

    __str__ = __repr__


class Registration(SQLModel, table=True):
    """The last registration of a lamp, and when and from where it was last heard; real time, not lighting time."""

    __tablename__ = "device_registration"

    lamp_id: int = Field(sa_column=Column(LAMP_ID, primary_key=True, autoincrement=False))
    location: str = Field(sa_column=Column(String(32), unique=True, nullable=False))
    """The opaque last part of `rd/<location>`."""
    active: bool = True
    """False after a de-registration: a planned stop, not a fault."""
    address: str = Field(sa_column=Column(String(80), nullable=False))
    lifetime_s: int
    lwm2m_version: str = Field(sa_column=Column(String(8), nullable=False))
    binding: str = Field(sa_column=Column(String(8), nullable=False))
    objects: str = Field(sa_column=Column(Text, nullable=False))
    """The link-format body as it was sent."""
    registered_real_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_heard_real_ms: int = Field(sa_column=Column(BigInteger, nullable=False))
