"""Keys with which a lamp asks for its keys."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_bootstrap",
        sa.Column("lamp_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.String(length=190), nullable=False),
        sa.Column("sender_id", sa.LargeBinary(length=7), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=64), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=64), nullable=False),
        sa.Column("ssn_reserved", sa.BigInteger(), nullable=False),
        sa.Column("pending_sender_id", sa.LargeBinary(length=7), nullable=True),
        sa.Column("pending_secret", sa.LargeBinary(length=64), nullable=True),
        sa.Column("pending_salt", sa.LargeBinary(length=64), nullable=True),
        sa.Column("revoked_real_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_real_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lamp_id"),
        sa.UniqueConstraint("endpoint"),
        sa.UniqueConstraint("pending_sender_id"),
        sa.UniqueConstraint("sender_id"),
    )


def downgrade() -> None:
    op.drop_table("device_bootstrap")
