"""A retrieval evaluation -> one HTML file that needs nothing else: no script, no font, no request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from eval.ablation import AblationRow, gain_cell
from eval.measures import Group, headline
from eval.plots import bar, rank_curves
from eval.retrieval import Found, Loss, RetrievalResult

_MISSED = {
    "article": "前十条中没有标准条文", "document": "前十份文件中没有标准文件", "span": "找到了文件，没有找到答案所在处",
}
_CURVES = 6      # lines that one plot can hold
STYLE = """
body{font:15px/1.6 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;max-width:68rem;
margin:2rem auto;padding:0 1rem;color:#1c2430;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #d5dbe3}
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;text-align:left;border-bottom:1px solid #e6eaef}
th{font-weight:600;white-space:nowrap}td.n{font-variant-numeric:tabular-nums;white-space:nowrap}
small,.quiet{color:#5d6b7c}.note{background:#fff6e0;border-left:4px solid #d99b00;padding:.4rem .8rem;margin:.4rem 0}
details{border-bottom:1px solid #e6eaef;padding:.35rem 0}summary{cursor:pointer}
blockquote{margin:.4rem 0 .4rem 1rem;padding-left:.8rem;border-left:3px solid #2f7d5b;white-space:pre-wrap}
svg text{font:12px system-ui,sans-serif;fill:currentColor}
@media(prefers-color-scheme:dark){body{color:#dde4ec;background:#14191f}h2,th,td,details{border-color:#333d49}
small,.quiet{color:#93a1b1}.note{background:#3a2f10}}
"""


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What the page says about itself."""

    title: str                    # of the gold set
    made: str                     # day and commit
    notes: tuple[str, ...] = ()   # what the reader has to know before the figures


def retrieval_page(
    result: RetrievalResult, facts: PageFacts, *, rows: Sequence[AblationRow] = (), losing: Sequence[Loss] = ()
) -> str:
    """The whole page. ``rows`` adds the table of stages, ``losing`` the questions that were lost."""
    parts = [
        f"<h1>检索评测：{escape(facts.title)}</h1>",
        f"<p class=quiet>{result.n} 个有答案的问题，{result.scores.without_gold} 个无答案的未计；"
        f"每问取 {result.depth} 条；标准集摘要 {escape(result.digest)}；{escape(facts.made)}</p>",
        *(f"<p class=note>{escape(note)}</p>" for note in facts.notes),
        *_scores(result),
        *_curves(result, rows),
        *_stages(rows, by_document=result.by_document),
        *_losses(losing),
    ]
    head = '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return f"{head}<title>检索评测：{escape(facts.title)}</title><style>{STYLE}</style>\n" + "\n".join(parts) + "\n"


def _scores(result: RetrievalResult) -> Iterator[str]:
    names = headline(result.scores.overall, by_document=result.by_document)
    groups = {"全部": result.scores.overall}
    if len(result.scores.kinds) > 1:
        groups |= result.scores.kinds
    yield "<h2>得分</h2><p class=quiet>横条为平均值，细线为 95 % 区间（对问题自助重抽样 1,000 次）。</p>"
    yield "<table><tr><th>问题<th>数量" + "".join(f"<th>{escape(name)}" for name in names.values())
    for label, group in groups.items():
        yield f"<tr><td>{escape(label)}<td class=n>{group.n}" + "".join(_score(group, measure) for measure in names)
    yield "</table>"


def _score(group: Group, measure: str) -> str:
    if measure not in group.means:
        return "<td>–"
    low, high = group.intervals[measure]
    value = group.means[measure]
    return f"<td class=n>{value:.3f} <small>{low:.3f}–{high:.3f}</small><br>{bar(value, low, high)}"


def _curves(result: RetrievalResult, rows: Sequence[AblationRow]) -> Iterator[str]:
    curves = {row.name: row.ranks for row in rows[:_CURVES]} or {"检索": result.ranks}
    what = "标准文件" if result.by_document else "标准条文"
    yield f"<h2>名次</h2><p class=quiet>前 k 名内找到{what}的问题所占比例；横轴为对数刻度。</p>"
    yield rank_curves(curves, depth=result.depth)


def _stages(rows: Sequence[AblationRow], *, by_document: bool) -> Iterator[str]:
    if not rows:
        return
    names = headline(rows[0].overall, by_document=by_document)
    yield "<h2>各环节的作用</h2>"
    yield "<p class=quiet>括号内为与第一行之差，* 表示其 95 % 区间不含 0（同一批问题逐个相减）。</p>"
    yield "<table><tr><th>环节" + "".join(f"<th>{escape(name)}" for name in names.values()) + "<th>毫秒/问"
    for row in rows:
        cells = "".join(f"<td class=n>{gain_cell(row, measure)}" for measure in names)
        yield f"<tr><td>{escape(row.name)}{cells}<td class=n>{row.milliseconds:.1f}"
    yield "</table>"


def _losses(losing: Sequence[Loss]) -> Iterator[str]:
    if not losing:
        return
    yield f"<h2>落空的问题（{len(losing)}）</h2>"
    for loss in losing:
        rank = f"第 {loss.rank} 名" if loss.rank else "未找到"
        about = f"{escape(loss.id)} · {escape(loss.kind)} · {rank}"
        yield f"<details><summary>{escape(loss.question)} <small>{about}</small></summary>"
        yield f"<p class=quiet>{_MISSED[loss.missed]}。应找到："
        yield "；".join(escape(" 或 ".join(group)) for group in loss.gold) + "</p>"
        if loss.wanted:
            yield f"<blockquote>{escape(loss.wanted)}</blockquote>"
        yield "<ol>" + "".join(_found(found) for found in loss.found) + "</ol></details>"


def _found(found: Found) -> str:
    return (
        f"<li>{escape(found.title)} {escape(found.address)} <small>{escape(found.ref)}</small><br>"
        f"<span class=quiet>{escape(found.text)}</span>"
    )
