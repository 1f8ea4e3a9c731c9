"""The text of each chunk as terms are sought in it, so that ranking need not walk through whole documents."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("chunks", sa.Column("plain", sa.Text))


def downgrade() -> None:
    op.drop_column("chunks", "plain")
