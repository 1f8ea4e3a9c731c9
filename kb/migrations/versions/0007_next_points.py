"""What an index that is being made beside the one that answers holds already."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "next_points",
        sa.Column("point", sa.String(16), primary_key=True),
        sa.Column("in_force_from", sa.Date),
        sa.Column("in_force_to", sa.Date),
        sa.Column("written", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("next_points")
