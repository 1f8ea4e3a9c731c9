"""Curation: editors' changes and decisions, audit, answers, FAQs, gaps, cards and jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("edges", sa.Column("method", sa.String(8), nullable=False, server_default="rule"))
    op.add_column("edges", sa.Column("doc_no", sa.Text))
    op.add_column("edges", sa.Column("day", sa.String(10)))
    op.create_index("edges_kind", "edges", ["kind"])
    op.drop_index("edges_name", "edges")
    op.create_index("edges_name", "edges", ["name", "address", "document_id", "number"])
    op.add_column("documents", sa.Column("ended_how", sa.String(16)))
    op.add_column("documents", sa.Column("ended_name", sa.Text))
    op.add_column("documents", sa.Column("parsed", sa.String(16)))
    op.execute("UPDATE documents SET ended_how = 'superseded' WHERE superseded_by IS NOT NULL")
    op.execute("UPDATE documents SET ended_how = 'expired' WHERE superseded_by IS NULL AND in_force_to IS NOT NULL")
    op.execute("DELETE FROM edges")      # made again on opening: an older program read no repeals
    op.execute("DELETE FROM names")
    _edits()
    _rulings()
    _care()
    _audit()
    _answers()
    _answer_sources()
    _feedback()
    _faqs()
    _gaps()
    _gap_questions()
    _clauses()
    _cards()
    _jobs()


def _edits() -> None:
    op.create_table(
        "edits",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("old", sa.Text, nullable=False),
        sa.Column("old_hash", sa.String(16), nullable=False),
        sa.Column("new", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("undone_at", sa.DateTime),
        sa.Column("undone_by", sa.Text),
    )
    op.create_index("edits_source", "edits", ["source"])


def _rulings() -> None:
    op.create_table(
        "rulings",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("day", sa.Date),
        sa.Column("by_name", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("undone_at", sa.DateTime),
        sa.Column("undone_by", sa.Text),
    )
    op.create_index("rulings_source", "rulings", ["source"])


def _care() -> None:
    op.create_table(
        "care",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text),
        sa.Column("review_due", sa.Date),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("audit_action", "audit", ["action"])
    op.create_index("audit_at", "audit", ["at"])
    op.create_index("audit_subject", "audit", ["subject"])


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("commits", sa.Integer, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
    )
    op.create_index("answers_at", "answers", ["at"])


def _answer_sources() -> None:
    op.create_table(
        "answer_sources",
        sa.Column("answer_id", sa.String(32), sa.ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("document_id", sa.String(16), primary_key=True),
    )
    op.create_index("answer_sources_document", "answer_sources", ["document_id"])


def _feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("answer_id", sa.String(32), sa.ForeignKey("answers.id", ondelete="CASCADE"), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("feedback_answer", "feedback", ["answer_id"])


def _faqs() -> None:
    op.create_table(
        "faqs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("similar", sa.Text, nullable=False),
        sa.Column("negative", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("citations", sa.Text, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
        sa.Column("region", sa.String(6)),
        sa.Column("public", sa.Boolean, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("review_due", sa.Date),
        sa.Column("reason", sa.Text),
        sa.Column("changed_at", sa.DateTime, nullable=False),
    )
    op.create_index("faqs_state", "faqs", ["state"])


def _gaps() -> None:
    op.create_table(
        "gaps",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("due", sa.Date),
        sa.Column("opened_at", sa.DateTime, nullable=False),
        sa.Column("closed_at", sa.DateTime),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
    )
    op.create_index("gaps_state", "gaps", ["state"])


def _gap_questions() -> None:
    op.create_table(
        "gap_questions",
        sa.Column("gap_id", sa.String(16), sa.ForeignKey("gaps.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("answer_id", sa.String(32), sa.ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("gap_questions_answer", "gap_questions", ["answer_id"])


def _clauses() -> None:
    op.create_table(
        "clauses",
        sa.Column("document_id", sa.String(16), sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )


def _cards() -> None:
    op.create_table(
        "cards",
        sa.Column("document_id", sa.String(16), sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("start", sa.Integer),
        sa.Column("end", sa.Integer),
        sa.Column("address", sa.Text, nullable=False, server_default=""),
        sa.Column("method", sa.String(8), nullable=False),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("total", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("message", sa.Text, nullable=False, server_default=""),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("started_at", sa.DateTime),
        sa.Column("heartbeat_at", sa.DateTime),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("jobs_state", "jobs", ["state"])


def downgrade() -> None:
    for name in (
        "jobs", "cards", "clauses", "gap_questions", "gaps", "faqs", "feedback", "answer_sources", "answers", "audit",
        "care", "rulings", "edits",
    ):
        op.drop_table(name)
    for name in ("parsed", "ended_name", "ended_how"):
        op.drop_column("documents", name)
    op.drop_index("edges_kind", "edges")
    op.drop_index("edges_name", "edges")
    op.create_index("edges_name", "edges", ["name", "address"])
    for name in ("day", "doc_no", "method"):
        op.drop_column("edges", name)
