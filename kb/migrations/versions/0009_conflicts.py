"""Conflicts between rules, as they were last found."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "conflicts",
        sa.Column("id", sa.String(16), primary_key=True),
        *(column for side in ("one", "other") for column in (
            sa.Column(
                f"{side}_document", sa.String(16), sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False
            ),
            sa.Column(f"{side}_start", sa.Integer, nullable=False),
            sa.Column(f"{side}_end", sa.Integer, nullable=False),
            sa.Column(f"{side}_address", sa.Text, nullable=False),
        )),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
    )
    op.create_index("conflicts_one", "conflicts", ["one_document"])
    op.create_index("conflicts_other", "conflicts", ["other_document"])


def downgrade() -> None:
    op.drop_table("conflicts")
