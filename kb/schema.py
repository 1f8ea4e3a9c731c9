"""The SQL tables: the truth about documents. The vector index is made from them and can be made again."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

HEAD = "0009"  # the newest migration in kb/migrations/versions

metadata = MetaData()

documents = Table(
    "documents",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("source", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("generation", Integer),              # the durable step that published it
    Column("version_key", Text),                # versions of one rule share it; NULL: no versions
    Column("in_force_from", Date),              # derived: facts and neighbouring versions
    Column("in_force_to", Date),                # exclusive
    Column("superseded_by", String(16)),        # the document that ended it: the next version, or what repealed it
    Column("ended_how", String(16)),            # superseded, repealed, expired; NULL: has no end
    Column("ended_name", Text),                 # what repealed it, where no stored document is meant
    Column("index_stale", Boolean, nullable=False, default=False),  # the index holds older dates than this row
    Column("known_from", DateTime),             # UTC; when we published it
    Column("known_to", DateTime),               # UTC; when we took it out
    Column("title", Text, nullable=False),
    Column("doc_no", Text),
    Column("issuer", Text),
    Column("kind", Text),
    Column("rank", Integer, nullable=False),
    Column("level", Text),
    Column("region", String(6)),
    Column("dated", Date),
    Column("published_on", Date),
    Column("effective_from", Date),
    Column("effective_to", Date),
    Column("validity", Text),
    Column("replaces", Text),
    Column("replaced_by", Text),
    Column("public", Boolean, nullable=False),
    Column("phone", Text),
    Column("url", Text),
    Column("text", Text, nullable=False),
    Column("fields", Text),                     # this and the next two: JSON of kb.packed; NULL: empty
    Column("furniture", Text),
    Column("places", Text),
    Column("added", Integer, nullable=False, server_default="0"),   # order of arrival; a later one is newer
    Column("parsed", String(16)),               # the revision as read, of one that editors changed; NULL: this is it
    Index("documents_source", "source"),
    Index("documents_state", "state"),
    Index("documents_generation", "generation"),
    Index("documents_version_key", "version_key"),
    Index("documents_index_stale", "index_stale"),
    Index("documents_added", "added"),
    Index("documents_doc_no", "doc_no"),
)

articles = Table(
    "articles",
    metadata,
    Column("document_id", String(16), ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("ref", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("heading", Text, nullable=False),    # lines, outermost first
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Index("articles_ref", "ref"),
    Index("articles_address", "address", "document_id"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("document_id", String(16), ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("article", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("header_start", Integer),            # NULL: no header rows
    Column("header_end", Integer),
    Column("page", Integer),
    Column("box", Text),                        # JSON: four numbers
    Column("point", String(16), nullable=False, server_default=""),     # in the index; revisions may share it
    Column("plain", Text),                      # its text, half-width, lower case; NULL: of an older program
    Index("chunks_document", "document_id"),
    Index("chunks_point", "point"),
)

sketches = Table(
    "sketches",
    metadata,
    Column("document_id", String(16), ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("text_hash", String(16)),            # of the letters and digits of its articles; NULL: there are none
    Column("title_key", Text),                  # rules that may be versions of each other share it
    Column("sentences", LargeBinary, nullable=False),   # distinct sentence hashes, sorted, four bytes each
    Index("sketches_text_hash", "text_hash"),
    Index("sketches_title_key", "title_key"),
)

bands = Table(                                  # documents that share one are likely to share most sentences
    "bands",
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("document_id", String(16), ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
)

names = Table(                                  # under which a document is cited; every document has one
    "names",
    metadata,
    Column("name", Text, primary_key=True),     # as kb.law_names.name_key writes it
    Column("document_id", String(16), ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Index("names_document", "document_id"),
)

edges = Table(                                  # see kb.graph.references
    "edges",
    metadata,
    Column("document_id", String(16), ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),    # in the order of the text
    Column("article", Integer),                 # position of the article that says it; NULL: title or preamble
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),       # of the document meant, "" this one; else see kb.graph.relations
    Column("address", Text),                    # NULL: the whole document
    Column("part", Text, nullable=False, server_default=""),
    Column("target", Integer),                  # position of the article meant, when it is of this document
    Column("doc_no", Text),                     # of a repealed document, where the text gives it
    Column("day", String(10)),                  # of a repeal, where the text gives one other than its document's start
    Column("method", String(8), nullable=False, server_default="rule"),    # rule, llm
    Index("edges_name", "name", "address", "document_id", "number"),
    Index("edges_kind", "kind"),
)

counters = Table(
    "counters",
    metadata,
    Column("key", String(32), primary_key=True),    # commits: of publishing and withdrawing
    Column("number", Integer, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("source", Text, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("settings", Text, nullable=False),   # what else decides the outcome: limits, state asked for
)

index_facts = Table(
    "index_facts",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

next_points = Table(                            # what the index that a reindex is making holds; see kb.next_index
    "next_points",
    metadata,
    Column("point", String(16), primary_key=True),
    Column("in_force_from", Date),
    Column("in_force_to", Date),
    Column("written", Boolean, nullable=False),     # False: it may be there
)

edits = Table(                                  # what editors changed in a source; see kb.curation.edits
    "edits",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", String(8), nullable=False),  # field, text, split, merge, card
    Column("name", Text, nullable=False),       # of a field; else the address of the article
    Column("old", Text, nullable=False),        # what it replaces, as it was read
    Column("old_hash", String(16), nullable=False),
    Column("new", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", DateTime, nullable=False),     # UTC, as everywhere
    Column("undone_at", DateTime),
    Column("undone_by", Text),
    Index("edits_source", "source"),
)

rulings = Table(                                # editors' decisions on validity; they go before what documents say
    "rulings",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", String(16), nullable=False),     # repealed; in_force: no statement ends it
    Column("day", Date),                        # the first day on which it no longer holds
    Column("by_name", Text),                    # what repealed it
    Column("reason", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("undone_at", DateTime),
    Column("undone_by", Text),
    Index("rulings_source", "source"),
)

care = Table(                                   # who keeps a source true, and when it is to be looked at again
    "care",
    metadata,
    Column("source", Text, primary_key=True),
    Column("owner", Text),
    Column("review_due", Date),
)

audit = Table(                                  # every change and every answer; see kb.log.audit
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", DateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", Text, nullable=False),    # id of what was changed
    Column("detail", Text, nullable=False),     # canonical JSON
    Column("previous", String(64), nullable=False),     # hash of the row before
    Column("hash", String(64), nullable=False),
    Index("audit_subject", "subject"),
    Index("audit_action", "action"),
    Index("audit_at", "at"),
)

answers = Table(
    "answers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("at", DateTime, nullable=False),
    Column("status", String(16), nullable=False),
    Column("question", Text, nullable=False),   # JSON of core.records.Question
    Column("answer", Text, nullable=False),     # JSON of core.records.Answer
    Column("commits", Integer, nullable=False), # of publishing and withdrawing, before it was made
    Column("confidence", Float, nullable=False),
    Index("answers_at", "at"),
)

answer_sources = Table(                         # the revisions that an answer quotes
    "answer_sources",
    metadata,
    Column("answer_id", String(32), ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Column("document_id", String(16), primary_key=True),
    Index("answer_sources_document", "document_id"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("answer_id", String(32), ForeignKey("answers.id", ondelete="CASCADE"), nullable=False),
    Column("verdict", String(16), nullable=False),      # good, wrong, incomplete, outdated
    Column("comment", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", DateTime, nullable=False),
    Index("feedback_answer", "answer_id"),
)

faqs = Table(                                   # standard questions and service guides; see kb.curation.faq
    "faqs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("kind", String(8), nullable=False),  # faq, guide
    Column("state", String(16), nullable=False),        # draft, published, suspended, withdrawn
    Column("question", Text, nullable=False),
    Column("similar", Text, nullable=False),    # this and the next: JSON lists of questions
    Column("negative", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("citations", Text, nullable=False),  # JSON: source, address, quote
    Column("threshold", Float, nullable=False), # from which likeness on it answers directly, 0 to 1
    Column("region", String(6)),
    Column("public", Boolean, nullable=False),
    Column("owner", Text),
    Column("review_due", Date),
    Column("reason", Text),                     # why it is suspended
    Column("changed_at", DateTime, nullable=False),
    Index("faqs_state", "state"),
)

gaps = Table(                                   # what nobody could answer, as tasks; see kb.curation.gaps
    "gaps",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("title", Text, nullable=False),      # the question in the middle
    Column("kind", String(16), nullable=False), # unanswered, low_confidence, disputed
    Column("state", String(16), nullable=False),        # open, closed
    Column("owner", Text),
    Column("due", Date),
    Column("opened_at", DateTime, nullable=False),
    Column("closed_at", DateTime),
    Column("note", Text, nullable=False, server_default=""),
    Index("gaps_state", "state"),
)

gap_questions = Table(
    "gap_questions",
    metadata,
    Column("gap_id", String(16), ForeignKey("gaps.id", ondelete="CASCADE"), primary_key=True),
    Column("answer_id", String(32), ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
    Index("gap_questions_answer", "answer_id"),
)

clauses = Table(                                # that another rule may contradict; see kb.conflicts.clause_rows
    "clauses",
    metadata,
    Column("document_id", String(16), ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("packed", LargeBinary, nullable=False),
)

cards = Table(                                  # 对象 条件 标准 材料 期限 渠道 咨询电话; see kb.curation.cards
    "cards",
    metadata,
    Column("document_id", String(16), ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String(16), nullable=False),
    Column("value", Text, nullable=False),
    Column("start", Integer),                   # span of the document's text; NULL: an editor's own words
    Column("end", Integer),
    Column("address", Text, nullable=False, server_default=""),
    Column("method", String(8), nullable=False),    # rule, editor
)

jobs = Table(                                   # long work; see kb.upkeep.jobs
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("arguments", Text, nullable=False),  # JSON
    Column("state", String(16), nullable=False),    # queued, running, done, failed, cancelled
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger, nullable=False, server_default="0"),
    Column("message", Text, nullable=False, server_default=""),
    Column("who", Text, nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("started_at", DateTime),
    Column("heartbeat_at", DateTime),
    Column("finished_at", DateTime),
    Column("cancel_requested", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Index("jobs_state", "state"),
)

conflicts = Table(                              # as they were last looked for; see kb.conflicts.rows
    "conflicts",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("one_document", String(16), ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("one_start", Integer, nullable=False),
    Column("one_end", Integer, nullable=False),
    Column("one_address", Text, nullable=False),
    Column("other_document", String(16), ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("other_start", Integer, nullable=False),
    Column("other_end", Integer, nullable=False),
    Column("other_address", Text, nullable=False),
    Column("kinds", Text, nullable=False),      # separated by blanks
    Column("decision", Text, nullable=False),   # Chinese: which goes before, or who has to say so
    Index("conflicts_one", "one_document"),
    Index("conflicts_other", "other_document"),
)
