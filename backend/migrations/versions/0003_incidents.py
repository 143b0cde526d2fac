"""Incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cause", sa.String(length=10), nullable=False),
        sa.Column("scope", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("of_lamps", sa.Integer(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("from_real_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_real_ms", sa.BigInteger(), nullable=False),
        sa.Column("merged_into", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_incident_ended", "incident", ["ended_at_ms"], unique=False)
    op.create_table(
        "lamp_loss",
        sa.Column("lamp_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_real_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_real_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lamp_id"),
    )
    op.create_table(
        "incident_member",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("lamp_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("joined_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("returned_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.PrimaryKeyConstraint("incident_id", "lamp_id"),
    )
    op.create_index(op.f("ix_incident_member_lamp_id"), "incident_member", ["lamp_id"], unique=False)
    op.create_table(
        "incident_note",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incident.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_incident_note_incident_id"), "incident_note", ["incident_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_incident_note_incident_id"), table_name="incident_note")
    op.drop_table("incident_note")
    op.drop_index(op.f("ix_incident_member_lamp_id"), table_name="incident_member")
    op.drop_table("incident_member")
    op.drop_table("lamp_loss")
    op.drop_index("ix_incident_ended", table_name="incident")
    op.drop_table("incident")
