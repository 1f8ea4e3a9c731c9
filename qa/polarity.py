"""Whether a draft keeps the 不, 应当, 可以, 或, 仅 and the conditions of the clauses that it restates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qa.facts_kept import keeps
from qa.names_kept import PERSON
from qa.restated import Clause, Match, Unit, core_of, coverage, held, source_of
from qa.said import AND, BUT, FACT, MAY, MUST, NEG, ONLY, OR, Fact

_RESTATED = 0.5              # of a clause's letters that the draft holds
_PARTLY = 0.3               # of a draft's clause, when it restates no other more
_KEPT = 0.55                 # of a condition's letters; a paraphrase keeps fewer of them than of a main clause
_AROUND = 6
_ALTERNATIVES = re.compile(rf"[、{OR}]")
_FEW, _OWN = 3, 0.34
_SHORT = 7                    # letters of a condition that may stand anywhere


def lost(unit: Unit, matches: Sequence[Match], everything: Sequence[Clause]) -> Iterator[str]:
    """Reasons, in Chinese; ``matches`` are the draft's clauses that restate ``unit``, ``everything`` all of them."""
    said = [match.clause for match in matches]
    pairs = frozenset().union(*(clause.pairs for clause in said))
    restated = restated_clauses(unit, said, pairs)
    yield from _negations(unit, said, restated, everything)
    yield from _duties(unit, said, restated)
    yield from _alternatives(unit, said, restated)
    yield from _scopes(said, restated)
    yield from _conditions(unit, said, restated, pairs)


def restated_clauses(unit: Unit, said: Sequence[Clause], pairs: frozenset[str]) -> list[Clause]:
    """Clauses of the lead too, where the draft holds them."""
    every = (*unit.lead, *unit.clauses)
    letters = frozenset("".join(clause.core for clause in said))
    found = [clause for clause in every if held(clause, pairs, letters) >= _RESTATED]
    for clause in said:
        source = source_of(clause, every)
        if source is not None and source not in found and coverage(clause.core, source.pairs) >= _PARTLY:
            found.append(source)
    return [clause for clause in every if clause in found]


def _count(clauses: Sequence[Clause], mark: str) -> int:
    return sum(clause.text.count(mark) for clause in clauses)


def _negations(
    unit: Unit, said: Sequence[Clause], restated: Sequence[Clause], everything: Sequence[Clause]
) -> Iterator[str]:
    needed = list(restated)
    if any(clause in unit.clauses for clause in restated):
        needed += [
            lead for lead in unit.lead if NEG in lead.text and lead not in restated and not lead.condition
            and not any(NEG in own.text and coverage(lead.core, own.pairs) >= _RESTATED for own in everything)
        ]
    ours, theirs = _count(said, NEG), _count(needed, NEG)
    if ours > theirs:
        yield "否定：比引文多出“不”“无”“未”一类的词"
    elif ours < theirs:
        yield "否定：漏掉了引文的“不”“无”“未”一类的词"
    elif ours:
        around = ["".join(_near(clause.core, n)) for clause in needed for n in _places(clause.core, NEG)]
        for clause in said:
            for place in _places(clause.core, NEG):
                near = _near(clause.core, place)
                if near and not any(_shared(near, other) for other in around):
                    yield "否定：“不”“无”“未”一类的词移到了别处"
                    return


def _places(core: str, mark: str) -> list[int]:
    return [n for n, char in enumerate(core) if char == mark]


def _near(core: str, place: int) -> str:
    """Letters that follow, else those before."""
    after = [char for char in core[place + 1 : place + 1 + _AROUND] if "\u4e00" <= char <= "\u9fff"]
    return "".join(after) or "".join(char for char in core[max(0, place - 3) : place] if "\u4e00" <= char <= "\u9fff")


def _shared(near: str, other: str) -> bool:
    return bool(set(near[:3]) & set(other))


def _duties(unit: Unit, said: Sequence[Clause], restated: Sequence[Clause]) -> Iterator[str]:
    """应当 against 可以, each pair of clauses by itself where they can be told apart."""
    for clause in said:
        found = source_of(clause, restated)
        if found is None:
            return
        source = found.text
        must, may = _bare_musts(clause.text) - _bare_musts(source), clause.text.count(MAY) - source.count(MAY)
        if may > 0 and must < 0:
            yield "情态：引文是“应当”，这里成了“可以”"
        elif must > 0 and may < 0:
            yield "情态：引文是“可以”，这里成了“应当”"
        elif may > 0 and MAY not in source and NEG in source and NEG not in clause.text:
            yield "情态：引文不允许，这里成了“可以”"
        elif may > 0 and MAY not in unit.text and (_bare_musts(unit.text) or NEG in unit.text):
            yield "情态：引文没有说“可以”"


def _bare_musts(text: str) -> int:
    """A 应当 that no 不 goes before: 无需 is none."""
    return sum(text[n] == MUST and (n == 0 or text[n - 1] != NEG) for n in range(len(text)))


def _alternatives(unit: Unit, said: Sequence[Clause], restated: Sequence[Clause]) -> Iterator[str]:
    ors, ands = _count(said, OR), _count(said, AND)
    whole_ors = unit.text.count(OR)
    their_ors, their_ands = _count(restated, OR), _count(restated, AND)
    if ors > whole_ors and any(_joins_anew(clause.text, unit.text) for clause in said):
        yield "并列：引文没有“或者”，这里多出了"
    elif ors < their_ors and ands > their_ands:
        yield "并列：引文是“或者”，这里成了“并且”"
    elif ors > their_ors and ands < their_ands:
        yield "并列：引文是“并且”，这里成了“或者”"
    only, theirs = _count(said, ONLY), _count(restated, ONLY)
    if only and ONLY not in unit.text:
        yield "范围：引文没有“仅”“只”，这里多出了"
    elif theirs and not only:
        yield "范围：漏掉了引文的“仅”“只”"


def _joins_anew(text: str, source: str) -> bool:
    """Whether an 或者 stands where the source has no 、 either: 街道、镇 may be read as 街道或者镇."""
    return any(char == OR and text[max(0, n - 2) : n] + "、" not in source for n, char in enumerate(text))


# Of each row a rule says one; a draft may not say another.
_SCOPES = tuple(tuple(row.split()) for row in (
    "部分 全部 全额 半额 减半 半价 双倍 加倍 差额 定额", "每平方米 每亩 每公顷 每立方米", "首次 每次 再次 二次 末次",
    "每年 每月 每季度 每半年 每日 每天 每周 一次性 按月 按年 按季 按日",
    "每人 每户 每套 每件 每车 每单位", "连续 累计", "次月 当月 上月 本月", "次年 当年 上年 本年", "以上 以下",
    "超过 不足 低于 高于 不超过 不低于 达到", "最高 最低 最多 最少", "最长 最短", "当日 当月 当年 次日", "至少 至多",
    "之前 之后", "事前 事后", "自愿 强制", "双方 任何一方 单方 一方 第三方", "集体 个人", "线上 线下",
    "本市 外市 本省 外省 全国 境外", "城镇 农村", "提高 降低 提前 推迟 延长 缩短", "增加 减少 扣减", "高于 低于",
    "优先 最后",
    "转入 转出", "领取 退还 缴纳", "有效 无效", "公开 保密", "男 女", "父 母", "甲 乙", "主要 次要", "直系 旁系",
    "现金 转账", "书面 口头", "原件 复印件",
    "实名 匿名", "正面 背面", "上午 下午", "工作日 节假日 周末", "承担 免除", "准予 驳回", "一般 重大 特别重大 较大",
    "轻微 严重 较重 较轻", "初审 复审 终审",
))


def _scopes(said: Sequence[Clause], restated: Sequence[Clause]) -> Iterator[str]:
    for clause in said:
        source = source_of(clause, restated)
        if source is None:
            continue
        for row in _SCOPES:
            for word in row:
                if word in clause.text and word not in source.text and not any(
                    word in other.text for other in restated
                ) and any(other in source.text for other in row if other not in clause.text):
                    yield f"范围：引文说的不是“{word}”"
                    break


def _conditions(
    unit: Unit, said: Sequence[Clause], restated: Sequence[Clause], pairs: frozenset[str]
) -> Iterator[str]:
    """What binds a main clause: the conditions right before it, and the exceptions behind it."""
    mains = [n for n, clause in enumerate(unit.clauses) if clause in restated and not clause.condition]
    if not mains:
        return
    needed: list[Clause] = []
    for main in mains:
        before = main
        while before and (unit.clauses[before - 1].condition or unit.clauses[before - 1].exception):
            before -= 1
            if not _FRAME.match(unit.clauses[before].text):
                needed.append(unit.clauses[before])
        if before == main and main and _PREDICATE.match(unit.clauses[main].text) and not (
            _FRAME.match(unit.clauses[main - 1].text)
        ):
            needed.append(unit.clauses[main - 1])      # which holds the subject: 具有本市户籍的老年人，可以…
    for main in mains:
        yield from _inner(unit.clauses[main], said)
    needed += [clause for clause in unit.clauses[mains[0] :] if clause.exception]
    letters = frozenset("".join(clause.core for clause in said))
    main_pairs = frozenset().union(*(unit.clauses[main].pairs for main in mains))
    for clause in dict.fromkeys(needed):
        if not _held(clause, pairs, letters, said, main_pairs):
            kind = "例外" if clause.exception else "条件"
            yield f"{kind}：漏掉了引文的“{_shown(clause)}”"


def _own_held(clause: Clause, main_pairs: frozenset[str], pairs: frozenset[str]) -> bool:
    """What the condition has in common with the rule itself does not show that it was said."""
    words = clause.pairs - main_pairs
    own = [pair for pair in words if all("\u4e00" <= char <= "\u9fff" for char in pair)]
    return len(own) < _FEW or sum(pair in pairs for pair in own) >= _OWN * len(own)


def _inner(clause: Clause, said: Sequence[Clause]) -> Iterator[str]:
    """经批准可以延长; 具有本市户籍、年满八十周岁的老年人: conditions inside of a clause."""
    whole = "".join(own.text for own in said)
    for match in _PASSED.finditer(clause.text):
        if match.group(1) not in whole:
            yield f"条件：漏掉了引文的“{match.group()}”"
    pairs = frozenset().union(*(own.pairs for own in said))
    for match in _COUNTED_FROM.finditer(clause.text):
        core = core_of(match.group(1))
        if len(core) > 1 and coverage(core, pairs) < _PARTLY:
            yield f"条件：漏掉了期限从何时算起的“{match.group(1)}”"
    values = {fact.value for own in said for fact in own.facts}
    limited = _LIMITED.match(clause.text)
    if limited is None:
        return
    facts = iter(clause.facts)
    for part in _PARTS.split(limited.group(1)):
        theirs = [next(facts) for _ in range(part.count(FACT))]
        core = core_of(part)
        if not _LIMITING.search(part) or not core:
            continue
        if any(fact.value not in values for fact in theirs) or coverage(core, pairs) < _PARTLY:
            yield f"条件：漏掉了引文的“{_words(part, theirs)}”"


_PREDICATE = re.compile(f"[{MAY}{MUST}{NEG}]|按|由|享受|凭|免")
_FRAME = re.compile(r"为|按|结合|经.{0,8}政府.{0,4}同意$")     # says why or by what rule, and limits nothing
_PASSED = re.compile(r"经\w{0,8}?(批准|同意|许可|核准|审批|确认|核实|公证|备案)")
_COUNTED_FROM = re.compile(f"[自从在于](.{{2,30}}?)[起后]{FACT}")
_LIMITED = re.compile(r"(.{4,60})的(?=\w)")
_PARTS = re.compile(rf"[、{AND}]")
_LIMITING = re.compile(rf"{FACT}|{NEG}|具有|持有|符合|户籍|学历|属|享受|从事|参加|依法|取得|经|已|因|正在")


def _held(
    clause: Clause, pairs: frozenset[str], letters: frozenset[str], said: Sequence[Clause], main_pairs: frozenset[str]
) -> bool:
    ours = [fact for own in said for fact in own.facts]
    if any(not any(keeps(own, fact) for own in ours) for fact in clause.facts):
        return False
    bare = [char for char in clause.core if "\u4e00" <= char <= "\u9fff"]
    share = coverage(clause.core, pairs)
    if clause.exception and not any(own.exception or own.condition for own in said):
        return share >= 0.75
    parts = [part for part in _ALTERNATIVES.split(clause.text) if PERSON.search(part)]
    if len(parts) > 1 and any(coverage(core_of(part), pairs) >= _KEPT for part in parts):
        return True                # 盲人饲养导盲犬、独居老人饲养一只犬的: one of them is enough
    if not _own_held(clause, main_pairs, pairs):
        return False
    if share >= _KEPT or not bare:
        return True
    return len(bare) <= _SHORT and sum(char in letters for char in bare) >= 0.65 * len(bare)


def _shown(clause: Clause) -> str:
    return _words(clause.text, clause.facts)


def _words(text: str, facts: Sequence[Fact]) -> str:
    words = {NEG: "不", MUST: "应", MAY: "可以", ONLY: "仅", OR: "或者", AND: "和", BUT: "但"}
    left = iter(facts)
    return "".join(words.get(char) or (next(left).text if char == FACT else char) for char in text)[:40]
