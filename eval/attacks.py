"""Spoilt drafts: how many `qa.verify` catches, and how many true ones it drops.

``policydesk eval attacks`` prints the table; ``python -m eval.attacks calibrate DOCUMENTS…`` chooses the weights and
the threshold of `qa.support` on the documents of the split "dev" and prints them. Documents of the split "test" had
no part in that: a document is of one split, which a digest of its id decides. `eval/attacks_hand.jsonl` holds
sentences that were written by hand over passages of `data_samples`: {"quotes", "sentence", "true", "kind"}.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from core.config import Config, load_config
from core.records import Document
from eval.attack_kinds import KINDS, Pair, World
from eval.attack_pairs import sentences_of, true_pairs
from ingest.read import ReadSettings, find_files, read_files
from qa.support import WITH_ENCODER, Likeness, Support, Weights
from qa.verify import check, matches_of

HAND = Path(__file__).with_name("attacks_hand.jsonl")
SAMPLES = Path(__file__).resolve().parent.parent / "data_samples"
SEED = 6


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence to check, and what should become of it."""

    kind: str                    # of the corruption, or how the true one was made
    true: bool
    sentence: str
    quotes: tuple[str, ...]
    document: str = ""
    part: str = ""               # of those written by hand: first, second, third, in the order of their making


@dataclass(frozen=True, slots=True)
class Loss:
    """A spoilt sentence that was let through, or a true one that was dropped."""

    kind: str
    true: bool
    sentence: str
    quotes: tuple[str, ...]
    reasons: tuple[str, ...]
    score: float


@dataclass(slots=True)
class Tally:
    """Of one kind."""

    count: int = 0
    right: int = 0


@dataclass(slots=True)
class AttackResult:
    """True and spoilt sentences by kind."""

    true: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    spoilt: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    losses: list[Loss] = field(default_factory=list)
    documents: int = 0
    milliseconds: list[float] = field(default_factory=list)     # of processor time, one for each sentence

    @property
    def caught(self) -> tuple[int, int]:
        return sum(t.right for t in self.spoilt.values()), sum(t.count for t in self.spoilt.values())

    @property
    def dropped(self) -> tuple[int, int]:
        count = sum(t.count for t in self.true.values())
        return count - sum(t.right for t in self.true.values()), count


def read_documents(paths: Sequence[Path], config: Config) -> list[Document]:
    """Each document once, in the order of their ids; read in this process."""
    limits = config.ingest.model_copy(update={"workers": 0})
    settings = ReadSettings(limits, config.regions.names, lambda source, sha256: False, lambda count: None)
    read = read_files(find_files(paths), settings)
    found = {item.id: item for item in read if isinstance(item, Document)}
    return [found[id_] for id_ in sorted(found)]


def split_of(document: str) -> str:
    """dev or test, by a digest of the id."""
    return "dev" if int(hashlib.md5(document.encode()).hexdigest(), 16) % 2 else "test"


def drafts(documents: Sequence[Document], *, seed: int = SEED, per_document: int = 30,
per_pair: int = 6) -> Iterator[Draft]:
    """True sentences of the documents and, of each, up to ``per_pair`` spoilt ones of different kinds."""
    chance = random.Random(seed)
    passages = [(document.id, quote) for document in documents for _, quote in sentences_of(document)]
    if not passages:
        return
    world = World(
        titles=[document.facts.title for document in documents if 5 <= len(document.facts.title) <= 40],
        bodies=[document.facts.issuer for document in documents if document.facts.issuer],
        clauses=_clauses(documents, chance), quotes=passages,
    )
    names = list(KINDS)
    turn = 0
    for pair in true_pairs(documents, chance, per_document=per_document):
        yield Draft(pair.how, True, pair.sentence, pair.quotes, pair.document)
        made = 0
        for _ in names:
            name = names[turn % len(names)]
            turn += 1
            spoilt = KINDS[name](pair, chance, world)
            if spoilt is not None and _is_spoilt(pair, spoilt):
                yield Draft(name, False, spoilt.sentence, spoilt.quotes, pair.document)
                made += 1
                if made == per_pair:
                    break


def _clauses(documents: Sequence[Document], chance: random.Random) -> list[str]:
    """Clauses of other documents, to be put where they do not belong."""
    found = [part for document in documents for sentence, _ in sentences_of(document)[:20]
             for part in sentence.rstrip("。").split("，")[1:] if 8 <= len(part) <= 24 and "、" not in part]
    chance.shuffle(found)
    return found[:2000] or ["需要本人到场办理"]


def _is_spoilt(pair: Pair, spoilt: Pair) -> bool:
    """What the quotes hold word for word all the same is no attack."""
    return not any(spoilt.sentence.rstrip("。；") in quote for quote in spoilt.quotes)


def read_hand(path: Path = HAND) -> list[Draft]:
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = (json.loads(line) for line in lines if line)
    return [Draft(row["kind"], row["true"], row["sentence"], tuple(row["quotes"]), part=row["part"]) for row in rows]


def measure(some: Iterable[Draft], support: Support) -> AttackResult:
    result = AttackResult()
    seen: set[str] = set()
    for draft in some:
        seen.add(draft.document)
        start = time.process_time()
        verdict = check(draft.sentence, draft.quotes, support)
        result.milliseconds.append(1000 * (time.process_time() - start))
        tally = (result.true if draft.true else result.spoilt)[draft.kind]
        tally.count += 1
        if verdict.carried is draft.true:
            tally.right += 1
        else:
            result.losses.append(
                Loss(draft.kind, draft.true, draft.sentence, draft.quotes, verdict.reasons, verdict.score))
    result.documents = len(seen)
    return result


def attack_lines(result: AttackResult, *, losses: int = 20) -> Iterator[str]:
    caught, spoilt = result.caught
    dropped, true = result.dropped
    p50, p95 = np.percentile(result.milliseconds or [0.0], [50, 95])
    yield f"{result.documents} 份文件；每句用处理器时间 p50 {p50:.2f} 毫秒，p95 {p95:.2f} 毫秒"
    yield f"篡改的句子：查出 {caught} / {spoilt}（{caught / max(1, spoilt):.2%}）"
    for kind, tally in result.spoilt.items():
        yield f"  {kind}  {tally.right} / {tally.count}"
    yield f"属实的句子：误删 {dropped} / {true}（{dropped / max(1, true):.2%}）"
    for kind, tally in result.true.items():
        yield f"  {kind}  误删 {tally.count - tally.right} / {tally.count}"
    for loss in result.losses[:losses]:
        yield f"{'误删' if loss.true else '漏过'}（{loss.kind}，{loss.score:.2f}）：{loss.sentence}"
        yield f"  引文：{' ┃ '.join(loss.quotes)[:300]}"
        if loss.reasons:
            yield f"  理由：{'；'.join(loss.reasons)}"


def attack_record(result: AttackResult) -> dict[str, object]:
    """For JSON: counts by kind, and every loss."""
    return {
        "documents": result.documents,
        "spoilt": {kind: asdict(tally) for kind, tally in result.spoilt.items()},
        "true": {kind: asdict(tally) for kind, tally in result.true.items()},
        "losses": [asdict(loss) for loss in result.losses],
    }


# the weights of the score


def calibrated(some: Sequence[Draft], hand: Sequence[Draft], support: Support) -> Weights:
    """Logistic regression on the sentences that no rule decides; those of ``hand`` count as much as ``some`` together.

    The threshold lets all but 0.5 % of the true generated sentences by and all but 1.2 % of those written by hand:
    the rules drop true ones, too, and both together may drop 3 %.
    """
    open_support = replace(support, weights=replace(support.weights, threshold=0.0))
    rows: list[Likeness] = []
    labels: list[float] = []
    weights_of: list[float] = []
    kinds: list[bool] = []
    for group in (some, hand):
        left = [draft for draft in group if draft.true or check(draft.sentence, draft.quotes, open_support).carried]
        for draft in left:
            rows.append(matches_of(draft.sentence, draft.quotes, support))
            labels.append(float(draft.true))
            weights_of.append(1 / sum(other.true is draft.true for other in left))
            kinds.append(group is hand)
    columns = np.array([[1.0, row.novel, row.longest, row.replaced, row.least, row.meaning] for row in rows])
    wanted, balance, by_hand = np.array(labels), np.array(weights_of), np.array(kinds)
    signs = np.array([0, -1, -1, -1, 1, 1])        # a letter more that is not in the quote never speaks for a sentence
    weights = np.zeros(columns.shape[1])
    for _ in range(6000):
        guess = 1 / (1 + np.exp(-np.clip(columns @ weights, -30, 30)))
        weights -= 0.1 * (columns.T @ ((guess - wanted) * balance) + 0.01 * weights)
        weights = np.where(signs * weights < 0, 0.0, weights)
    scores = 1 / (1 + np.exp(-np.clip(columns @ weights, -30, 30)))
    floors = [np.quantile(scores[(wanted == 1) & (by_hand == own)], share) for own,
    share in ((False, 0.005), (True, 0.012))]
    meaning = float(np.median(columns[wanted == 1, 5]))
    found = [round(float(value), 3) for value in (*weights, meaning, min(floors) - 0.001)]
    return Weights(*found)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["calibrate"])
    parser.add_argument("documents", nargs="*", type=Path, default=[SAMPLES])
    parser.add_argument("--most", type=int, default=200, help="documents that are taken")
    parser.add_argument("--plain", action="store_true", help="without the built-in encoder")
    given = parser.parse_args(arguments)
    some = [d for d in read_documents(given.documents, load_config()) if split_of(d.id) == "dev"][: given.most]
    support = support_of(encoder=not given.plain)
    weights = calibrated(
        [*drafts(some, per_document=15)], read_hand(), support)
    sys.stdout.write(f"{weights}\n")
    return 0


def support_of(*, encoder: bool) -> Support:
    """As the product has it, with the built-in encoder or with letters alone."""
    if not encoder:
        return Support()
    from kb.static_encoder import StaticEncoder

    return Support(StaticEncoder(), WITH_ENCODER)


if __name__ == "__main__":
    raise SystemExit(main())
