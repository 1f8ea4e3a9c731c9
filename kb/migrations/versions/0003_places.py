"""Where chunks and lines stand on paper, official fields with their spans, and what was taken out of the text."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_DOCUMENTS = ("level", "fields", "furniture", "places")
_CHUNKS = (("header_start", sa.Integer), ("header_end", sa.Integer), ("page", sa.Integer), ("box", sa.Text))


def upgrade() -> None:
    for name in _DOCUMENTS:
        op.add_column("documents", sa.Column(name, sa.Text))
    op.add_column("chunks", sa.Column("address", sa.Text, nullable=False, server_default=""))
    for name, kind in _CHUNKS:
        op.add_column("chunks", sa.Column(name, kind))


def downgrade() -> None:
    for name in ("address", *(name for name, _ in _CHUNKS)):
        op.drop_column("chunks", name)
    for name in _DOCUMENTS:
        op.drop_column("documents", name)
