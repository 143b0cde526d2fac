"""The lives of controllers, tokens of a city, and what takes ledgers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "enrolment_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("private", sa.LargeBinary(length=32), nullable=False),
        sa.Column("public", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_enrolment_key_one"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "enrolment_station",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("city_id", _ID, nullable=True),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["city_id"], ["zone.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_key"),
    )
    with op.batch_alter_table("access_token") as batch:
        batch.add_column(sa.Column("city_id", _ID, nullable=True))
        batch.create_foreign_key("fk_access_token_city", "zone", ["city_id"], ["id"], ondelete="CASCADE")
    op.add_column("lamp", sa.Column("serial", sa.String(length=120), server_default=sa.text("''"), nullable=False))
    for name in ("provisioned_at_ms", "enrolled_at_ms", "commissioned_at_ms"):
        op.add_column("lamp", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_index("ix_lamp_asset", "lamp", ["asset_id"], unique=False)
    # Lamps of before: they were enrolled when their keys were written, and commissioned by what is known of them.
    held = "FROM device_credential c WHERE c.lamp_id = lamp.id AND c.revoked_real_ms IS NULL AND c.secret IS NOT NULL"
    op.execute(f"UPDATE lamp SET enrolled_at_ms = (SELECT c.created_real_ms {held})")
    op.execute(
        "UPDATE lamp SET provisioned_at_ms = enrolled_at_ms, commissioned_at_ms = "
        "(SELECT r.registered_real_ms FROM device_registration r WHERE r.lamp_id = lamp.id) "
        "WHERE enrolled_at_ms IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_index("ix_lamp_asset", table_name="lamp")
    for name in ("commissioned_at_ms", "enrolled_at_ms", "provisioned_at_ms", "serial"):
        op.drop_column("lamp", name)
    with op.batch_alter_table("access_token") as batch:
        batch.drop_constraint("fk_access_token_city", type_="foreignkey")
        batch.drop_column("city_id")
    op.drop_table("enrolment_station")
    op.drop_table("enrolment_key")
