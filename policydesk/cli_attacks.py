"""``policydesk eval attacks``: spoilt drafts that the check catches, true ones that it drops."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from policydesk.options import AsJson, ConfigFile, read_config, write_lines


def eval_attacks(
    documents: Annotated[
        list[Path] | None, typer.Option("--documents", help="从这些文件或文件夹造句，可重复；缺省为 data_samples"
        " 和手写的句子")
    ] = None,
    split: Annotated[str, typer.Option("--split", help="只用此组的文件：test（未用于调参）、dev 或 all")] = "test",
    most: Annotated[int, typer.Option("--most", min=1, help="最多用多少份文件")] = 400,
    per_document: Annotated[int, typer.Option("--per-document", min=1, help="每份文件取多少个属实的句子")] = 30,
    encoder: Annotated[bool, typer.Option("--encoder/--letters", help="另用自带编码模型比较句义，或只看字词")] = True,
    losses: Annotated[int, typer.Option("--losses", min=0, help="列出多少个漏过和误删的句子")] = 20,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """核对：篡改过的句子查出多少，属实的句子误删多少，分篡改方式列出。"""
    from eval.attacks import (
        SAMPLES,
        attack_lines,
        attack_record,
        drafts,
        measure,
        read_documents,
        read_hand,
        split_of,
        support_of,
    )
    from policydesk.batch import to_line

    if split not in ("test", "dev", "all"):
        raise typer.BadParameter(f"--split：“{split}”应为 test、dev 或 all")
    some = read_documents(documents or [SAMPLES], read_config(config))
    some = [document for document in some if split in ("all", split_of(document.id))][:most]
    support = support_of(encoder=encoder)
    results = {"造句": measure(drafts(some, per_document=per_document), support)}
    if not documents:
        results["手写"] = measure(read_hand(), support)
    if as_json:
        write_lines(None, [to_line({name: attack_record(result) for name, result in results.items()})])
    else:
        write_lines(None, (
            line for name, result in results.items() for line in (f"{name}：", *attack_lines(result, losses=losses))
        ))
