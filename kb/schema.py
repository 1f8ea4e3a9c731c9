"""The SQL tables: the truth about documents. The vector index is made from them and can be made again."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

HEAD = "0007"  # the newest migration in kb/migrations/versions

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
    Column("superseded_by", String(16)),
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

edges = Table(                                  # see kb.references
    "edges",
    metadata,
    Column("document_id", String(16), ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),    # in the order of the text
    Column("article", Integer),                 # position of the article that says it; NULL: title or preamble
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", Text, nullable=False),       # of the document meant; "" this one; of a definition the term
    Column("address", Text),                    # NULL: the whole document
    Column("part", Text, nullable=False, server_default=""),
    Column("target", Integer),                  # position of the article meant, when it is of this document
    Index("edges_name", "name", "address"),
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
