"""What one document says of another thing: the kinds of relation, and the record of one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Relation(StrEnum):
    """What a reference is for."""

    CITES = "cites"
    BASIS = "basis"              # 根据《…》制定
    AMENDS = "amends"            # 将《…》第八条修改为, and a repealed part without address: 《…》中有关…的规定
    IMPLEMENTS = "implements"    # by the title: 《…实施细则》
    DEFINES = "defines"          # 本法所称…，是指
    REPEALS = "repeals"          # 《…》同时废止
    SUPERSEDES = "supersedes"    # 本办法取代《…》
    PREVAILS = "prevails"        # 《…》与本办法不一致的，以本办法为准: the other one goes on to hold


@dataclass(frozen=True, slots=True)
class Reference:
    """``document.text[start:end]`` refers to ``address`` of the document called ``name``."""

    article: int | None          # position of the article that says it; None: title or preamble
    start: int
    end: int
    kind: Relation
    name: str                    # as `name_key` writes it; "" this document; of a definition the term
    address: str | None          # 第八条; None: the whole document
    part: str = ""               # 第二款第（三）项, as written
    doc_no: str | None = None    # of a repealed document, with 〔〕; the name as well where the text gives no other
    day: str | None = None       # of a repeal, ISO, where the text gives another than that of the document's own start
