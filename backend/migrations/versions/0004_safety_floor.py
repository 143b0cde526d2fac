"""The safety floor that a lamp reports."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lamp_state", sa.Column("safety_floor", sa.SmallInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("lamp_state", "safety_floor")
