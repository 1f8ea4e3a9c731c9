"""Records in, HTML out: pure functions. Every text of a document or a question is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from html import escape
from itertools import pairwise

from core.records import Answer, Article, Citation, Document, Facts, Status

STATUS_NAMES: dict[Status, str] = {
    Status.ANSWERED: "已找到依据",
    Status.PARTIAL: "部分找到依据",
    Status.NO_EVIDENCE: "未找到依据",
    Status.CLARIFY: "需要补充信息",
    Status.OUT_OF_SCOPE: "超出受理范围",
    Status.UNSAFE: "不予回答",
    Status.EXPIRED: "依据已失效",
    Status.UNAVAILABLE: "暂时不可用",
}
_TONES: dict[Status, str] = {Status.ANSWERED: "good", Status.PARTIAL: "fair", Status.UNSAFE: "bad"}
_UNKNOWN = "未载明"

EMPTY_ANSWER = (
    '<div class="pd-empty"><p class="pd-empty-title">请输入市民的问题</p>'
    "<p>回答只摘录政策原文，每句话都标有出处编号；点编号，右侧定位到条款原文。</p></div>"
)
EMPTY_CARDS = '<div class="pd-empty"><p class="pd-empty-title">条款原文</p><p>回答引用的条款全文显示在这里。</p></div>'


def answer_html(answer: Answer) -> str:
    """The answer column: badge, how the question was understood, numbered sentences, choices to reply with, words to
    read aloud, what to ask next, route, notices, copy button, label and time."""
    parts = (
        _head(answer),
        _asked(answer.asked),
        f'<div class="pd-text">{_body(answer)}</div>',
        _choices(answer.choices),
        _script(answer),
        _ask_next(answer.ask_next),
        _route(answer.route),
        _notices(answer.notices),
        _foot(answer),
    )
    return f'<article class="pd-answer">{"".join(parts)}</article>'


def message_html(text: str, *, title: str = "请检查输入") -> str:
    """What the answer column shows in place of an answer: a wrong input or an error."""
    heading = f'<p class="pd-empty-title">{escape(title)}</p>'
    return f'<div class="pd-message" role="alert">{heading}<p>{escape(text)}</p></div>'


def cards_html(answer: Answer, documents: Mapping[str, Document], regions: Mapping[str, str]) -> str:
    """One card per cited article in order of first citation, each quote marked in its full text.

    A document missing from ``documents`` gives a card that holds the quotes alone.
    """
    if not answer.citations:
        return EMPTY_CARDS if answer.status is Status.ANSWERED else _no_cards(answer)
    groups: dict[tuple[str, str], list[Citation]] = {}
    for citation in map(partial(_narrowed, answer), answer.citations):
        groups.setdefault((citation.document, citation.ref), []).append(citation)
    cards = [_card(group, documents.get(group[0].document), regions) for group in groups.values()]
    count = f"引用条款 {len(cards)} 条"
    return f'<h2 class="pd-title">条款原文<span class="pd-count">{count}</span></h2>{"".join(cards)}'


def _narrowed(answer: Answer, citation: Citation) -> Citation:
    """Only the part of a quote that the answer says, where it says a part of it word for word."""
    said = [sentence.text for sentence in answer.sentences if citation.n in sentence.citations]
    spans = [(start, start + len(text)) for text in said if (start := citation.quote.find(text)) >= 0]
    if not spans:
        return citation
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    return replace(
        citation, start=citation.start + first, end=citation.start + last, quote=citation.quote[first:last]
    )


def marked_text(text: str, start: int, citations: Iterable[Citation]) -> str:
    """``text``, which begins at offset ``start`` of its document, with each quote inside ``<mark>``.

    A mark carries ``id="cite-n"``. Where quotes overlap the text is cut at every border, so that
    marks never cross; the first piece of a quote holds its id.
    """
    end = start + len(text)
    spans = [(max(c.start, start), min(c.end, end), c.n) for c in citations]
    spans = [span for span in spans if span[0] < span[1]]
    borders = sorted({start, end, *(span[0] for span in spans), *(span[1] for span in spans)})
    pieces = []
    for left, right in pairwise(borders):
        piece = escape(text[left - start : right - start])
        numbers = [n for first, last, n in spans if first <= left and right <= last]
        openings = [n for first, _, n in spans if first == left]
        pieces.append(_mark(piece, numbers, openings) if numbers else piece)
    return "".join(pieces)


def copy_text(answer: Answer) -> str:
    """The answer as plain text for a work order: sentences with numbers, sources, route, AI label."""
    lines = [_plain_body(answer)]
    if answer.route:
        lines.append(f"办理途径：{answer.route}")
    lines.extend(f"提示：{notice}" for notice in answer.notices)
    if answer.citations:
        lines.append("依据：")
        lines.extend(f"[{c.n}] {_name(c)} {c.article}：“{c.quote.strip()}”" for c in answer.citations)
    if answer.ai_label:
        lines.append(answer.ai_label)
    return "\n".join(lines)


def _head(answer: Answer) -> str:
    tone = _TONES.get(answer.status, "fair")
    badge = f'<span class="pd-badge pd-{tone}">{STATUS_NAMES[answer.status]}</span>'
    copy = '<button type="button" class="pd-copy" data-copy>复制答案</button>'
    source = f'<textarea class="pd-copy-text" hidden readonly>{escape(copy_text(answer))}</textarea>'
    return f'<header class="pd-head"><h2 class="pd-title">回答{badge}</h2>{copy}{source}</header>'


def _body(answer: Answer) -> str:
    by_number = {citation.n: citation for citation in answer.citations}
    if not answer.sentences:
        buttons = "".join(map(_button, answer.citations))
        basis = f'<p class="pd-basis">相关依据 {buttons}</p>' if buttons else ""
        return _paragraphs(answer.text) + basis
    sentences = []
    for sentence in answer.sentences:
        buttons = "".join(_button(by_number[n]) for n in sentence.citations if n in by_number)
        label = f'<b class="pd-told">{escape(sentence.label)}</b>' if sentence.label else ""
        first = label + _with_keywords(sentence.text[:-1], answer.keywords)
        last = escape(sentence.text[-1:])                                       # a number never starts a line
        sentences.append(f'<p class="pd-sentence">{first}<span class="pd-tail">{last}{buttons}</span></p>')
    return "".join(sentences)


def _with_keywords(text: str, keywords: Sequence[str]) -> str:
    if not keywords:
        return escape(text)
    parts = re.split(f"({'|'.join(map(re.escape, sorted(keywords, key=len, reverse=True)))})", text)
    return "".join(f"<b>{escape(part)}</b>" if part in keywords else escape(part) for part in parts)


def _asked(asked: str) -> str:
    return f'<p class="pd-asked">接着上文，理解为：{escape(asked)}</p>' if asked else ""


def _choices(choices: Sequence[str]) -> str:
    if not choices:
        return ""
    buttons = "".join(
        f'<button type="button" class="pd-choice" data-choice="{escape(choice)}">{escape(choice)}</button>'
        for choice in choices
    )
    return f'<div class="pd-choices" role="group" aria-label="选一项继续">{buttons}</div>'


def _script(answer: Answer) -> str:
    if not answer.script:
        return ""
    lines = "".join(f"<p>{_with_keywords(sentence.text, answer.keywords)}</p>" for sentence in answer.script)
    return f'<section class="pd-script"><h3>可以这样说</h3>{lines}</section>'


def _ask_next(questions: Sequence[str]) -> str:
    if not questions:
        return ""
    items = "".join(f"<li>{escape(question)}</li>" for question in questions)
    return f'<section class="pd-next"><h3>可以再问市民</h3><ul>{items}</ul></section>'


def _plain_body(answer: Answer) -> str:
    if not answer.sentences:
        return answer.text
    return "\n".join(
        (f"{s.label}：" if s.label else "") + s.text + "".join(f"[{n}]" for n in s.citations) for s in answer.sentences
    )


def _button(citation: Citation) -> str:
    label = escape(f"依据 {citation.n}：{_name(citation)} {citation.article}")
    return (
        f'<sup><button type="button" class="pd-cite" data-cite="{citation.n}" title="{label}" aria-label="{label}">'
        f"[{citation.n}]</button></sup>"
    )


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line.strip())


def _route(route: str | None) -> str:
    if not route:
        return ""
    return f'<section class="pd-route"><h3>去哪里办</h3>{_paragraphs(route)}</section>'


def _notices(notices: Sequence[str]) -> str:
    if not notices:
        return ""
    items = "".join(f"<li>{escape(notice)}</li>" for notice in notices)
    return f'<section class="pd-notices"><h3>请留意</h3><ul>{items}</ul></section>'


def _foot(answer: Answer) -> str:
    label = f'<span class="pd-label">{escape(answer.ai_label)}</span>' if answer.ai_label else ""
    times = dict(answer.timings_ms)
    total = times.get("total", sum(times.values()))
    time = f'<span class="pd-time">用时 {total / 1000:.2f} 秒</span>' if times else ""
    return f'<footer class="pd-foot">{label}{time}</footer>' if label or time else ""


def _no_cards(answer: Answer) -> str:
    reason = f"<p>{STATUS_NAMES[answer.status]}，因此没有可显示的原文。</p>"
    return f'<div class="pd-empty"><p class="pd-empty-title">没有引用条款</p>{reason}</div>'


def _card(citations: Sequence[Citation], document: Document | None, regions: Mapping[str, str]) -> str:
    first = citations[0]
    numbers = "".join(_back(citation) for citation in citations)
    doc_no = f'<span class="pd-docno">{escape(first.doc_no)}</span>' if first.doc_no else ""
    label = escape(f"{_name(first)} {first.article}")
    return (
        f'<article class="pd-card" tabindex="-1" aria-label="{label}">'
        f'<header class="pd-card-head"><div class="pd-numbers">{numbers}</div>'
        f'<h3 class="pd-card-title">《{escape(first.title)}》{doc_no}</h3>'
        f"{_state(first, document)}</header>"
        f"{_article(citations, document)}{_facts(document, first, regions)}</article>"
    )


def _state(citation: Citation, document: Document | None) -> str:
    force = ("good", "现行有效") if citation.in_force else ("bad", "所询日期未生效或已失效")
    internal = [("bad", "内部资料")] if document and not document.facts.public else []
    return "".join(f'<span class="pd-badge pd-{tone}">{text}</span>' for tone, text in (*internal, force))


def _back(citation: Citation) -> str:
    label = f"回到回答中的 [{citation.n}]"
    return (
        f'<button type="button" class="pd-number" data-back="{citation.n}" title="{label}" aria-label="{label}">'
        f"{citation.n}</button>"
    )


def _article(citations: Sequence[Citation], document: Document | None) -> str:
    """The full text of the cited article; the quotes alone where the document does not hold them there."""
    address = escape(citations[0].article)
    article = _cited_article(citations, document) if document else None
    if document is None or article is None:
        quotes = "".join(f"<p>{_mark(escape(c.quote), [c.n], [c.n])}</p>" for c in citations)
        return f'<p class="pd-address">{address}</p><div class="pd-article">{quotes}</div>'
    heading = "".join(f'<span class="pd-heading">{escape(part)}</span>' for part in article.heading)
    text = marked_text(document.text[article.start : article.end], article.start, citations)
    return f'<p class="pd-address">{heading}{address}</p><div class="pd-article">{text}</div>'


def _cited_article(citations: Sequence[Citation], document: Document) -> Article | None:
    if any(document.text[c.start : c.end] != c.quote for c in citations):
        return None
    first, last = min(c.start for c in citations), max(c.end for c in citations)
    return next((a for a in document.articles if a.start <= first and last <= a.end), None)


def _mark(piece: str, numbers: Sequence[int], openings: Sequence[int]) -> str:
    """``piece`` in one mark; an opening beyond the first gets its id on a span inside."""
    for n in openings[1:]:
        piece = f'<span id="cite-{n}">{piece}</span>'
    identity = f' id="cite-{openings[0]}"' if openings else ""
    return f'<mark{identity} data-cites="{" ".join(map(str, numbers))}">{piece}</mark>'


def _facts(document: Document | None, citation: Citation, regions: Mapping[str, str]) -> str:
    facts = document.facts if document else Facts(title=citation.title, doc_no=citation.doc_no, url=citation.url)
    rows = (
        ("发文机关", escape(facts.issuer or _UNKNOWN)),
        ("发文字号", escape(facts.doc_no or _UNKNOWN)),
        ("成文日期", _day(facts.dated)),
        ("施行日期", _day(facts.effective_from)),
        ("失效日期", _day(facts.effective_to)),
        ("有效性", escape(facts.validity or ("现行有效" if citation.in_force else "已失效或尚未施行"))),
        ("适用区域", escape(_region(facts.region, regions) if document else _UNKNOWN)),
        ("咨询电话", escape(facts.phone or _UNKNOWN)),
        ("来源", _source(facts.url or citation.url, document)),
    )
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
    return f'<dl class="pd-facts">{items}</dl>'


def _region(code: str | None, regions: Mapping[str, str]) -> str:
    if code is None:
        return "全国"
    return f"{regions[code]}（{code}）" if code in regions else code


def _source(url: str | None, document: Document | None) -> str:
    """A link for an http(s) address, else plain text: any other scheme could run a script."""
    if url is None:
        return escape(document.source if document else _UNKNOWN)
    if not url.lower().startswith(("https://", "http://")):
        return escape(url)
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(url)}</a>'


def _day(day: date | None) -> str:
    return day.isoformat() if day else _UNKNOWN


def _name(citation: Citation) -> str:
    return f"《{citation.title}》{citation.doc_no or ''}"
