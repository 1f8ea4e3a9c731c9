"""``policydesk eval graph``: the edges that rules read, against hand-checked passages."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from policydesk.options import AsJson, ConfigFile, read_config, write_lines


def eval_graph(
    corpus: Annotated[
        list[Path], typer.Option("--corpus", help="文件所在的 JSON Lines，可重复；标注中的段落按编号在其中查找")
    ],
    gold: Annotated[Path | None, typer.Option("--gold", help="标注文件，缺省为 eval/graph_gold.jsonl")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """关系图：引用和废止的边与人工标注相比的准确率、召回率，抽取用时，并列出每条错边。"""
    from eval.graph import GOLD, documents_of, graph_lines, measure, read_gold
    from policydesk.batch import to_line

    passages = read_gold(gold or GOLD)
    result = measure(documents_of(corpus, read_config(config)), passages)
    if as_json:
        scores = [
            {"kind": kind, "group": group, "precision": tally.precision, "recall": tally.recall, **asdict(tally)}
            for (kind, group), tally in sorted(result.scores.items())
        ]
        names = ("documents", "articles", "edges", "seconds", "plain_seconds")
        counts = {name: getattr(result, name) for name in names}
        wrong = [asdict(one) for one in result.wrong]
        write_lines(None, [to_line({"scores": scores, "wrong": wrong, "absent": result.absent, **counts})])
    else:
        write_lines(None, graph_lines(result))
