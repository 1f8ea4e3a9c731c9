"""What lies near what: pairs of texts that mean alike, from three sources that know nothing of one question set's gold.

Pairs of a question and the article that answers it (`gold_pairs`) are for an organisation's own questions. The encoder
that ships has none: on laws kept from training they gained nothing, and on everyday questions about other documents
they lost (first ten 0.75 -> 0.71), since they teach which articles are asked for.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kb.tokens import plain
from train.passages import Answered, Passage

Pair = tuple[str, str]

_CLAUSE = re.compile(r"(?<=[。；，：\n])")
_SENTENCE = re.compile(r"[。；\n]")
_SHORTEST = 10                   # characters of a text that says something
_USES = 60                       # of one official term: 用人单位 stands in thousands of articles
_NEAR = 60                       # characters around a term in which a caller's next words may come from
_SURROUND = 12                   # characters of the article kept on each side
_DECAY = 0.8                     # an entry's best term comes first, as in `kb.expansion`
_ANSWER_SENTENCES = 12           # of one answer, so that long answers do not outweigh short ones


def sentence_pairs(passages: Sequence[Passage], rng: random.Random) -> Iterator[Pair]:
    """A clause or two of an article, and the rest of it; the title goes with the rest in half of the pairs only."""
    for passage in passages:
        clauses = [clause for clause in _CLAUSE.split(passage.text) if len(clause) > 1]
        if len(passage.text) < 40 or len(clauses) < 2:
            continue
        start = rng.randrange(len(clauses))
        end = min(len(clauses), start + rng.choice((1, 2)))
        said, rest = "".join(clauses[start:end]), "".join(clauses[:start] + clauses[end:])
        if len(said) < 6 or len(rest) < _SHORTEST:
            continue
        chance = rng.random()
        if chance < 0.5:
            rest = f"{passage.title} {passage.heading} {rest}"
        elif chance < 0.65:
            said = f"{passage.title}{said}"
        yield said, rest


def everyday_pairs(
    passages: Sequence[Passage], terms: Mapping[str, Sequence[str]], rng: random.Random
) -> Iterator[Pair]:
    """A caller's words for what an article says, and the article: official terms replaced by everyday expressions."""
    spoken = _spoken(terms)
    by_first = _by_first(spoken)
    uses: Counter[str] = Counter()
    order = list(range(len(passages)))
    rng.shuffle(order)
    for number in order:
        text = plain(passages[number].text)
        spans = [(start, end) for start, end in _spans(text, by_first) if uses[text[start:end]] < _USES]
        if not spans:
            continue
        start, end = rng.choice(spans)
        uses[text[start:end]] += 1
        others = [span for span in spans if abs(span[0] - start) < _NEAR and span != (start, end)]
        rng.shuffle(others)
        said = [_pick(spoken[text[s:e]], rng) for s, e in sorted([(start, end), *others[: rng.choice((0, 1, 2))]])]
        if rng.random() < 0.6:
            before, after = rng.randrange(_SURROUND), rng.randrange(_SURROUND)
            said += [text[max(0, start - before) : start], text[end : end + after]]
        yield " ".join(said), text


def term_pairs(terms: Mapping[str, Sequence[str]]) -> Iterator[Pair]:
    """Each everyday expression, and its official terms."""
    for expression, official in terms.items():
        yield expression, " ".join(official)


def answer_pairs(answered: Iterable[Answered]) -> Iterator[Pair]:
    """A question, and each sentence of its answer: lawyers and officials say it in the words of the rules."""
    for one in answered:
        sentences = [sentence for sentence in _SENTENCE.split(one.answer) if len(sentence) >= _SHORTEST]
        for sentence in sentences[:_ANSWER_SENTENCES]:
            yield one.question, sentence


def gold_pairs(answered: Iterable[Answered], passages: Iterable[Passage]) -> Iterator[Pair]:
    """A question, and each article that answers it, without its title."""
    text_of = {passage.ref: passage.text for passage in passages}
    for one in answered:
        yield from ((one.question, text_of[ref]) for ref in one.gold if ref in text_of)


def distinct(passages: Iterable[Passage]) -> list[Passage]:
    """One of each text: versions of a law repeat most of it."""
    return list({passage.text: passage for passage in passages}.values())


def _spoken(terms: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[str, float]]]:
    """Official term -> what people say for it, with weights."""
    found: dict[str, list[tuple[str, float]]] = {}
    for expression, official in terms.items():
        for place, term in enumerate(official):
            if len(term) > 1:
                found.setdefault(plain(term), []).append((expression, _DECAY**place))
    return found


def _by_first(terms: Iterable[str]) -> dict[str, list[str]]:
    """First character -> terms, the longest first."""
    found: dict[str, list[str]] = {}
    for term in terms:
        found.setdefault(term[0], []).append(term)
    return {first: sorted(group, key=lambda term: (-len(term), term)) for first, group in found.items()}


def _spans(text: str, by_first: Mapping[str, Sequence[str]]) -> Iterator[tuple[int, int]]:
    """Where official terms stand; of terms that overlap the first and longest."""
    reached = 0
    for start, first in enumerate(text):
        if start >= reached:
            for term in by_first.get(first, ()):
                if text.startswith(term, start):
                    reached = start + len(term)
                    yield start, reached
                    break


def _pick(choices: Sequence[tuple[str, float]], rng: random.Random) -> str:
    return rng.choices([said for said, _ in choices], [weight for _, weight in choices])[0]
