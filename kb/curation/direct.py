"""Direct answers: the published entry whose question is the one that was asked, with its quotes where they stand now.

All questions of all entries are kept in memory, and read again when an entry has changed, which one counter tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from core.records import Citation, SearchOptions
from core.regions import region_chain
from kb.curation.faq import VERSION, cited, load_all
from kb.curation.faq_entries import FaqEntry, FaqState
from kb.curation.faq_likeness import Features, Likeness, Questions
from kb.log.ledger import Ledger
from kb.rows import STORED, stored_of
from kb.schema import counters, documents


@dataclass(frozen=True, slots=True)
class Direct:
    """What an entry says to a question."""

    entry: FaqEntry
    likeness: float
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """The published entries of one moment, each question of each a row."""

    version: int
    entries: tuple[FaqEntry, ...]
    of_row: tuple[int, ...]                      # place of the entry
    questions: Questions
    negatives: tuple[tuple[Features, ...], ...]  # of each entry
    regions: NDArray[np.str_]                    # of each row; "" for the whole country
    public: NDArray[np.bool_]
    named: tuple[frozenset[str], ...]            # of each entry: the names of its region and those above it


class DirectAnswers:
    """Threads may share it."""

    def __init__(
        self, ledger: Ledger, likeness: Callable[[], Likeness], *, threshold: float, region_names: Mapping[str, str]
    ) -> None:
        """``likeness`` is called when there is an entry to compare with, since an encoder takes time to load."""
        self._ledger = ledger
        self._make_likeness = likeness
        self._likeness: Likeness | None = None
        self._threshold = threshold
        self._names = region_names
        self._known: _Known | None = None

    def __call__(self, text: str, options: SearchOptions) -> Direct | None:
        """The entry that answers within ``options``, or None: then the documents are to be searched.

        Each of its quotes stands in a published document that ``options`` let be found, in an article that is still
        as it was when the entry was published.
        """
        with self._ledger.reading() as connection:
            known = self._newest(connection)
            if known is None or self._likeness is None:
                return None
            asked = self._likeness.features(text)
            allowed = np.ones(len(known.of_row), dtype=np.bool_)
            if options.regions is not None:
                allowed &= np.isin(known.regions, [region or "" for region in options.regions])
            if options.public_only:
                allowed &= known.public
            for row, value in known.questions.nearest(asked, allowed):
                place = known.of_row[row]
                entry = known.entries[place]
                if value < (entry.threshold or self._threshold) or self._other_place(known, asked, row):
                    continue
                if any(self._likeness.same(asked, one) > value for one in known.negatives[place]):
                    continue
                if citations := _citations(connection, entry, options):
                    return Direct(entry, value, citations)
        return None

    def _other_place(self, known: _Known, asked: Features, row: int) -> bool:
        """The question names a place that neither the stored question names nor the region of the entry is."""
        stored = known.questions.features[row].points.regions
        return bool(asked.points.regions - stored - known.named[known.of_row[row]])

    def _newest(self, connection: Connection) -> _Known | None:
        """None while there was no entry yet."""
        version = connection.scalar(select(counters.c.number).where(counters.c.key == VERSION)) or 0
        known = self._known
        if known is None or known.version != version:
            entries = tuple(load_all(connection, [FaqState.PUBLISHED]))
            if entries and self._likeness is None:
                self._likeness = self._make_likeness()
            known = self._known = self._learn(version, entries)
        return known if known and known.entries else None

    def _learn(self, version: int, entries: tuple[FaqEntry, ...]) -> _Known | None:
        rows = [(place, text) for place, entry in enumerate(entries) for text in (entry.question, *entry.similar)]
        likeness = self._likeness
        if likeness is None:
            return None
        return _Known(
            version, entries, tuple(place for place, _ in rows),
            Questions(likeness, [text for _, text in rows]),
            tuple(tuple(likeness.features(text) for text in entry.negative) for entry in entries),
            np.array([entries[place].region or "" for place, _ in rows]),
            np.array([entries[place].public for place, _ in rows], dtype=np.bool_),
            tuple(self._names_of(entry.region) for entry in entries),
        )

    def _names_of(self, region: str | None) -> frozenset[str]:
        codes = region_chain(region) if region else ()
        return frozenset(self._names[code] for code in codes if code is not None and code in self._names)


def _citations(connection: Connection, entry: FaqEntry, options: SearchOptions) -> tuple[Citation, ...]:
    """The quotes of an entry where they stand; empty when one does not, or its document must not be found."""
    made = []
    for n, basis in enumerate(entry.citations, start=1):
        found = cited(connection, basis)
        if found is None or not found.is_as_checked(basis):
            return ()
        row = connection.execute(select(*STORED).where(documents.c.id == found.document_id)).one()
        document = stored_of(row)
        facts, day = document.facts, options.as_of
        if (day and not document.in_force(day)) or (options.public_only and not facts.public):
            return ()
        if options.regions is not None and facts.region not in options.regions:
            return ()
        start = found.start + found.text.index(basis.quote)
        made.append(Citation(
            n, document.id, facts.doc_no, facts.title, basis.address, found.ref, basis.quote, start,
            start + len(basis.quote), None, None, True, facts.url,
        ))
    return tuple(made)
