"""An evaluation of answers -> one HTML file that needs nothing else: no script, no font, no request.

The lost questions are filtered by style sheets alone: a checked box of each row hides what does not bear its class.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from core.records import Citation
from eval.answers import AnswersResult, Judged
from eval.answers_curve import Curve, CurvePoint
from eval.answers_lines import FAULTS, MEASURES, OUTCOMES, PHASES
from eval.answers_plots import Mark, unit_plot
from eval.answers_questions import Expected
from eval.measures import Group
from eval.page import STYLE, PageFacts
from eval.plots import bar

_STYLE = STYLE + """
.scroll{overflow-x:auto}.scroll th:first-child,.scroll td:first-child{white-space:nowrap;position:sticky;left:0;
background:Canvas}
body{background:Canvas}.filter{display:flex;flex-wrap:wrap;gap:.3rem;margin:.5rem 0}
.filter label{border:1px solid #d5dbe3;border-radius:1rem;padding:.1rem .7rem;cursor:pointer;font-size:.9rem}
.filter label:has(:checked){background:#1f6fb2;border-color:#1f6fb2;color:#fff}
.filter input{position:absolute;opacity:0}.filter label:has(:focus-visible){outline:2px solid #c4581c}
.why{display:inline-block;background:#c4581c;color:#fff;border-radius:.25rem;padding:0 .4rem;font-size:.85rem}
.cols{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:0 1.5rem}
.cols h3{font-size:.9rem;margin:.6rem 0 .2rem}.gold blockquote{border-color:#c4581c}
blockquote small{display:block}mark{background:#ffe08a;color:inherit}
@media(prefers-color-scheme:dark){.filter label{border-color:#333d49}mark{background:#6b5410}}
"""
_EXPECTED = {
    Expected.ANSWER: "应作答", Expected.REFUSE: "应拒答", Expected.ALLOW: "可以问", Expected.ELSEWHERE: "问的是外地",
    Expected.UNJUDGED: "未评",
}


def answers_page(result: AnswersResult, facts: PageFacts, lost: Sequence[Judged]) -> str:
    """The whole page."""
    parts = [
        f"<h1>回答评测：{escape(facts.title)}</h1>",
        f"<p class=quiet>{escape(facts.made)}</p>",
        *(f"<p class=note>{escape(note)}</p>" for note in facts.notes),
        *_totals(result),
        *_scores(result.groups),
        *_curve(result.curve),
        *_times(result),
        *_losses(lost),
    ]
    head = '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    style = _STYLE + "".join(_filters(lost))
    return f"{head}<title>回答评测：{escape(facts.title)}</title><style>{style}</style>\n" + "\n".join(parts) + "\n"


def _totals(result: AnswersResult) -> Iterator[str]:
    total = result.totals
    yield (
        f"<p>{total['questions']} 个问题，{total['answers']} 个作答。引文 {total['citations']} 处，与原文逐字相符 "
        f"{total['resolved']} 处；句子 {total['sentences']} 个，有依据 {total['supported']} 个；句中数字 "
        f"{total['numbers']} 个。</p>"
    )
    faults = "，".join(f"{FAULTS.get(kind, kind)} {count}" for kind, count in result.faults.items())
    yield f"<p class=note>违例：{escape(faults)}</p>" if faults else "<p>违例：无</p>"
    yield "<div class=scroll><table><tr><th>文件<th>结果<th>状态"
    for file, outcomes in result.outcomes.items():
        yield f"<tr><td>{escape(file)}<td>{_counted(outcomes, OUTCOMES)}<td>{_counted(result.statuses[file], {})}"
    yield "</table></div>"


def _counted(counts: Mapping[str, int], names: Mapping[str, str]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return "，".join(f"{escape(names.get(name, name))} {count}" for name, count in ordered)


def _scores(groups: Mapping[str, Mapping[str, Group]]) -> Iterator[str]:
    names = [name for name in MEASURES if any(name in group for group in groups.values())]
    yield "<h2>得分</h2>"
    yield "<p class=quiet>横条为平均值，细线为 95 % 区间（对问题自助重抽样 1,000 次）；括号内为计入的问题数。</p>"
    yield "<div class=scroll><table><tr><th>指标" + "".join(f"<th>{escape(group)}" for group in groups)
    for name in names:
        yield f"<tr><td>{MEASURES[name]}" + "".join(_score(name, group.get(name)) for group in groups.values())
    yield "</table></div>"


def _score(name: str, group: Group | None) -> str:
    if group is None:
        return "<td>–"
    low, high = group.intervals[name]
    value = group.means[name]
    return f"<td class=n>{value:.3f} <small>{low:.3f}–{high:.3f}（{group.n}）</small><br>{bar(value, low, high)}"


def _curve(curve: Curve | None) -> Iterator[str]:
    if curve is None:
        return
    yield "<h2>拒答</h2>"
    yield (
        f"<p>{curve.answerable} 个应答，{curve.unanswerable} 个应拒。现在误拒 {curve.now.false_refusals:.1%}，应拒而拒 "
        f"{curve.now.right_refusals:.1%}，应拒而答 {curve.false_answers_now:.1%}；曲线下面积 "
        f"{curve.area:.3f}（{curve.area_interval[0]:.3f}–{curve.area_interval[1]:.3f}）。</p>"
    )
    limits = [(at.limit, at.point) for at in curve.at]
    marks = [Mark(curve.now.false_refusals, curve.now.right_refusals, "现在")]
    marks += [Mark(point.false_refusals, point.right_refusals, f"{limit:.0%}") for limit, point in limits]
    refusals = [(point.false_refusals, point.right_refusals) for point in curve.points]
    yield "<div class=cols><div>"
    yield unit_plot({"应拒而拒": refusals}, across="误拒的比例", marks=marks, limits=[limit for limit, _ in limits])
    yield "</div><div>"
    yield unit_plot({
        "误拒": [(point.threshold, point.false_refusals) for point in curve.points],
        "应拒而答": [(point.threshold, 1 - point.right_refusals) for point in curve.points],
        "所答正确": [(point.threshold, point.right_answers) for point in curve.points if point.false_refusals < 1],
    }, across="置信度阈值：低于它就拒答", limits=[point.threshold for _, point in limits])
    yield "</div></div><table><tr><th>误拒不超过<th>阈值<th>误拒<th>应拒而拒<th>应拒而答<th>所答正确<th>应拒而拒的区间"
    for at in curve.at:
        low, high = at.right_refusals
        yield f"<tr><td>{at.limit:.0%}" + _cells(at.point) + f"<td class=n><small>{low:.1%}–{high:.1%}</small>"
    yield "</table>"


def _cells(point: CurvePoint) -> str:
    shares = (point.false_refusals, point.right_refusals, 1 - point.right_refusals, point.right_answers)
    return f"<td class=n>{point.threshold:.3f}" + "".join(f"<td class=n>{share:.1%}" for share in shares)


def _times(result: AnswersResult) -> Iterator[str]:
    yield "<h2>用时</h2><table><tr><th>阶段<th>回答<th>p50 毫秒<th>p95 毫秒"
    for row in result.times:
        name = escape(PHASES.get(row.phase, row.phase))
        yield f"<tr><td>{name}<td class=n>{row.of.n}<td class=n>{row.of.p50_ms:.1f}<td class=n>{row.of.p95_ms:.1f}"
    yield "</table>"


def _losses(lost: Sequence[Judged]) -> Iterator[str]:
    yield f"<h2>落空的问题（{len(lost)}）</h2>"
    if not lost:
        yield "<p>没有。</p>"
        return
    for row, counts in _rows(lost).items():
        if len(counts) > 1:
            yield f"<div class=filter>{_choice(row, 'all', f'全部 {len(lost)}', chosen=True)}"
            yield "".join(
                _choice(row, _class(row, name), f"{_shown(row, name)} {n}", chosen=False) for name, n in counts.items()
            ) + "</div>"
    yield from (_loss(one) for one in lost)


def _rows(lost: Sequence[Judged]) -> dict[str, Counter[str]]:
    """What can be chosen from, row by row, with how many each leaves."""
    return {
        "why": Counter(one.outcome.value for one in lost),
        "file": Counter(one.asked.file for one in lost),
        "kind": Counter(one.asked.gold.kind for one in lost),
        "fault": Counter(kind for one in lost for kind in {fault.kind.value for fault in one.checked.faults}),
    }


def _choice(row: str, value: str, text: str, *, chosen: bool) -> str:
    checked = " checked" if chosen else ""
    return f'<label><input type=radio name="{row}" id="{row}-{value}"{checked}>{escape(text)}</label>'


def _filters(lost: Sequence[Judged]) -> Iterator[str]:
    for row, counts in _rows(lost).items():
        for name in counts:
            value = _class(row, name)
            yield f"body:has(#{row}-{value}:checked) .loss:not(.{value}){{display:none}}\n"


def _shown(row: str, name: str) -> str:
    return {"why": OUTCOMES, "fault": FAULTS}.get(row, {}).get(name, name)


def _class(row: str, name: str) -> str:
    """A name as a class of style sheets, in which only letters, digits and - are plain."""
    return f"{row[0]}-" + re.sub(r"[^a-z0-9]", lambda match: f"_{ord(match.group()):x}", name.lower())


def _loss(one: Judged) -> str:
    asked = one.asked
    kinds = {fault.kind.value for fault in one.checked.faults}
    names = [("why", one.outcome.value), ("file", asked.file), ("kind", asked.gold.kind)]
    names += [("fault", kind) for kind in kinds]
    told = (asked.id, "、".join(asked.labels), one.answer.status.value, f"置信度 {one.answer.confidence:.2f}")
    about = " · ".join(filter(None, told))
    return "".join([
        f'<details class="loss {" ".join(_class(row, name) for row, name in names)}">',
        f"<summary><span class=why>{OUTCOMES[one.outcome]}</span> {escape(asked.gold.question.text[:300])} ",
        f"<small>{escape(about)}</small></summary><div class=cols>",
        f"<div><h3>回答</h3>{_answer(one)}</div>",
        f"<div class=gold><h3>{_EXPECTED[asked.expected]}</h3>{_gold(one)}</div></div>",
        *(f"<p class=note>{FAULTS[f.kind]}：{escape(f.said)}　{escape(f.why)}</p>" for f in one.checked.faults),
        "</details>",
    ])


def _answer(one: Judged) -> str:
    quotes = "".join(_quote(citation, one.wanted.texts) for citation in one.answer.citations)
    said = "\n".join(sentence.text for sentence in one.answer.sentences)
    plain = one.answered and said.strip() == "\n".join(c.quote for c in one.answer.citations).strip()
    text = "" if plain else f"<p>{escape(one.answer.text[:2000])}</p>"
    return text + quotes


def _quote(citation: Citation, wanted: Sequence[str]) -> str:
    quote = citation.quote
    found = next((text for text in wanted if text and text in quote), "")
    before, _, after = quote.partition(found) if found else (quote, "", "")
    marked = f"{escape(before)}<mark>{escape(found)}</mark>{escape(after)}" if found else escape(quote)
    where = f"《{citation.title}》{citation.article}"
    return f"<blockquote>{marked}<small>[{citation.n}] {escape(where)}</small></blockquote>"


def _gold(one: Judged) -> str:
    shown = (*one.wanted.texts, *one.wanted.articles)
    texts = "".join(f"<blockquote>{escape(text)}</blockquote>" for text in shown)
    names = "；".join(" 或 ".join(group) for group in one.asked.gold.gold)
    about = f"<p class=quiet>区划 {escape(one.asked.about)}</p>" if one.asked.about else ""
    return texts + (f"<p class=quiet>{escape(names)}</p>" if names else "") + about
