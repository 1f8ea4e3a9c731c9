"""What articles say of other articles, read by rules: citations, grounds, amendments, implemented laws, definitions.

A reference is kept by the name that the text gives; which document that is, is settled when somebody asks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.numerals import chinese_number, number
from core.records import Article, Document
from kb.graph.definitions import defined_terms
from kb.graph.relations import Reference, Relation
from kb.graph.repeals import ended
from kb.law_names import LAW_ENDINGS, bare_name, declared_names, implemented, is_document_name, name_key

__all__ = ["Reference", "Relation", "references"]


@dataclass(frozen=True, slots=True)
class _Title:
    """A name in 《》."""

    start: int
    end: int
    name: str


@dataclass(frozen=True, slots=True)
class _Item:
    """One 第八条第二款 of a list, or the articles of a range."""

    start: int
    end: int
    addresses: tuple[str, ...]
    part: str


@dataclass(frozen=True, slots=True)
class _Source:
    """What is known of the whole document before its articles are read."""

    text: str
    key: str
    names: Mapping[str, str]     # how the document calls others -> their names
    kinds: Mapping[str, str]     # 办法 -> the one that the title names, for 《办法》第八条
    numbered: tuple[str, ...]    # 第八条 or "", by position
    amended: str | None          # what an amending document amends; "" where the title says none or several
    restated: str                # what an order says it amends, whose title does not say so; "" none
    interprets: bool             # 司法解释: a bare 第八条 may belong to the law it has just named
    offences: str                # the law whose articles a list of 罪名 gives bare
    unsplit: bool                # a rule of which no article is known by its number


_N = r"(?:[一二三四五六七八九十百千零〇两]{1,9}|\d{1,4})"
_JOIN = r"(?:、|，|,|和|及|与|或者|或|以及|至|到|－|—|-|~)"
_ORDINAL = rf"(?:[（(]{_N}[）)]|{_N})"
_PART = rf"第{_ORDINAL}(?:{_JOIN}第?{_ORDINAL})*[款项目](?:之{_N})?"
_PARTS = rf"(?:{_PART}(?:(?:{_JOIN}|中的?|的)?\s?{_PART})*)"
_ITEM = rf"第({_N}(?:(?:、|和|及|至|到|-|—)第?{_N})*)条(之{_N})?({_PARTS})?"
_BARE_ITEM = rf"(?:第|(?<=、)(?!第))({_N}(?:(?:、|和|及|至|到|-|—)第?{_N})*)条(之{_N})?({_PARTS})?"      # 第八条、九条
_LIST = re.compile(rf"{_ITEM}(?:\s?{_JOIN}\s?{_BARE_ITEM})*")
_ONE = re.compile(rf"({_JOIN})?\s?{_BARE_ITEM}")
_NUMBERS = re.compile(rf"({_N})|([至到—-])")
_RANGE = frozenset("至到－—-~")
_LONGEST_RANGE = 200
_HIGHEST = 2000              # no law has so many articles; 第2020条 is a year that went wrong

_TITLE = re.compile(r"《((?:[^《》\n]|《[^《》\n]*》){2,120})》")
_QUOTE = re.compile(r"“[^“”]*(?:“[^“”]*”[^“”]*)*”")
_INSIDE = rf"(?:总则|分则|附则|第{_N}[编章节分]+[、和]?)*"
_AFTER_NAME = re.compile(
    rf"(?:\s?[（(](?:[^（）()]|[（(][^（）()]*[）)]){{0,80}}[）)])?(?:的|中的?|之)?{_INSIDE}"
)
_SELF = re.compile(
    r"(?<![基资日样文])本(?:实施|暂行|若干|试行|施行|补充|议事|处罚|管理|具体|适用)?"
    r"(?:法典|法|条例|办法|规定|细则|规则|解释|决定|章程|制度|标准|准则|规程|通则|安排|批复|意见|规范|方案|通知|决议|[章节])"
    rf"(?:的|中的?)?{_INSIDE}$"
)
_SAID = re.compile(rf"(?:该|(?<!合)同|前述|上述)(?:法典|法|条例|办法|规定|细则|规则|解释|决定)(?:的|中的?)?{_INSIDE}$")
_HAN_BEFORE = re.compile(rf"([\u4e00-\u9fff]{{2,40}}?)(?:的|中的?)?{_INSIDE}$")
_ELSEWHERE = re.compile(
    r"(?:合同|协议|公约|协定|条约|议定书|附件|附录|附表|章程|通知|文件|意见|规定|办法|规则|解释|[法例]|宪章|安排|》|”)的?$"
)
_JOINED = re.compile(r"[^。；;\n]{0,60}?(?:、|和|及|与|或者|或|以及)")
_EARLIER = re.compile(rf"(?<![以之此从目当提向])前({_N})?条(?![件例约款目])({_PARTS})?")
_THIS = re.compile(rf"(?<![基资])本条(?![例约文件款])({_PARTS})?")
_SHORT_FOR = re.compile(r"称(?:为|：|:)?\s?[“\"‘]?$")

_FOUNDED = re.compile(r"制[定订](?:本|如下|以下)|[解通批规决复]\w如下")
_GROUND = re.compile(r"根据|依据|依照|按照|遵照|贯彻|落实")
_PLAIN_LAW = re.compile(
    r"(?<!《)(?:中华人民共和国)?宪法(?![》第规])"
    r"|(?<!《)中华人民共和国[\u4e00-\u9fff]{1,20}?(?:法|条例)(?=[，、。和及与的等（])"
)
_AMENDING = re.compile(r"修正案|修[改正].*决定|修改部分|决定.*修[改正]")
_AMENDED = re.compile(r"修[改正订]《((?:[^《》]|《[^《》]*》)+)》")
_RESTATED = re.compile(
    r"对[^《》。；]{0,60}《((?:[^《》]|《[^《》]*》)+)》[^《》。；]{0,40}作(?:出)?(?:如下|以下)修[改订]"
)
_CHANGED = re.compile(r"(?:将|删去|删除|作为|改为|在)$")
_HEAD = 1500                 # characters in which an order tells what it amends
_SEVERAL = re.compile(r"》等|[两二三四五六七八九十百\d]+[件部个项]")
_RULES = ("条例", "办法", "规定", "细则", "规则")
_BREAKS = " \u3000\n。：”"         # after which an article may begin
_GOES_ON = re.compile(
    r"\s?(?:[的所中和、及与至到或，,。；（(》”第等]|之|以及|关于|规定|以外|以内|要求|明确|内容|情形|约定|修改|改为|删|增加|作为)"
)
_LEADING = frozenset("反照据合除在对受于有本和及或、与")     # what leads to 第八条 ends so; a label follows 。
_OWN_KINDS = frozenset("法 条例 办法 规定 细则 规则 解释 决定 通知 意见 方案".split())
_WINDOW = 48                 # characters before 第八条 in which the name of its law may stand
_SENTENCE = 800              # the longest one that names its grounds


def references(document: Document) -> list[Reference]:
    """What the title and the preamble say, then article by article."""
    source = _source(document)
    found = [*_of_title(source, document), *_of_preamble(source, document)]
    amended = source.amended
    end = 0
    for position, article in enumerate(document.articles):
        if amended is not None and source.amended == "":
            named = _TITLE.findall(source.text, end, article.start)      # in the label: 四、修改《…》
            amended = name_key(named[-1]) if named else amended
        words, end = source.text[article.start : article.end], article.end
        if "《" in words or "条" in words:
            reading = _Reading(source, position, article, amended)
            found += reading.run()
            amended = reading.amended
        if source.amended is None and ("指" in words or "所称" in words):
            found += [
                Reference(position, article.start + a, article.start + b, Relation.DEFINES, term, article.address)
                for a, b, term in defined_terms(words)
            ]
    return _with_ended(found, ended(document, source.names))


def _with_ended(found: list[Reference], ends: list[Reference]) -> list[Reference]:
    """In the order of the text. A name that is repealed is not cited as well."""
    if not ends:
        return found
    taken = {(reference.start, reference.end) for reference in ends}
    kept = [one for one in found if one.kind is not Relation.CITES or (one.start, one.end) not in taken]
    return sorted([*kept, *ends], key=lambda reference: reference.start)


def _source(document: Document) -> _Source:
    title = document.facts.title
    called = map(name_key, _TITLE.findall(document.text))
    names = {key: key for key in called if len(key) > 2 and key.endswith(LAW_ENDINGS)}
    names |= dict(declared_names(document.text))
    key = name_key(title)
    main = implemented(title)
    if main is not None:
        for generic in ("条例", "办法", "法", "规定"):      # 《条例》第八条 in the rules for carrying it out
            if main.endswith(generic):
                names.setdefault(generic, main)
                break
    amended = None
    if _AMENDING.search(title):
        named = _AMENDED.findall(title)
        before = name_key(title).partition("修正案")[0] if "修正案" in title and "关于" not in title else ""
        amended = name_key(named[0]) if len(named) == 1 and not _SEVERAL.search(title) else before
    offences = main if main and "罪名" in title else ""
    numbered = tuple(a.address if a.address.startswith("第") and "条" in a.address else "" for a in document.articles)
    own_names = (key, *map(name_key, _TITLE.findall(title)))
    kinds = {kind: own for own in own_names for kind in _OWN_KINDS if own.endswith(kind)}
    unsplit = not any(numbered) and key.endswith(_RULES)
    said = _RESTATED.search(document.text, 0, _HEAD) if amended is None else None
    restated = name_key(said.group(1)) if said else ""
    return _Source(
        document.text, key, names, kinds, numbered, amended, restated if restated != key else "",
        "最高人民" in title, offences, unsplit,
    )


def _of_title(source: _Source, document: Document) -> Iterator[Reference]:
    main = implemented(document.facts.title)
    if main is not None and main != source.key:
        at = max(source.text.find(document.facts.title), 0)
        end = at + len(document.facts.title) if source.text.startswith(document.facts.title, at) else at
        yield Reference(None, at, end, Relation.IMPLEMENTS, main, None)


def _of_preamble(source: _Source, document: Document) -> Iterator[Reference]:
    """Grounds that stand before the first article."""
    end = document.articles[0].start if document.articles else 0
    if "制" in source.text[:end] or "如下" in source.text[:end]:
        reading = _Reading(source, None, Article("", "", (), 0, end), source.amended)
        yield from (reference for reference in reading.run() if reference.kind is Relation.BASIS)


class _Reading:
    """One article, read from its start to its end: a bare 第八条 depends on what was named before it."""

    def __init__(self, source: _Source, position: int | None, article: Article, amended: str | None) -> None:
        self.amended = amended       # what the last title outside quotation marks named
        self._source = source
        self._text = source.text
        self._position = position
        self._article = article
        self._titles = [
            _Title(match.start(), match.end(), self._full(name_key(match.group(1))))
            for match in _TITLE.finditer(source.text, article.start, article.end)
        ]
        self._title_ends = [title.end for title in self._titles]
        self._quotes = [match.span() for match in _QUOTE.finditer(source.text, article.start, article.end)]
        self._ground = self._grounds()
        self._used: set[int] = set()           # starts of titles that an article of theirs follows
        self._last = ""                        # the law named last
        self._previous: tuple[int, str] | None = None      # end and law of the list before

    def run(self) -> list[Reference]:
        found: list[Reference] = []
        for match in _LIST.finditer(self._text, self._article.start, self._article.end):
            self._move_to(match.start())
            head = self._head(match)
            if head is not None:
                start, name = head
                self._previous = match.end(), name
                self._last = name or self._last
                found += self._of_list(match, start, name)
        self._move_to(self._article.end)
        found += self._neighbours()
        found += self._whole_documents()
        return sorted(found, key=lambda reference: reference.start)

    # which law a list of articles belongs to

    def _head(self, match: re.Match[str]) -> tuple[int, str] | None:
        """Where the name begins that stands before the list, and the name; None when none can be told."""
        at = match.start()
        quoted = self._quoted(at)
        if quoted and self._source.amended is not None:
            return None              # the words that an amendment puts into another law
        named = self._named(at)
        if named is not None:
            return named if named[1] not in _OWN_KINDS else None     # 《办法》, and nothing says which
        low = max(self._article.start, at - _WINDOW)
        if own := _SELF.search(self._text, low, at):
            return None if quoted or self._source.amended is not None else (own.start(), "")
        if said := _SAID.search(self._text, low, at):
            return (said.start(), self._last) if self._last else None
        if before := _HAN_BEFORE.search(self._text, low, at):
            bare = bare_name(before.group(1), self._source.names)
            if bare is not None:
                return before.start() + bare[0], bare[1]
        return None if quoted else self._unnamed(match)

    def _named(self, at: int) -> tuple[int, str] | None:
        """A title right before ``at``."""
        n = bisect_right(self._title_ends, at) - 1
        if n < 0 or not _AFTER_NAME.fullmatch(self._text, self._titles[n].end, at):
            return None
        self._used.add(self._titles[n].start)
        title = self._titles[n]
        own = title.name == self._source.key or (self._text[title.start - 1] == "本" and title.name in _OWN_KINDS)
        return title.start, "" if own else title.name

    def _unnamed(self, match: re.Match[str]) -> tuple[int, str] | None:
        at = match.start()
        before = self._text[at - 1] if at > self._article.start else "\n"
        after = self._text[match.end() : match.end() + 1]
        if self._source.offences:
            return at, self._source.offences
        whole = self._text[match.end() - 1] == "条"
        label = whole and before in _BREAKS and not _GOES_ON.match(self._text, match.end())
        if before in "（(|" or label or (before == "|" and after.isspace()):
            return None              # a table, a remark, or the label of an article that was not split off
        if self.amended is not None:
            return (at, self.amended) if self.amended else None
        if self._source.restated and _CHANGED.search(self._text, max(self._article.start, at - 12), at):
            return at, self._source.restated
        same_sentence = False
        if self._previous is not None:
            end, name = self._previous
            same_sentence = not re.search(r"[。\n]", self._text[end:at])
            if _JOINED.fullmatch(self._text, end, at) or (self._source.interprets and name and same_sentence):
                return at, name
        if _ELSEWHERE.search(self._text, max(self._article.start, at - 8), at):
            return None
        if self._previous is not None and not self._previous[1] and same_sentence:
            return at, ""            # of this document as well, though its articles may be called 一、二、
        first = next(_items(match), None)
        if first is None:
            return None
        known = first.addresses[-1] in self._source.numbered
        return (at, "") if known or (self._source.unsplit and before in _LEADING) else None

    def _of_list(self, match: re.Match[str], start: int, name: str) -> Iterator[Reference]:
        kind = self._kind(match.start(), name)
        for n, item in enumerate(_items(match)):
            for address in item.addresses:
                yield Reference(
                    self._position, item.start if n else start, item.end, kind, name, address, item.part
                )

    # 前条, 本条, 《…》 without an article

    def _neighbours(self) -> Iterator[Reference]:
        if self._position is None or self._source.amended is not None:
            return
        for match in _EARLIER.finditer(self._text, self._article.start, self._article.end):
            count = number(match.group(1)) if match.group(1) else 1
            before = [address for address in self._source.numbered[: self._position] if address][-count:]
            if not self._quoted(match.start()) and len(before) == count <= 10:
                for address in before:
                    yield Reference(
                        self._position, *match.span(), Relation.CITES, "", address, match.group(2) or ""
                    )
        for match in _THIS.finditer(self._text, self._article.start, self._article.end):
            if not self._quoted(match.start()) and self._source.numbered[self._position]:
                yield Reference(
                    self._position, *match.span(), Relation.CITES, "", self._article.address, match.group(1) or ""
                )

    def _whole_documents(self) -> Iterator[Reference]:
        text = self._text
        for title in self._titles:
            skipped = title.start in self._used or title.name == self._source.key or title.name in _OWN_KINDS
            declared = _SHORT_FOR.search(text, max(self._article.start, title.start - 6), title.start)
            quoted = self._source.amended is not None and self._quoted(title.start)
            if not skipped and not declared and not quoted and is_document_name(title.name):
                kind = self._kind(title.start, title.name)
                yield Reference(self._position, title.start, title.end, kind, title.name, None)
        if self._ground:
            for match in _PLAIN_LAW.finditer(text, *self._ground):
                yield Reference(self._position, *match.span(), Relation.BASIS, name_key(match.group(0)), None)

    # what stands where

    def _kind(self, at: int, name: str) -> Relation:
        if self._ground and self._ground[0] <= at < self._ground[1]:
            return Relation.BASIS
        return Relation.AMENDS if name and name in (self.amended, self._source.restated) else Relation.CITES

    def _grounds(self) -> tuple[int, int] | None:
        """From 根据 to 制定本 of the first sentence that has both."""
        for match in _FOUNDED.finditer(self._text, self._article.start, self._article.end):
            low = max(self._article.start, match.start() - _SENTENCE)
            start = max(low, self._text.rfind("。", low, match.start()) + 1)
            ground = _GROUND.search(self._text, start, match.start())
            if ground:
                return ground.start(), match.start()
        return None

    def _move_to(self, at: int) -> None:
        """In a decision on many rules, the title that stands last is the one amended from here on."""
        if self._source.amended != "":
            return
        for title in self._titles[: bisect_right(self._title_ends, at)]:
            if not self._quoted(title.start):
                self.amended = title.name

    def _quoted(self, at: int) -> bool:
        return any(start < at < end for start, end in self._quotes)

    def _full(self, key: str) -> str:
        return self._source.names.get(key) or self._source.kinds.get(key, key)


def _items(match: re.Match[str]) -> Iterator[_Item]:
    """The articles of a list; 第八条至第十条 are three."""
    last = None
    for one in _ONE.finditer(match.string, *match.span()):
        join, numbers, suffix, part = one.groups()
        values = _values(numbers)
        if last is not None and join in _RANGE and 1 < values[0] - last <= _LONGEST_RANGE:
            values = [*range(last + 1, values[0]), *values]
        last = values[-1]
        addresses = [f"第{chinese_number(value)}条" for value in values]
        if suffix:
            addresses[-1] += f"之{chinese_number(number(suffix[1:]))}"
        if max(values) < _HIGHEST and min(values) > 0:
            start = one.start(2) - (match.string[one.start(2) - 1] == "第")
            yield _Item(start, one.end(), tuple(addresses), part or "")


def _values(numbers: str) -> list[int]:
    """第四至第六, 第四、五."""
    values: list[int] = []
    through = False
    for match in _NUMBERS.finditer(numbers):
        if match.group(2):
            through = True
            continue
        value = number(match.group(1))
        if through and values and 1 < value - values[-1] <= _LONGEST_RANGE:
            values += range(values[-1] + 1, value)
        values.append(value)
        through = False
    return values
