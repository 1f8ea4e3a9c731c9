"""A desk over a home of its own with the model of what it holds; `tests.kb_machine` adds the changes."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from kb.curation.direct import DirectAnswers
from kb.curation.faq_likeness import Likeness
from kb.curation.history import known_at
from policydesk.app import Desk, open_desk
from tests.kb_machine_home import (
    agree,
    check_drafts,
    check_points,
    closed_home,
    configuration,
    findings,
    published,
    words_found,
)
from tests.kb_machine_world import SINCE, TITLES, Content, World, address


class OpenedDesk(RuleBasedStateMachine):
    """A desk over a home of its own, and the model of what it holds."""

    def __init__(self, vectors: str, empty: Path, alike: Likeness, counts: Counter[str]) -> None:
        super().__init__()
        self.vectors = vectors
        self.alike = alike
        self.counts = counts
        self.world = World()
        self.words = 0
        self.k1 = 1.2
        self.touched = False     # since the desk was opened
        self.known: list[tuple[datetime, set[str]]] = []
        self.opened = ExitStack()
        self.home = Path(self.opened.enter_context(tempfile.TemporaryDirectory()))
        shutil.copy(empty, self.home)
        self.inner = ExitStack()
        self.opened.enter_context(self.inner)
        self.open()

    def open(self, *, as_made: bool = False) -> None:
        self.desk: Desk = self.inner.enter_context(
            open_desk(configuration(self.vectors, k1=self.k1), self.home, as_made=as_made)
        )
        self.direct = DirectAnswers(self.desk.base.ledger, lambda: self.alike, threshold=0.9, region_names={})

    def teardown(self) -> None:
        try:
            check_drafts(self.desk.base, self.world)
            self.check_what_was_known()
            if self.vectors == ":memory:":
                check_points(self.desk.base)
            self.inner.close()
            with closed_home(self.vectors, self.k1, self.home) as case:
                agree(findings(case), [])
        finally:
            self.opened.close()
        self.counts["sequences"] += 1

    def check_what_was_known(self) -> None:
        """What was published at each moment is what is said of it now."""
        with self.desk.base.reading() as connection:
            for moment, ids in self.known[::3]:
                assert set(known_at(connection, moment)) == ids

    # what the rules need

    def published(self) -> dict[str, str]:
        return published(self.desk.base)

    @contextmanager
    def watched(self, what: str) -> Iterator[None]:
        """Do what a rule does while another thread searches, which may see the state before or after it alone."""
        self.counts[what] += 1
        self.touched = True
        before, seen, done = self.world.found(None), list[Counter[str]](), threading.Event()
        failed: list[BaseException] = []

        def search() -> None:
            try:
                while not done.wait(0.002):      # without a pause it takes half the time of the change
                    seen.append(words_found(self.desk.base))
            except BaseException as error:
                failed.append(error)
                raise

        thread = threading.Thread(target=search)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
        self.world.settle()
        if failed:
            raise failed[0]
        self.counts["searches meanwhile"] += len(seen)
        after = self.world.found(None)
        other = [each for each in seen if each not in (before, after)]
        assert not other, f"{what}: between {dict(before)} and {dict(after)} a search saw {dict(other[0])}"

    def word(self) -> str:
        self.words += 1
        number, letters = self.words, ""
        while number:
            number, digit = divmod(number, 20)
            letters += "bcdfghjklmnpqrstvwxz"[digit]
        return f"k{letters}"

    def sentence(self, data: st.DataObject, name: str, article: int) -> str:
        """With a word of its own, and perhaps with what it says of another rule."""
        text = f"事项代码{self.word()}由主管部门办理。"
        other = data.draw(st.sampled_from(sorted({title for title in TITLES.values() if title != TITLES[name]})))
        said = data.draw(st.sampled_from(("", "", "cites", "repeals", "repeals later")))
        if said == "cites":
            text += f"依照《{other}》{address(data.draw(st.integers(0, 2)))}办理。"
        elif said:
            text += f"《{other}》{'自2025年9月1日起废止' if said == 'repeals later' else '同时废止'}。"
        return text + ("\n事项代码另行公布。" if article == 2 else "")

    def reading(self, data: st.DataObject, name: str) -> Content:
        """A new one; some articles stay as they are."""
        live = self.world.sources[name].live
        before = live.texts if live else ()
        texts = [
            before[n] if n < len(before) and n != 1 and data.draw(st.booleans()) else self.sentence(data, name, n)
            for n in range(data.draw(st.integers(2, 3)))
        ]
        since = live.since if live else data.draw(st.sampled_from(SINCE))
        return Content(tuple(texts), since, live.public if live else True)

    def some(self, data: st.DataObject, wanted: Callable[[str], object]) -> str:
        return data.draw(st.sampled_from([name for name in TITLES if wanted(name)]))

    def a_live(self, data: st.DataObject) -> str:
        return self.some(data, lambda name: self.world.sources[name].live)

    def any_live(self) -> bool:
        return bool(self.world.published())
