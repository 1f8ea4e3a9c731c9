"""Change a knowledge base in any order that hypothesis thinks of, and hold it against a model after each change.

    python -m tests.kb_machine --sequences 1000
    python -m tests.kb_machine --sequences 1000 --memory

Uploads, drafts, publishing, withdrawing, edits and their undoing, rulings, repeals, entries that lean on articles,
another index, closing and opening, damage and a doctor: after each, every published article must be found exactly once
and nothing else, by search, in the graph and in direct answers, at the moment the call returns. While a change is made
a thread searches, and must see the state before or after it. Prints how often each change was made.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from core.errors import PolicyDeskError
from core.records import EditorChange, SearchOptions, State
from ingest.correct import field_change, merge_change, split_change, text_change
from kb.curation import faq, lifecycle
from kb.curation.faq_entries import Basis, FaqEntry
from kb.log.audit import utc_now
from kb.schema import faqs
from kb.upkeep.doctor import examine, repair
from tests.kb_machine_desk import OpenedDesk
from tests.kb_machine_home import (
    DAMAGES,
    IN_SQL,
    agree,
    check_graph,
    check_revisions,
    check_searches,
    closed_home,
    damage,
    empty_database,
    findings,
    likeness,
    words_found,
)
from tests.kb_machine_world import (
    SINCE,
    TITLES,
    TODAY,
    Content,
    Entry,
    Ruling,
    address,
    content_of,
    document_of,
    word_of,
)

_QUESTION = "{}由哪个部门办理？"


class Machine(OpenedDesk):
    """All changes, and what must hold after each."""

    # readings

    @initialize(data=st.data())
    def first(self, data: st.DataObject) -> None:
        self.upload(data, ["dogs.md", "parking-1.md"])

    @rule(data=st.data(), names=st.lists(st.sampled_from(sorted(TITLES)), min_size=1, max_size=3, unique=True))
    def upload(self, data: st.DataObject, names: list[str]) -> None:
        self.read("upload", {name: self.reading(data, name) for name in names})

    @precondition(lambda self: any(source.readings for source in self.world.sources.values()))
    @rule(data=st.data())
    def upload_again(self, data: st.DataObject) -> None:
        name = self.some(data, lambda name: self.world.sources[name].readings)
        self.read("upload again", {name: data.draw(st.sampled_from(list(self.world.sources[name].readings)))})

    @precondition(lambda self: self.any_live())
    @rule(data=st.data())
    def upload_as_edited(self, data: st.DataObject) -> None:
        """The issuer took over what our editors had corrected."""
        name = self.a_live(data)
        live = self.world.sources[name].live
        assert live is not None
        self.read("upload as edited", {name: Content(live.texts, live.since, live.public)})

    def read(self, what: str, readings: dict[str, Content]) -> None:
        with self.watched(what):
            report = self.desk.base.add([document_of(*one) for one in readings.items()], publish=True)
            held = {name for name, reading in readings.items() if not self.world.read(name, reading)}
        assert {one.source for one in report.held} == held
        self.counts["readings held back"] += len(held)

    @rule(data=st.data(), name=st.sampled_from(sorted(TITLES)))
    def draft(self, data: st.DataObject, name: str) -> None:
        reading = self.reading(data, name)
        with self.watched("draft"):
            self.desk.base.add([document_of(name, reading)], publish=False)
            self.world.draft(name, reading)

    @precondition(lambda self: any(s.waiting or s.away for s in self.world.sources.values()))
    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        """A draft, or what was taken out."""
        name = self.some(data, lambda name: self.world.sources[name].waiting or self.world.sources[name].away)
        source = self.world.sources[name]
        content = data.draw(st.sampled_from([*source.waiting, *sorted(source.away, key=repr)]))
        (wanted,) = (
            one.id for one in self.desk.base.documents([State.DRAFT, State.REMOVED])
            if one.source == name and content_of(self.desk.base.document(one.id)) == content
        )
        with self.watched("publish"):
            self.desk.base.publish([wanted])
            self.world.publish(name, content)

    @precondition(lambda self: self.any_live())
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        name = self.a_live(data)
        content = self.world.sources[name].live
        assert content is not None
        document = self.published()[name]
        with self.watched("withdraw"):
            begun = time.perf_counter()
            self.desk.base.withdraw(document)
            self.world.withdraw(name)
            for text in content.texts:
                assert word_of(text) not in words_found(self.desk.base, text=f"代码{word_of(text)}")
            self.counts["ms to unfindable, most"] = max(
                self.counts["ms to unfindable, most"], round(1000 * (time.perf_counter() - begun))
            )

    # edits

    @precondition(lambda self: self.any_live())
    @rule(data=st.data(), back=st.booleans())
    def edit_text(self, data: st.DataObject, back: bool) -> None:
        name = self.a_live(data)
        live = self.world.sources[name].live
        assert live is not None
        article = data.draw(st.integers(0, len(live.texts) - 1))
        readings = [one.texts for one in self.world.sources[name].readings if article < len(one.texts)]
        earlier = [texts[article] for texts in readings if texts[article] != live.texts[article]]
        new = data.draw(st.sampled_from(earlier)) if back and earlier else self.sentence(data, name, article)
        document = self.desk.base.document(self.published()[name])
        self.edit(name, text_change(document, address(article), new))

    @precondition(lambda self: self.any_live())
    @rule(data=st.data(), day=st.sampled_from(SINCE), date_not_public=st.booleans())
    def edit_field(self, data: st.DataObject, day: date, date_not_public: bool) -> None:
        name = self.a_live(data)
        document = self.desk.base.document(self.published()[name])
        if not date_not_public:
            self.edit(name, field_change(document, "public", "否" if document.facts.public else "是"))
        elif document.facts.effective_from != day:
            self.edit(name, field_change(document, "effective_from", day.isoformat()))

    @precondition(lambda self: any(len(c.texts) > 2 for c in self.world.published().values()))
    @rule(data=st.data())
    def cut(self, data: st.DataObject) -> None:
        """Split the third article, or join its chunks again."""
        name = self.some(data, lambda name: len(self.world.published().get(name, Content((), TODAY)).texts) > 2)
        document = self.desk.base.document(self.published()[name])
        mine = [chunk for chunk in document.chunks if chunk.article == 2]
        if len(mine) > 1:
            self.edit(name, merge_change(document, "第三条", 1))
        else:
            self.edit(name, split_change(document, "第三条", "事项代码另行"))

    def edit(self, name: str, change: EditorChange) -> None:
        source = self.world.sources[name]
        document = self.published()[name]
        made, conflicts = self.world.changed(name, [*source.edits.values(), change])
        with self.watched(f"edit {change.kind}"):
            if change in conflicts or made == source.live:
                try:
                    self.desk.base.editing.edit(document, change, "某人")
                except PolicyDeskError:
                    self.counts["edits refused"] += 1
                else:
                    raise AssertionError(f"{change} was made")
            else:
                self.desk.base.editing.edit(document, change, "某人")
                standing = [e.number for e in self.desk.base.editing.edits(name) if e.undone_at is None]
                source.edits[standing[-1]] = change
                self.world.make(name, made, list(source.edits.values()))

    @precondition(lambda self: any(s.edits and s.live for s in self.world.sources.values()))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        name = self.some(data, lambda name: self.world.sources[name].edits and self.world.sources[name].live)
        source = self.world.sources[name]
        number = data.draw(st.sampled_from(sorted(source.edits)))
        with self.watched("undo"):
            self.desk.base.editing.undo(number, "某人")
            del source.edits[number]
            left = list(source.edits.values())
            made, _ = self.world.changed(name, left)
            self.world.make(name, made, left)

    # validity and entries

    @precondition(lambda self: self.any_live())
    @rule(data=st.data(), day=st.sampled_from([None, date(2023, 6, 1), date(2026, 1, 1), date(2027, 1, 1)]))
    def decide(self, data: st.DataObject, day: date | None) -> None:
        name = self.a_live(data)
        document = self.published()[name]
        with self.watched("ruling"):
            number = self.desk.base.change(lambda c: lifecycle.rule(
                c, document, "某人", repealed=day is not None, day=day, by_name=None, reason=""))
            self.world.sources[name].rulings.append(Ruling(number, day))

    @precondition(lambda self: any(source.rulings for source in self.world.sources.values()))
    @rule(data=st.data())
    def undo_ruling(self, data: st.DataObject) -> None:
        rulings = self.world.sources[self.some(data, lambda name: self.world.sources[name].rulings)].rulings
        undone = data.draw(st.sampled_from(rulings))
        with self.watched("undo ruling"):
            self.desk.base.change(lambda c: lifecycle.undo_ruling(c, undone.number, "某人"))
            rulings.remove(undone)

    @precondition(lambda self: self.any_live())
    @rule(data=st.data(), article=st.integers(0, 1))
    def write_entry(self, data: st.DataObject, article: int) -> None:
        """One that answers, in place of an earlier one of that rule; only for what nobody ended."""
        name = self.a_live(data)
        live = self.world.sources[name].live
        assert live is not None
        if self.world.span(name).end is not None:
            return
        text = live.texts[article]
        question = _QUESTION.format(TITLES[name][:-2])
        entry = FaqEntry(question, text.split("。")[0] + "。", (Basis(name, address(article), text),))
        earlier = self.world.entries.pop(TITLES[name], None)
        with self.watched("entry"), self.desk.base.ledger.changing() as connection:
            if earlier is not None:
                faq.withdraw(connection, "某人", earlier.id)
            number = faq.add(connection, "某人", entry)
            faq.publish(connection, "某人", number)
            self.world.entries[TITLES[name]] = Entry(number, name, article, text)

    @precondition(lambda self: any(self.world.stands(e) and not e.published for e in self.world.entries.values()))
    @rule()
    def publish_entry_again(self) -> None:
        entry = next(e for e in self.world.entries.values() if self.world.stands(e) and not e.published)
        with self.watched("entry again"), self.desk.base.ledger.changing() as connection:
            faq.publish(connection, "某人", entry.id)
            entry.published = True

    # the home

    @precondition(lambda self: self.touched)
    @rule()
    def close_and_open(self) -> None:
        self.touched = False
        self.counts["close and open"] += 1
        self.inner.close()
        self.open()

    @precondition(lambda self: self.touched)
    @rule()
    def reindex(self) -> None:
        """With other weights of words, while it answers."""
        self.inner.close()
        self.k1 = 1.3 if self.k1 == 1.2 else 1.2
        self.open(as_made=True)
        with self.watched("reindex"):
            assert self.desk.reindex(lambda there, coming: None) is not None
        self.touched = False

    @precondition(lambda self: self.touched)
    @rule(what=st.lists(st.sampled_from(DAMAGES), min_size=1, max_size=3, unique=True), chance=st.integers(0, 999))
    def damage_and_repair(self, what: list[str], chance: int) -> None:
        if self.vectors == ":memory:":
            what = [one for one in what if one in IN_SQL]
        self.inner.close()
        self.touched = False
        with closed_home(self.vectors, self.k1, self.home) as case:
            done = sum(damage(case, one, random.Random(chance)) for one in what)
            agree(bool(findings(case)), done > 0)
            repair(case, examine(case, deep=True), "某人")
            agree(findings(case), [])
        self.counts["damages repaired"] += done
        self.open()

    # what must hold

    @invariant()
    def every_published_article_is_found_once_and_nothing_else(self) -> None:
        self.counts["states looked at"] += 1
        check_searches(self.desk.base, self.world, len(self.known))

    @invariant()
    def revisions_read_as_they_should(self) -> None:
        check_revisions(self.desk.base, self.world)
        self.known.append((utc_now(), set(self.published().values())))

    @invariant()
    def the_graph_says_what_published_documents_say(self) -> None:
        check_graph(self.desk.base, self.world)

    @invariant()
    def entries_answer_while_they_stand(self) -> None:
        with self.desk.base.reading() as connection:
            states = {row.id: row.state for row in connection.execute(select(faqs.c.id, faqs.c.state))}
        for title, entry in self.world.entries.items():
            assert states[entry.id] == ("published" if entry.published else "suspended")
            direct = self.direct(_QUESTION.format(title[:-2]), SearchOptions(as_of=TODAY))
            assert (direct is not None) == self.world.answers(entry, TODAY), entry
            if direct is not None:
                (citation,) = direct.citations
                assert (citation.document, citation.quote) == (self.published()[entry.source], entry.text)
                self.counts["direct answers"] += 1


def run(vectors: str, sequences: int, *, start: int, steps: int = 20, shrink: bool = True) -> Counter[str]:
    """How often each change was made, the same each time. Raises for the first sequence that went wrong.

    With ``shrink`` that is made as short as can be first, which takes hundreds of times as long.
    """
    counts: Counter[str] = Counter()
    alike = likeness()
    wanted = settings(
        max_examples=sequences, stateful_step_count=steps, deadline=None, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
    )
    with tempfile.TemporaryDirectory() as folder:
        empty = empty_database(vectors, Path(folder))
        made = seed(start)(lambda: Machine(vectors, empty, alike, counts))
        run_state_machine_as_test(made, settings=wanted)  # type: ignore[arg-type]   # whatever makes a machine will do
    return counts


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kb_machine", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=20, help="changes in one sequence, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory", action="store_true", help="Qdrant in memory instead of the index in a folder")
    parser.add_argument("--shrink", action="store_true", help="tell the shortest sequence that goes wrong, after long")
    given = parser.parse_args(arguments)
    begun = time.perf_counter()
    vectors = ":memory:" if given.memory else "edge"
    counts = run(vectors, given.sequences, start=given.seed, steps=given.steps, shrink=given.shrink)
    counts["seconds"] = round(time.perf_counter() - begun)
    sys.stdout.write(json.dumps(counts, ensure_ascii=False, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
