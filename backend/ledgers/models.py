"""Tables of ledgers: the key that they are sealed for, and the computers that sign them."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, LargeBinary, String
from sqlmodel import Field, SQLModel

from backend.db import Id, Millis


class SealingKey(SQLModel, table=True):
    """The backend's X25519 key pair: one row, made when it is first asked for."""

    __tablename__ = "enrolment_key"
    __table_args__ = (CheckConstraint("id = 1", name="ck_enrolment_key_one"),)

    id: int = Field(default=1, sa_column=Column(Integer, primary_key=True, autoincrement=False))
    private: bytes = Field(repr=False, sa_column=Column(LargeBinary(32), nullable=False))
    public: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    created_at_ms: int = Field(sa_column=Column(Millis, nullable=False))

    def __repr__(self) -> str:
        return f"SealingKey(public={self.public.hex()})"

    __str__ = __repr__


class Station(SQLModel, table=True):
    """A computer that signs ledgers: its Ed25519 public key. All times are real ms UTC."""

    __tablename__ = "enrolment_station"

    id: int | None = Field(default=None, sa_column=Column(Id, primary_key=True))
    name: str = Field(sa_column=Column(String(120), nullable=False))
    public_key: bytes = Field(sa_column=Column(LargeBinary(32), unique=True, nullable=False))
    city_id: int | None = Field(default=None, sa_column=Column(Id, ForeignKey("zone.id", ondelete="CASCADE")))
    """The city of the token that made it known; its ledgers reach no further."""
    created_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
    created_by: str = Field(sa_column=Column(String(120), nullable=False))
    revoked_at_ms: int | None = Field(default=None, sa_column=Column(Millis))


class TakenEntry(SQLModel, table=True):
    """A line of a ledger that was taken. It is never taken again: keys that were revoked or replaced since do not come
    back with a file that is uploaded once more."""

    __tablename__ = "enrolment_taken"

    digest: bytes = Field(sa_column=Column(LargeBinary(32), primary_key=True))
    lamp_id: int = Field(sa_column=Column(Id, ForeignKey("lamp.id"), nullable=False))
    taken_at_ms: int = Field(sa_column=Column(Millis, nullable=False))
