"""Everyday words -> official terms: a curated list, by which a question is expanded before it is searched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError
from kb.tokens import plain

SHIPPED = Path(__file__).resolve().parent / "everyday_terms.tsv"
_DECAY = 0.8             # an entry's best term comes first; each further one counts this much less


@dataclass(frozen=True, slots=True)
class Expansion:
    """One official term that a question is searched by, besides its own words."""

    term: str
    weight: float            # 0 to 1, before `search.term_weight`
    because: str             # the expression of the question


class TermMap:
    """A list of entries, ready to be looked up. Threads may share it."""

    def __init__(self, entries: Mapping[str, Sequence[str]]) -> None:
        """``entries``: everyday expression -> official terms, the best first."""
        self._entries = {plain(expression): tuple(terms) for expression, terms in entries.items()}
        self._longest = max(map(len, self._entries), default=0)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> Mapping[str, tuple[str, ...]]:
        """Everyday expression -> official terms, the best first."""
        return self._entries

    def expand(self, question: str) -> tuple[Expansion, ...]:
        """The terms of every expression found, in order; of expressions that lie in one another the longest counts.

        A term that the question holds itself is left out.
        """
        text = plain(question)
        best: dict[str, Expansion] = {}
        for start, end in self._found(text):
            expression = text[start:end]
            for place, term in enumerate(self._entries[expression]):
                weight = _DECAY**place
                if term not in text and (term not in best or best[term].weight < weight):
                    best[term] = Expansion(term, weight, expression)
        return tuple(best.values())

    def _found(self, text: str) -> list[tuple[int, int]]:
        spans: list[tuple[int, int]] = []
        reached = 0
        for start in range(len(text)):
            for end in range(min(len(text), start + self._longest), start, -1):
                if text[start:end] in self._entries:
                    if end > reached:       # else it lies within one that began earlier
                        spans.append((start, end))
                        reached = end
                    break
        return spans


def read_terms(paths: Iterable[Path]) -> TermMap:
    """The entries of all files together. Raises `ConfigError` naming the file and the line that is wrong."""
    entries: dict[str, list[str]] = {}
    for path in paths:
        for number, line in enumerate(_lines(path), start=1):
            if not line.strip() or line.startswith("#"):
                continue
            left, tab, right = line.partition("\t")
            expressions, terms = _parts(left), _parts(right)
            if not tab or not expressions or not terms:
                raise ConfigError(f"{path}:{number} 应为“日常说法、日常说法<Tab>规范用语、规范用语”，实际是 {line!r}")
            for expression in expressions:
                known = entries.setdefault(expression, [])
                known.extend(term for term in terms if term not in known)
    return TermMap(entries)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise ConfigError(f"找不到用语表 {path}（search.terms_file）。请检查路径") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"用语表 {path}（search.terms_file）不是可读的 UTF-8 文本：{error}") from error


def _parts(text: str) -> list[str]:
    return [part for piece in text.split("、") if (part := plain(piece).strip())]
