"""Every search asks for the newest generation; without an index that reads the whole table."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index("documents_generation", "documents", ["generation"])


def downgrade() -> None:
    op.drop_index("documents_generation", "documents")
