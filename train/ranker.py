"""Questions with known articles -> the ranker: a LambdaMART forest over features that know no document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from core.errors import PolicyDeskError
from core.records import Question
from eval.generalisation import law_of
from eval.gold import GoldQuestion, document_name, trec_ref
from kb.features import AskedTerms, Numbers, feature_matrix
from kb.lookup import CandidateRow
from kb.ranker import BETWEEN

POLICIES = Path(__file__).resolve().parent / "policies.npz"
"""Examples from questions_policies.jsonl, beside which any ranker learns: laws alone teach too little."""

Candidates = Callable[[Question], tuple[AskedTerms, Sequence[CandidateRow]]]
"""A question -> its terms and its candidates in order."""

# Chosen on five folds of laws: fewer leaves and more regularisation than the defaults, since some 600 questions
# teach it. 200 trees in three forests gained nothing more; 400 trees, or leaves of 20 examples, gained on the training
# laws and lost on the others.
_PARAMETERS = {
    "objective": "lambdarank", "num_leaves": 15, "learning_rate": 0.04, "min_data_in_leaf": 80, "lambda_l2": 10.0,
    "bagging_fraction": 0.8, "bagging_freq": 1, "feature_fraction": 0.5, "lambdarank_truncation_level": 50,
    "verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True,
}
_TREES = 150
_FORESTS = 2
_HERE, _NEAR = 3, 1              # labels: gains of 7 and 1
_NOTHING = "没有一个问题的答案在候选条文中，学不到排序。请确认 --home 已收入这些问题所引的文件"


@dataclass(frozen=True, slots=True)
class Example:
    """One question's candidates as numbers, and which of them answer it."""

    names: tuple[str, ...]
    features: Numbers            # shape (candidates, features)
    answers: Numbers             # per candidate: 3 where the answer stands, 1 elsewhere in its document, 0


def examples(questions: Iterable[GoldQuestion], candidates: Candidates) -> list[Example]:
    """One per question whose answer is among its candidates: the others teach nothing about order."""
    found = []
    for asked in questions:
        terms, rows = candidates(asked.question)
        answers = np.array([_answers(asked, row) for row in rows], dtype=np.float32)
        if answers.any():
            names, features = feature_matrix(terms, [row.candidate for row in rows])
            found.append(Example(names, features, answers))
    return found


def _answers(asked: GoldQuestion, row: CandidateRow) -> int:
    """Known to the article, or to a span of a document, or to the document only."""
    right = {ref for group in asked.gold for ref in group}
    if not asked.by_document:
        return _HERE if trec_ref(row.ref) in right else 0
    name = document_name(row.source)
    span = asked.span
    if span and name == span.document and row.start < span.end and span.start < row.end:
        return _HERE
    return _NEAR if name in right else 0


def write_examples(found: Sequence[Example], out: Path) -> None:
    """As numbers only: no text can be read back. Raises `PolicyDeskError` when there is nothing to write."""
    if not found:
        raise PolicyDeskError(_NOTHING)
    with out.open("wb") as file:
        np.savez_compressed(
            file, names=np.array(found[0].names), sizes=np.array([len(e.answers) for e in found]),
            features=np.concatenate([e.features for e in found]).astype(np.float16),     # half the file, ranks the same
            answers=np.concatenate([e.answers for e in found]).astype(np.int8),
        )


def read_examples(path: Path) -> list[Example]:
    """Raises `PolicyDeskError` for anything but a file of `write_examples`."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            names, ends = tuple(stored["names"].tolist()), np.cumsum(stored["sizes"])[:-1]
            features, answers = (stored[name].astype(np.float32) for name in ("features", "answers"))
            parts = np.split(features, ends), np.split(answers, ends)
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise PolicyDeskError(f"{path} 不是训练样例（{error}）。请用 policydesk train examples 生成") from error
    return [Example(names, features, answers) for features, answers in zip(*parts, strict=True)]


def train_ranker(taught: Sequence[Example], out: Path, *, seed: int) -> None:
    """Write the trained model as text. Raises `PolicyDeskError` when there is nothing to learn from."""
    import lightgbm

    if not taught:
        raise PolicyDeskError(_NOTHING)
    if any(example.names != taught[0].names for example in taught):
        raise PolicyDeskError("这些训练样例的特征各不相同：出自不同版本的程序。请用 policydesk train examples 重新生成")
    forests = []
    for number in range(_FORESTS):
        data = lightgbm.Dataset(
            np.concatenate([example.features for example in taught]),
            np.concatenate([example.answers for example in taught]),
            group=[len(example.answers) for example in taught],
            feature_name=list(taught[0].names),
        )
        forest = lightgbm.train({**_PARAMETERS, "seed": seed + number}, data, num_boost_round=_TREES)
        forests.append(forest.model_to_string())
    out.write_text(BETWEEN.join(forests), encoding="utf-8")


def without_laws(questions: Iterable[GoldQuestion], laws: Iterable[str]) -> list[GoldQuestion]:
    """The questions without gold in one of ``laws``, which a reference names before its ``@`` or ``#``."""
    left_out = set(laws)
    return [
        asked for asked in questions
        if not any(law_of(ref) in left_out for group in asked.gold for ref in group)
    ]


def read_laws(path: Path | None) -> list[str]:
    """The names of a file, one a line; none without a file."""
    if path is None:
        return []
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyDeskError(f"读不了 {path}：{error}。应为每行一个法律名称的 UTF-8 文本") from error
