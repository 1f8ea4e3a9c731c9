"""The figures of an evaluation of answers as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from eval.answers import AnswersResult, Outcome, Times
from eval.answers_curve import CurvePoint
from eval.measures import Group

MEASURES = {
    "in_quotes": "答案在回答或引文中", "in_answer": "答案在回答中", "at_place": "引到答案所在处",
    "rouge_l": "ROUGE-L（F1）", "rouge_l_recall": "ROUGE-L 召回", "character_f1": "字 F1",
    "citation_precision": "引文准确率", "citation_recall": "引文召回率", "false_refusal": "误拒（含反问）",
    "asked_back": "反问", "right_refusal": "应拒而拒", "turned_away": "误当不当问题", "from_here": "以不适用的规定作答",
    "answered": "作答", "resolved": "引文与原文相符", "unsupported": "无依据的句子", "wrong_number": "有错误数字的回答",
    "model_supported": "模型认为有依据", "model_answers": "模型认为答到了",
}
_SHORT = ("in_quotes", "at_place", "rouge_l_recall", "false_refusal", "right_refusal", "turned_away", "from_here")
OUTCOMES: dict[str, str] = {
    Outcome.RIGHT: "正确", Outcome.UNJUDGED: "未评", Outcome.REFUSED: "误拒", Outcome.ASKED_BACK: "反问",
    Outcome.WRONG_DOCUMENT: "引错文件", Outcome.WRONG_PASSAGE: "引错段落", Outcome.NUMBER_MISSING: "缺数字",
    Outcome.PART: "不完整",
    Outcome.ANSWERED: "应拒而答", Outcome.TURNED_AWAY: "误当不当问题", Outcome.FROM_HERE: "答了外地的问题",
}
FAULTS = {
    "quote": "引文与原文不符", "hidden": "引了不该看到的文件", "old": "引了不现行有效的规定",
    "foreign": "引了外地的规定", "uncited": "句子没有引文",
    "number": "数字不在引文中", "plain_number": "数字不在引文中（另一算法）", "outside": "句外的数字不在引文中",
    "unsupported": "引文不支持句子",
}
PHASES = {
    "clock": "全程", "total": "合计", "understand": "理解", "search": "检索", "select": "选取", "direct": "问答库",
    "beside": "其余（含记录）",
}


def answers_lines(result: AnswersResult) -> Iterator[str]:
    totals = result.totals
    made_by = _counts(result.made_by, {"extract": "摘录", "faq": "问答库"})
    yield f"{totals['questions']} 个问题，{totals['answers']} 个作答（{made_by}）；用时 {result.seconds:.1f} 秒"
    yield (
        f"引文 {totals['citations']} 处，与原文逐字相符 {totals['resolved']} 处；句子 {totals['sentences']} 个，"
        f"有依据 {totals['supported']} 个；句中数字 {totals['numbers']} 个"
    )
    yield f"违例：{_counts(result.faults, FAULTS) or '无'}"
    whole = ["全部", *(file for file in result.outcomes if file in result.groups)]
    for name, groups in result.groups.items():
        if name not in whole:
            yield f"{name}：{_short(groups)}"
            continue
        yield name
        for measure, group in ((measure, groups[measure]) for measure in MEASURES if measure in groups):
            low, high = group.intervals[measure]
            yield f"  {MEASURES[measure]:<{_width(MEASURES[measure])}} {group.means[measure]:.3f}" \
                  f"  [{low:.3f}, {high:.3f}]  {group.n} 个"
    for file in result.outcomes:
        yield f"{file}：{_counts(result.outcomes[file], OUTCOMES)}"
        yield f"  状态：{_counts(result.statuses[file], {})}"
    yield from curve_lines(result)
    for row in result.times:
        yield time_line(row)


def time_line(row: Times) -> str:
    name = PHASES.get(row.phase, row.phase)
    return f"{name}（{row.of.n}）：p50 {row.of.p50_ms:.1f} ms  p95 {row.of.p95_ms:.1f} ms"


def curve_lines(result: AnswersResult) -> Iterator[str]:
    """Where the answers stand, the two points that count, and the curve in steps of 5 % of right refusals."""
    curve = result.curve
    if curve is None:
        return
    yield (
        f"拒答：{curve.answerable} 个应答，{curve.unanswerable} 个应拒；现在误拒 {curve.now.false_refusals:.1%}，"
        f"应拒而拒 {curve.now.right_refusals:.1%}，应拒而答 {curve.false_answers_now:.1%}；"
        f"按置信度排序的曲线下面积 {curve.area:.3f}  [{curve.area_interval[0]:.3f}, {curve.area_interval[1]:.3f}]"
    )
    for at in curve.at:
        low, high = at.right_refusals
        yield f"  误拒不超过 {at.limit:.0%} 时：{_point(at.point)}；应拒而拒 [{low:.1%}, {high:.1%}]"
    yield "  阈值     误拒    应拒而拒  应拒而答  所答正确"
    step = -1
    for point in curve.points:
        if int(point.right_refusals * 20) > step:
            step = int(point.right_refusals * 20)
            yield (
                f"  {point.threshold:.3f}  {point.false_refusals:7.1%}  {point.right_refusals:7.1%}"
                f"  {1 - point.right_refusals:7.1%}  {point.right_answers:7.1%}"
            )


def _point(point: CurvePoint) -> str:
    return (
        f"阈值 {point.threshold:.3f}，误拒 {point.false_refusals:.1%}，应拒而拒 {point.right_refusals:.1%}，"
        f"应拒而答 {1 - point.right_refusals:.1%}"
    )


def _short(groups: Mapping[str, Group]) -> str:
    """Of a label: a few measures, on one line."""
    return "，".join(
        f"{MEASURES[measure]} {groups[measure].means[measure]:.3f}（{groups[measure].n}）"
        for measure in _SHORT if measure in groups
    )


def _counts(counts: Mapping[str, int], names: Mapping[str, str]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return "，".join(f"{names.get(name, name)} {count}" for name, count in ordered if count)


def _width(name: str) -> int:
    """Columns to fill, where a Chinese character takes two."""
    return 20 - sum(character > "\u2e7f" for character in name)
