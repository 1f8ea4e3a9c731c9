"""The log cannot be changed unseen: whatever is done to its rows, the check names the first that does not fit."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, Engine, Executable, create_engine, delete, insert, select, text, update

from core.errors import PolicyDeskError
from core.records import Answer, Question, Status
from kb.database import open_database
from kb.log.answers import Given, keep
from kb.log.audit import FIRST, Wanted, listed, newest, purge, purgeable, record, row_hash, start_of
from kb.log.audit_check import Checked, check
from kb.log.checkpoints import EVERY, Checkpoints
from kb.schema import answers, audit, metadata

ROWS = 48
KEY = "geheim"
Row = dict[str, Any]


class Log(NamedTuple):
    """A log in memory, and its checkpoints on disk."""

    engine: Engine
    checkpoints: Checkpoints

    def check(self) -> Checked:
        with self.engine.connect() as connection:
            return check(connection, self.checkpoints)


def new_log(folder: Path, key: str = KEY) -> Log:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    return Log(engine, Checkpoints(folder / "checkpoints.jsonl", key))


def fill(log: Log, rows: int) -> None:
    """Changes and answers by turns, a checkpoint after each."""
    for n in range(rows):
        with log.engine.begin() as connection:
            if n % 3:
                record(connection, f"编辑{n % 5}", "edit", f"doc-{n}", {"n": n, "field": "标题"})
            else:
                answer = Answer(Status.ANSWERED, f"答{n}", "extract", id=f"{n:032x}")
                keep(connection, [Given(Question(f"问{n}"), answer, n)])
        with log.engine.connect() as connection:
            assert log.checkpoints.keep_up(connection, least=10)


def set_age(connection: Connection, days: int, rows: int) -> None:
    """The first ``rows`` were written so long ago; hashes and checkpoints are made anew by the caller."""
    at = datetime.now() - timedelta(days=days)
    previous = FIRST
    for row in connection.execute(select(audit).order_by(audit.c.seq)).all():
        when = at + timedelta(seconds=row.seq) if row.seq <= rows else row.at
        digest = row_hash(previous, row.seq, when, row.who, row.action, row.subject, row.detail)
        connection.execute(update(audit).where(audit.c.seq == row.seq).values(
            at=when, previous=previous, hash=digest
        ))
        previous = digest


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    made = new_log(tmp_path_factory.mktemp("log"))
    fill(made, ROWS)
    return made


# whatever is done to it


def chained(rows: list[Row], start: int = 0) -> list[Row]:
    """The rows from ``start`` on numbered and hashed as if they had always stood so."""
    previous = rows[start - 1]["hash"] if start else FIRST
    first = rows[start - 1]["seq"] + 1 if start else 1
    out = rows[:start]
    for seq, row in enumerate(rows[start:], start=first):
        digest = row_hash(previous, seq, row["at"], row["who"], row["action"], row["subject"], row["detail"])
        out.append(row | {"seq": seq, "previous": previous, "hash": digest})
        previous = digest
    return out


def other(rng: random.Random, row: Row) -> Row:
    """The row with one thing changed."""
    name = rng.choice(["at", "who", "action", "subject", "detail"])
    if name == "at":
        return row | {"at": row["at"] + timedelta(microseconds=rng.randint(1, 10**9))}
    return row | {name: row[name] + rng.choice(" 。x")}


def edited(rng: random.Random, rows: list[Row]) -> list[Row]:
    n = rng.randrange(len(rows))
    if rng.random() < 0.2:
        name = rng.choice(["hash", "previous"])
        return [*rows[:n], rows[n] | {name: f"{rng.getrandbits(256):064x}"}, *rows[n + 1 :]]
    changed = [*rows[:n], other(rng, rows[n]), *rows[n + 1 :]]
    return rng.choice([changed, chained(changed[: n + 1], n) + changed[n + 1 :], chained(changed, n)])


def inserted(rng: random.Random, rows: list[Row]) -> list[Row]:
    """Anywhere but at the end, where a row is what everybody may write; also before the first."""
    n = rng.randrange(len(rows))
    new = other(rng, rng.choice(rows))
    shifted = [row | {"seq": row["seq"] + 1} for row in rows[n:]]
    return rng.choice([
        [*rows[:n], new | {"seq": rows[n]["seq"]}, *shifted],
        chained([*rows[:n], new, *rows[n:]], n),
        [new | {"seq": -rng.randint(0, 9)}, *rows],
    ])


def deleted(rng: random.Random, rows: list[Row]) -> list[Row]:
    n = rng.randrange(len(rows) - 1)
    left = [*rows[:n], *rows[n + rng.randint(1, 3) :]]
    return rng.choice([left, chained(left, n)]) if left else left


def reordered(rng: random.Random, rows: list[Row]) -> list[Row]:
    one, two = sorted(rng.sample(range(len(rows)), 2))
    moved = list(rows)
    moved[one], moved[two] = rows[two] | {"seq": rows[one]["seq"]}, rows[one] | {"seq": rows[two]["seq"]}
    return rng.choice([moved, chained(moved, one)])


def cut_off(rng: random.Random, rows: list[Row]) -> list[Row]:
    return rows[: rng.randrange(len(rows))]


def cut_off_and_continued(rng: random.Random, rows: list[Row]) -> list[Row]:
    left = rows[: rng.randrange(len(rows))]
    return chained([*left, *(other(rng, rng.choice(rows)) for _ in range(rng.randint(1, len(rows))))], len(left))


def beheaded(rng: random.Random, rows: list[Row]) -> list[Row]:
    """With or without a purge row that nobody gave a checkpoint."""
    n = rng.randrange(1, len(rows))
    if rng.random() < 0.5:
        return rows[n:]
    detail = f'{{"through": {rows[n - 1]["seq"]}, "hash": "{rows[n - 1]["hash"]}"}}'
    told = rows[-1] | {"action": "purge", "subject": "audit", "detail": detail}
    return chained([*rows[n:], told], len(rows) - n)


MUTATIONS = [edited, inserted, deleted, reordered, cut_off, cut_off_and_continued, beheaded]


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda one: one.__name__)
def test_no_change_of_rows_goes_unseen(log: Log, mutate: Callable[[random.Random, list[Row]], list[Row]]) -> None:
    rng = random.Random(mutate.__name__)
    missed = []
    with log.engine.connect() as connection:
        rows = [dict(row._mapping) for row in connection.execute(select(audit).order_by(audit.c.seq))]
        for trial in range(300):
            changed = mutate(rng, rows)
            connection.execute(delete(audit))
            if changed:
                connection.execute(insert(audit), changed)
            if not check(connection, log.checkpoints).problems:
                missed.append(trial)
            connection.rollback()
    assert missed == []
    assert log.check().problems == ()


@pytest.mark.parametrize("change", [
    update(answers).where(answers.c.id == f"{3:032x}").values(answer="{}"),
    update(answers).where(answers.c.id == f"{3:032x}").values(question="{}"),
    delete(answers).where(answers.c.id == f"{3:032x}"),
    insert(answers).values(id="f" * 32, at=datetime(2026, 1, 1), status="answered", question="{}", answer="{}",
                           commits=0, confidence=0),
    update(answers).where(answers.c.id == f"{3:032x}").values(id="e" * 32),
], ids=["answer", "question", "gone", "new", "renamed"])
def test_no_change_of_an_answer_goes_unseen(log: Log, change: Executable) -> None:
    with log.engine.connect() as connection:
        connection.execute(change)
        assert check(connection, log.checkpoints).problems
        connection.rollback()


def test_the_first_row_that_does_not_fit_is_named(log: Log) -> None:
    with log.engine.connect() as connection:
        connection.execute(update(audit).where(audit.c.seq.in_([20, 40])).values(who="别人"))
        (problem, *_) = check(connection, log.checkpoints).problems
        assert (problem.seq, "改动" in problem.reason) == (20, True)
        connection.rollback()
        connection.execute(delete(audit).where(audit.c.seq > 37))
        problems = check(connection, log.checkpoints).problems
        assert any(problem.seq == 38 and "截去" in problem.reason for problem in problems)
        connection.rollback()


def test_a_time_that_is_no_time_is_named_with_its_row(log: Log) -> None:
    with log.engine.connect() as connection:
        connection.execute(text("UPDATE audit SET at = '昨天' WHERE seq = 33"))
        assert check(connection, log.checkpoints).problems[0].seq == 33
        connection.rollback()


# whatever is right is found right


def test_no_log_that_was_written_as_it_should_be_is_blamed(tmp_path: Path) -> None:
    rng = random.Random(5)
    for trial in range(60):
        (tmp_path / str(trial)).mkdir()
        log = new_log(tmp_path / str(trial))
        for key in ["", KEY, KEY, "a newer one"][rng.randint(0, 2) :]:
            log = log._replace(checkpoints=Checkpoints(log.checkpoints.path, key))
            fill_some(rng, log)
            assert log.check().problems == ()


def fill_some(rng: random.Random, log: Log) -> None:
    """As one run of the program: opened, written to, perhaps killed before it closes."""
    with log.engine.connect() as connection:
        log.checkpoints.keep_up(connection, least=1)
    for _ in range(rng.randint(0, 12)):
        with log.engine.begin() as connection:
            n = rng.getrandbits(120)
            if rng.random() < 0.5:
                keep(connection, [Given(Question("问"), Answer(Status.ANSWERED, "答", "extract", id=f"{n:032x}"), 1)])
            else:
                record(connection, "编\x1e辑\x00", "edit\n", "“\"'", {"ü": ["\x1e", n], "day": date(2026, 1, 1)})
        if rng.random() < 0.7:
            with log.engine.connect() as connection:
                log.checkpoints.keep_up(connection, least=rng.choice([1, 3, EVERY]))
    if rng.random() < 0.5:
        with log.engine.connect() as connection:
            log.checkpoints.make(connection)


def test_two_rows_that_differ_only_in_where_a_part_ends_have_other_hashes() -> None:
    at = datetime(2026, 1, 1)
    hashes = {row_hash(FIRST, 1, at, *parts) for parts in [
        ("a", "b", "c", "{}"), ("ab", "", "c", "{}"), ("a\x1eb", "c", "", "{}"), ("a\\u001eb", "c", "", "{}"),
        ('a", "b', "", "c", "{}"),
    ]}
    assert len(hashes) == 5


# checkpoints


def test_a_checkpoint_is_made_every_thousand_rows_and_at_opening(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    for rows in (1, EVERY - 1, 700, 700):
        with log.engine.begin() as connection:
            for _ in range(rows):
                record(connection, "谁", "edit", "x", {})
        with log.engine.connect() as connection:
            log.checkpoints.keep_up(connection)
    assert [line.seq for line in log.checkpoints.read()] == [EVERY, 2 * EVERY + 400, 2 * EVERY + 400]
    with log.engine.begin() as connection:
        record(connection, "谁", "edit", "x", {})
    reopened = Checkpoints(log.checkpoints.path, KEY)
    with log.engine.connect() as connection:
        reopened.keep_up(connection, least=1)
    assert reopened.read()[-1].seq == 2 * EVERY + 401


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Log]:
    log = new_log(tmp_path)
    fill(log, 25)
    yield log
    log.engine.dispose()


def test_a_checkpoint_that_was_changed_or_signed_with_another_key_is_found(small: Log) -> None:
    path = small.checkpoints.path
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace('"count": 10', '"count": 11'), encoding="utf-8")
    assert "签名" in small.check().problems[0].reason
    last = small.checkpoints.read()[-1]
    assert small.checkpoints.genuine(last)
    forged = replace(Checkpoints(path, "guess").read()[0], hash="0" * 64)
    assert not small.checkpoints.genuine(forged)
    path.write_text(right, encoding="utf-8")
    assert small.check().problems == ()


def test_nothing_is_noted_over_a_log_that_was_cut_off_so_that_the_check_still_finds_it(small: Log) -> None:
    before = small.checkpoints.read()
    with small.engine.begin() as connection:
        connection.execute(delete(audit).where(audit.c.seq > 23))
        record(connection, "谁", "edit", "x", {})
    for checkpoints in (small.checkpoints, Checkpoints(small.checkpoints.path, KEY)):
        with small.engine.connect() as connection:
            assert not checkpoints.keep_up(connection, least=1)
    assert small.checkpoints.read() == before
    assert small.check().problems


def test_a_file_that_cannot_be_written_stops_nothing_but_the_verb(small: Log, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    lost = Checkpoints(tmp_path / "file" / "checkpoints", KEY)
    with small.engine.connect() as connection:
        assert not lost.keep_up(connection)
        with pytest.raises(PolicyDeskError, match=r"audit\.checkpoints"):
            lost.make(connection)


def test_the_last_line_of_a_checkpoint_file_may_be_cut_short_by_a_crash(small: Log) -> None:
    with small.checkpoints.path.open("a", encoding="utf-8") as file:
        file.write('{"seq": 26, "ha')
    assert small.check().problems == ()


# purging


def test_nothing_younger_than_the_limit_is_purged(small: Log) -> None:
    today = date.today()
    with small.engine.connect() as connection:
        for days, least in ((182, 183), (0, 183), (-1, 183), (200, 365)):
            with pytest.raises(PolicyDeskError, match=r"audit\.keep_days"):
                purgeable(connection, today - timedelta(days=days), least)
        assert purgeable(connection, today - timedelta(days=183), 183) is None


def test_a_purge_is_recorded_and_the_log_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    fill(log, 30)
    with log.engine.begin() as connection:
        set_age(connection, 400, 12)
    fresh = Checkpoints(tmp_path / "fresh.jsonl", KEY)
    log = log._replace(checkpoints=fresh)
    before = date.today() - timedelta(days=300)
    with log.engine.connect() as connection:
        assert fresh.keep_up(connection, least=1)
    with log.engine.begin() as connection:
        gone = purgeable(connection, before, 183)
        assert gone is not None
        assert (gone.through.seq, gone.rows, gone.answers) == (12, 12, 4)
        fresh.allow_purge(connection, gone.through)
        purge(connection, "管理员", gone, before)
    with log.engine.connect() as connection:
        assert fresh.keep_up(connection, least=1)
        left = listed(connection, Wanted())
        assert (left[0].seq, left[-1].action, left[-1].detail["through"]) == (13, "purge", 12)
        assert connection.scalars(select(answers.c.id)).all() == [f"{n:032x}" for n in range(12, 30, 3)]
        assert purgeable(connection, before, 183) is None
    assert log.check().problems == ()
    with log.engine.begin() as connection:
        record(connection, "谁", "edit", "x", {})
        connection.execute(delete(audit).where(audit.c.seq == 13))
    assert any("清理" in problem.reason for problem in log.check().problems)


def test_the_last_row_stays_however_old_it_is(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    fill(log, 6)
    with log.engine.begin() as connection:
        set_age(connection, 400, 6)
        gone = purgeable(connection, date.today() - timedelta(days=300), 183)
        assert gone is not None
        assert gone.through.seq == 5


# reading


def test_rows_are_listed_by_subject_action_and_day(small: Log) -> None:
    with small.engine.connect() as connection:
        assert [row.seq for row in listed(connection, Wanted(subject="doc-4"))] == [5]
        assert len(listed(connection, Wanted(action="answer"))) == 9
        assert listed(connection, Wanted(since=date.today() + timedelta(days=1))) == []
        assert len(listed(connection, Wanted(since=date.today() - timedelta(days=1)))) == 25
        assert [row.seq for row in listed(connection, Wanted(action="edit"), limit=2)] == [23, 24]
        place = newest(connection)
        assert place is not None
        assert place.seq == 25
    assert start_of(date(2026, 5, 1)).tzinfo is None


# several writers


def test_threads_that_write_at_once_make_one_chain(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'log.db'}")

    def write(who: str) -> None:
        for n in range(25):
            with engine.begin() as connection:
                record(connection, who, "edit", str(n), {})

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, f"甲{n}") for n in range(4)]:
            done.result()
    with engine.connect() as connection:
        found = check(connection, Checkpoints(tmp_path / "none", ""))
    engine.dispose()
    assert (found.rows, found.last, found.problems) == (100, 100, ())
