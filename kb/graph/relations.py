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
    ISSUED_BY = "issued_by"      # 发布机关: `name` is the body
    RESPONSIBLE = "responsible"  # 市民政局负责…: `name` is the body, `part` what for
    APPLIES_TO = "applies_to"    # 本办法适用于…: `name` is who or what
    MATERIAL = "material"        # 应当提交下列材料: `name` is the material, `part` the service item
    CONDITION = "condition"      # 应当符合下列条件: `name` is the condition, `part` the service item


@dataclass(frozen=True, slots=True)
class Reference:
    """``document.text[start:end]`` refers to ``address`` of the document called ``name``."""

    article: int | None          # position of the article that says it; None: title or preamble
    start: int
    end: int
    kind: Relation
    name: str                    # of a document as `name_key` writes it, "" this one; else what the kind says
    address: str | None          # 第八条; None: the whole document
    part: str = ""               # 第二款第（三）项, as written
    doc_no: str | None = None    # of a repealed document, with 〔〕; the name as well where the text gives no other
    day: str | None = None       # of a repeal, ISO, where the text gives another than that of the document's own start
