"""The data model: one frozen record per kind of thing, and nothing else.

Offsets are in characters of ``Document.text``. Dates are `datetime.date`; a start of ``None`` means
"since always", an end of ``None`` "until further notice". A region is a six-digit 区划代码; ``None``
means the whole country.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum


class Rank(IntEnum):
    """效力级别: the smaller, the higher. Gaps leave room for ranks a city may add."""

    CONSTITUTION = 10
    LAW = 20
    ADMINISTRATIVE_REGULATION = 30
    JUDICIAL_INTERPRETATION = 35
    LOCAL_REGULATION = 40
    DEPARTMENT_RULE = 50
    LOCAL_RULE = 55
    NORMATIVE_DOCUMENT = 60
    GUIDE = 70
    FAQ = 75
    OTHER = 90


RANK_NAMES: dict[str, Rank] = {
    "宪法": Rank.CONSTITUTION,
    "法律": Rank.LAW,
    "行政法规": Rank.ADMINISTRATIVE_REGULATION,
    "司法解释": Rank.JUDICIAL_INTERPRETATION,
    "地方性法规": Rank.LOCAL_REGULATION,
    "部门规章": Rank.DEPARTMENT_RULE,
    "政府规章": Rank.LOCAL_RULE,
    "规范性文件": Rank.NORMATIVE_DOCUMENT,
    "办事指南": Rank.GUIDE,
    "常见问题": Rank.FAQ,
    "其他": Rank.OTHER,
}


class State(StrEnum):
    """Where a document stands in its life. Only PUBLISHED can be found."""

    DRAFT = "draft"
    REVIEW = "review"            # handed in, waits for somebody who approves it
    STAGED = "staged"
    PUBLISHED = "published"
    REMOVED = "removed"          # replaced by a newer revision, or withdrawn
    PARSED = "parsed"            # as it was read; a revision that editors changed stands for it


class Ended(StrEnum):
    """Why a document does not hold any more."""

    SUPERSEDED = "superseded"    # a later version of the same rule: 已修改
    REPEALED = "repealed"        # another document, its source or an editor says so: 已废止
    EXPIRED = "expired"          # its own term: 失效


class Validity(StrEnum):
    """有效性 on a day, as it is shown."""

    COMING = "尚未生效"
    IN_FORCE = "现行有效"
    AMENDED = "已修改"
    REPEALED = "已废止"
    EXPIRED = "失效"


_AFTER = {
    Ended.SUPERSEDED: Validity.AMENDED, Ended.REPEALED: Validity.REPEALED, Ended.EXPIRED: Validity.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Facts:
    """The official fields of a document, named after the row that government sites show."""

    title: str                              # 标题
    doc_no: str | None = None               # 发文字号, brackets normalised to 〔〕
    issuer: str | None = None               # 发文机关
    kind: str | None = None                 # 文种
    rank: Rank = Rank.OTHER                 # 效力级别
    level: str | None = None                # 行政层级: 国家 / 省 / 市 / 县 / 乡, of the issuer
    region: str | None = None               # 适用区域
    dated: date | None = None               # 成文日期, or the date of this version
    published_on: date | None = None        # 发布日期
    effective_from: date | None = None      # 施行日期
    effective_to: date | None = None        # 失效日期: the first day on which it no longer holds
    validity: str | None = None             # 有效性 as the source states it
    replaces: str | None = None             # 替代
    replaced_by: str | None = None          # 被替代
    public: bool = True                     # 公开属性
    phone: str | None = None                # 咨询电话
    url: str | None = None                  # 来源


@dataclass(frozen=True, slots=True)
class Article:
    """The smallest part that is cited: ``document.text[start:end]`` is its text without its label."""

    ref: str                     # the source's own id, else ``title@date#address``; unique per base
    address: str                 # 第八条 / 三（二） / 办理材料 / 问3
    heading: tuple[str, ...]     # outermost first: ("第二章 补贴标准",)
    start: int
    end: int


Box = tuple[float, float, float, float]    # x0, y0, x1, y1 in points (1/72 inch) from the top left corner of the page


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is indexed: an article, or a run of paragraphs or table rows of a long one. Never spans two articles."""

    id: str                      # first 16 hex digits of sha256 over document id, start and end
    document_id: str
    article: int                 # position in ``Document.articles``
    start: int
    end: int
    address: str = ""            # of the article, with the 款 and 项 where it is divided: 第八条第二款第（三）项
    header: tuple[int, int] | None = None   # span of the table's header rows, which are indexed with these rows
    page: int | None = None      # on which it begins, from 1
    box: Box | None = None       # around its part on that page


@dataclass(frozen=True, slots=True)
class Furniture:
    """A piece of the text that no chunk holds: ``document.text[start:end]``.

    Chunks and furniture together cover the text exactly once. What was taken out of the running text (page
    headers, page numbers, site navigation) stands after it, at the end of the text.
    """

    kind: str                    # front_matter title heading label blank header footer page_number watermark navigation
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run of the text stands on paper: ``document.text[start:end]`` lies in ``box`` of ``page``."""

    start: int
    end: int
    page: int                    # from 1
    box: Box


@dataclass(frozen=True, slots=True)
class OfficialField:
    """One statement of a document about itself, and where it was read."""

    name: str                    # as in DOMAIN: 标题 发文机关 发文字号 主送机关 成文日期 … 依据 废止 修改
    value: str                   # normalised: dates as ISO, 发文字号 with 〔〕; a list field has one entry per value
    start: int | None            # span of the text; None when it comes from the file's name, its page or its row
    end: int | None
    confidence: float            # 0 to 1


@dataclass(frozen=True, slots=True)
class Document:
    """One revision of one document. Equal content gives an equal id."""

    id: str                      # first 16 hex digits of sha256 over facts, text and articles
    facts: Facts
    text: str
    articles: tuple[Article, ...]
    chunks: tuple[Chunk, ...]
    source: str                  # path, ``archive.zip!/member`` or ``file.jsonl#docid``
    fields: tuple[OfficialField, ...] = ()
    furniture: tuple[Furniture, ...] = ()
    places: tuple[Place, ...] = ()           # empty for a text without pages


class EditKind(StrEnum):
    """What an editor changes of a document as it was read."""

    FIELD = "field"              # an official field
    TEXT = "text"                # the words of an article
    SPLIT = "split"              # a chunk becomes two
    MERGE = "merge"              # two neighbouring chunks of an article become one
    CARD = "card"                # a line of its policy card


@dataclass(frozen=True, slots=True)
class EditorChange:
    """A change anchored to what it replaces, so that it outlives a new reading of its source."""

    kind: EditKind
    name: str                    # of a field of `Facts` or of a card; else the article's address; its second: 第八条(2)
    old: str                     # what it replaces: the field's value as JSON, the article's text, the chunks' text
    new: str                     # the field's value as JSON, the article's new text; split: the second chunk's text


@dataclass(frozen=True, slots=True)
class Corrected:
    """A document with its editors' changes, and as it was read."""

    document: Document
    parsed: Document
    conflicts: tuple[EditorChange, ...]      # what they replace is not there any more


@dataclass(frozen=True, slots=True)
class StoredEdit:
    """A change with who made it and when."""

    number: int
    source: str
    change: EditorChange
    who: str
    at: datetime                 # this and the next: UTC
    undone_at: datetime | None
    undone_by: str | None


class Reject(StrEnum):
    """Why an input was not ingested; stable codes for programs, beside the Chinese reason for people."""

    UNKNOWN_TYPE = "unknown_type"
    EMPTY = "empty"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    NEEDS_OCR = "needs_ocr"
    CLASSIFIED = "classified"
    TOO_LARGE = "too_large"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    UNSAFE_ARCHIVE = "unsafe_archive"
    MISSING_TOOL = "missing_tool"
    BAD_ENCODING = "bad_encoding"
    BAD_FIELD = "bad_field"      # front matter or a JSON line that an editor has to correct
    UNREADABLE = "unreadable"    # the file system refused


@dataclass(frozen=True, slots=True)
class Skipped:
    """An input, or a part of one, that was not ingested."""

    place: str                   # file, ``archive!/member``, ``file:line`` or ``file#page``
    reason: str                  # what was found, what was expected, what to do
    failed: bool = True          # False: left out on purpose, such as a picture in a folder
    code: Reject = Reject.UNREADABLE


@dataclass(frozen=True, slots=True)
class FileRead:
    """Everything in one file, or one member of an archive, has been handed over."""

    source: str
    sha256: str
    unchanged: bool = False      # the same bytes were ingested before, so the file was not read again
    failed: bool = False         # something in it was skipped: read it again next time
    kind: str = ""               # true type: pdf, docx, …
    pages: int = 0
    unread_pages: tuple[int, ...] = ()    # pages whose text is missing: the rest was ingested


class Outcome(StrEnum):
    """How one file of an ingest ended."""

    INDEXED = "indexed"
    PARTIAL = "partial"          # some pages, lines or attachments are missing; the rest was ingested
    UNCHANGED = "unchanged"      # the same bytes as before: not read again
    REJECTED = "rejected"
    LEFT_OUT = "left_out"        # of a type that holds no document, such as a program, in a folder or archive


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """One row of the table an ingest ends with."""

    source: str
    outcome: Outcome
    kind: str = ""               # true type: pdf, docx, …
    code: Reject | None = None   # of the first problem
    reasons: tuple[str, ...] = ()
    documents: int = 0
    articles: int = 0
    pages: int = 0
    unread_pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RevisionChange:
    """A published document whose text was replaced by a newer one of the same source."""

    source: str
    title: str                   # of the new one
    old: str                     # document ids
    new: str
    added: tuple[str, ...]       # addresses in the new one
    changed: tuple[str, ...]     # addresses in the new one, whose text or heading is another
    removed: tuple[str, ...]     # addresses in the old one
    unchanged: int               # articles


class Likeness(StrEnum):
    """How a document is related to another one that is known already."""

    SAME_TEXT = "same_text"      # equal but for white space and punctuation
    SAME_NUMBER = "same_number"  # the same 发文字号 from another place
    VERSION = "version"          # the neighbouring version of the same rule
    NEAR = "near"                # most sentences are shared


@dataclass(frozen=True, slots=True)
class Duplicate:
    """``document`` is related to ``of``, which came before. For the editor; nothing follows from it."""

    document: str                # document id; the same as ``of`` when the same content came from another place
    of: str
    kind: Likeness
    similarity: float            # shared sentences over all sentences of the two, 0 to 1
    source: str                  # of ``document``
    of_source: str


@dataclass(frozen=True, slots=True)
class Held:
    """A new revision that stays a draft, because what editors had changed reads otherwise in it."""

    source: str
    document: str                # id of the draft
    conflicts: tuple[EditorChange, ...]


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one ingest run did."""

    documents: int               # new ones
    articles: int                # of the new documents
    chunks: int
    unchanged_documents: int     # read, and there already
    unchanged_files: int         # not read again, since their bytes are known
    replaced: int                # earlier revisions taken out by this run
    skipped: tuple[Skipped, ...]
    seconds: float
    files: tuple[FileOutcome, ...] = ()
    revisions: tuple[RevisionChange, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    held: tuple[Held, ...] = ()
    written_points: int = 0      # encoded and written to the index; unchanged articles keep theirs

    @property
    def failed(self) -> bool:
        return any(item.failed for item in self.skipped)


class Change(StrEnum):
    """What became of an article."""

    UNCHANGED = "unchanged"      # same address, same text
    CHANGED = "changed"          # another text, perhaps under another address, too
    MOVED = "moved"              # same text under another address
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Edit:
    """``old_text[old_start:old_end]`` became ``new_text[new_start:new_end]``; one of them may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """One row of a comparison. What is not there is empty."""

    kind: Change
    old_address: str
    new_address: str
    old_text: str
    new_text: str
    edits: tuple[Edit, ...] = ()     # of a changed one, in order


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two documents article by article, in the order of the new one; removed ones stand where they were."""

    old: str                     # document ids
    new: str
    rows: tuple[ArticleChange, ...]


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document's row: its facts and where it stands, without its text."""

    id: str
    facts: Facts
    source: str
    state: State
    in_force_from: date | None   # derived from the facts and the neighbouring versions
    in_force_to: date | None     # exclusive
    superseded_by: str | None    # id of what ended it: the next version, or the document that repealed it
    ended_how: Ended | None = None
    ended_name: str | None = None    # title of what repealed it, where that is not stored

    def in_force(self, day: date) -> bool:
        return self.validity(day) is Validity.IN_FORCE

    def validity(self, day: date) -> Validity:
        if self.in_force_to is not None and day >= self.in_force_to:
            return _AFTER[self.ended_how or Ended.EXPIRED]
        started = self.in_force_from is None or self.in_force_from <= day
        return Validity.IN_FORCE if started else Validity.COMING


@dataclass(frozen=True, slots=True)
class Hit:
    """A found article, best chunk first."""

    ref: str
    score: float
    address: str
    heading: tuple[str, ...]
    text: str                    # of the whole article
    start: int
    end: int
    document: StoredDocument
    chunk: tuple[int, int]       # start and end of its best chunk, in its document's text
    scores: tuple[tuple[str, float], ...] = ()   # of each stage, where an explanation was asked for


@dataclass(frozen=True, slots=True)
class SearchStages:
    """Which steps of a search are taken, where the configuration has them; for measuring what each is worth."""

    terms: bool = True           # official terms for everyday words
    dense: bool = True           # a second list by meaning
    graph: bool = True           # what the first ones refer to
    rerank: bool = True


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What may be found. Every condition is applied inside the store's query."""

    top: int = 10
    regions: tuple[str | None, ...] | None = None   # None: every region; a member None: national rules
    as_of: date | None = None                       # None: in force or not
    public_only: bool = False
    ranks: tuple[Rank, ...] | None = None


class Role(StrEnum):
    """Who asks. A citizen sees public documents only."""

    AGENT = "agent"
    CITIZEN = "citizen"


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said before, and what it was understood as."""

    text: str
    asked: str = ""              # said in full; empty: as ``text`` says it
    choices: tuple[str, ...] = ()    # offered by the answer, which asked back

    @property
    def full(self) -> str:
        return self.asked or self.text


@dataclass(frozen=True, slots=True)
class Question:
    """One question with what it is asked about."""

    text: str
    region: str | None = None    # 区划代码 of the asker; None: the configured home region, else everywhere
    national: bool = False       # only the country's own rules
    as_of: date | None = None    # None: today
    role: Role = Role.AGENT
    history: tuple[Turn, ...] = ()   # of the conversation, oldest first


class Status(StrEnum):
    """How an answer ended."""

    ANSWERED = "answered"
    PARTIAL = "partial"
    NO_EVIDENCE = "no_evidence"
    CLARIFY = "clarify"
    OUT_OF_SCOPE = "out_of_scope"
    UNSAFE = "unsafe"
    EXPIRED = "expired"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence comes from: ``text of document[start:end] == quote``, character for character."""

    n: int
    document: str                # document id
    doc_no: str | None
    title: str
    article: str                 # address
    ref: str
    quote: str
    start: int
    end: int
    page: int | None
    box: Box | None
    in_force: bool
    url: str | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer with the numbers of the citations that carry it."""

    text: str
    citations: tuple[int, ...]
    label: str = ""              # what it tells, such as 对象 and 材料 of a policy; empty: the answer itself


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one question; the JSON of ``policydesk ask --json`` has these fields."""

    status: Status
    text: str
    made_by: str                               # "extract", or the name of a model
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    route: str | None = None                   # where to go when refused
    notices: tuple[str, ...] = ()
    timings_ms: tuple[tuple[str, float], ...] = ()
    ai_label: str = ""
    id: str = ""                               # under which it is kept; empty: it could not be written down
    asked: str = ""                            # the question said in full, where earlier turns say a part of it
    choices: tuple[str, ...] = ()              # to reply with, where the answer asks back
    script: tuple[Sentence, ...] = ()          # 话术: what an agent may read aloud; these three by a model only
    ask_next: tuple[str, ...] = ()             # 追问: what an agent may ask the caller
    keywords: tuple[str, ...] = ()             # of the sentences and the script, to be marked
    prompt: str = ""                           # version of what the model was told
    confidence: float = 0.0                    # that the quotes answer, 0 to 1 (docs/answers_quality.md); of an entry
                                               # that answers directly how alike the questions are


class Verdict(StrEnum):
    """What somebody says of an answer."""

    GOOD = "good"
    WRONG = "wrong"
    INCOMPLETE = "incomplete"
    OUTDATED = "outdated"
