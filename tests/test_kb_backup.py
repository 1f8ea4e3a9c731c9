"""A backup is taken while the home is in use, is whole or told to be damaged, and gives back what it was made of."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from core.config import Config
from core.errors import NotFound, PolicyDeskError, StorageFull
from core.records import Document, Facts, Question, State
from kb.database import migrate, open_unchanged
from kb.upkeep.backup import TABLES
from kb.upkeep.backup_files import Damaged, unpack, verify
from kb.upkeep.doctor import examine
from kb.upkeep.restore import Restoring
from policydesk.app import open_desk
from policydesk.ops import back_up, open_case, restore_home
from tests.conftest import ROOT, needs_postgres
from tests.doctor_faults import documents, make
from tests.full_disk_trials import fill
from tests.postgres import Server
from tests.test_policydesk_cli import mounted

FORMATS = ("saved.tar.gz", "saved.tar.zst", "saved")
QUESTIONS = [
    "养犬要登记吗", "水价由谁制定", "室温不低于多少度", "动物防疫强制免疫", "用水装什么表", "值班人员", "供热从哪天起",
    *(f"第{n}号公园{what}" for n in range(1, 9) for what in ("几点开放", "几点关闭", "节假日延长多久", "通知", "关门")),
    "犬只是指什么", "违反规定罚多少", "听证后公布",
]


@pytest.fixture(scope="module")
def light(config: Config) -> Config:
    return config.model_copy(update={"storage": config.storage.model_copy(update={"min_free_mb": 0})})


@pytest.fixture(scope="module")
def home(light: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of every state, one of them on its way to being published."""
    folder = tmp_path_factory.mktemp("backup") / "home"
    with open_desk(light, folder) as desk:
        for batch in documents():
            desk.base.add(batch, publish=True)
        desk.base.add([notice("草稿")], publish=False)
        desk.base.add([notice("撤下")], publish=True)
        desk.base.withdraw(notice("撤下").id)
    (folder / "reports").mkdir(exist_ok=True)
    (folder / "reports" / "first.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def saved(light: Config, home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("saved")
    for name in FORMATS:
        back_up(light, home, folder / name)
    return {name: folder / name for name in FORMATS}


def notice(word: str) -> Document:
    return make(Facts(f"关于{word}的通知", dated=date(2024, 1, 1)), f"{word}按时办理。", source=f"{word}.md")


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(home / "policydesk.db")) as connection:
        return sorted(connection.execute(query).fetchall(), key=repr)


def contents(home: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every table that a restore does not write to."""
    tables = [str(name) for (name,) in rows(home, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    own = {"index_facts", "audit", "alembic_version", "sqlite_sequence"}
    return {name: rows(home, f"SELECT * FROM {name}") for name in tables if name not in own}


def answers(config: Config, home: Path) -> list[list[tuple[str, float]]]:
    with open_desk(config, home) as desk:
        return [
            [(hit.ref, round(hit.score, 4)) for hit in desk.search(Question(text, region="900102"), 10)]
            for text in QUESTIONS
        ]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_restored_has_the_same_rows_and_finds_the_same(
    light: Config, home: Path, saved: dict[str, Path], name: str, tmp_path: Path
) -> None:
    restored = tmp_path / "new" / "home"
    done = restore_home(light, saved[name], restored, "李四")
    assert contents(restored) == contents(home)
    log = [set(rows(one, "SELECT * FROM audit")) for one in (home, restored)]
    assert log[0] < log[1]
    assert (done.documents, done.manifest.rows["documents"]) == (14, 17)
    assert (restored / "reports" / "first.json").read_text(encoding="utf-8") == "{}"
    assert [path.name for path in restored.parent.iterdir()] == ["home"]
    with open_case(light, restored, lambda _done, _total: None) as case:
        assert examine(case, deep=True) == []
    if name == FORMATS[0]:
        before = answers(light, home)
        assert len(before) == 50
        assert all(before)
        assert answers(light, restored) == before


def test_an_index_that_is_copied_holds_the_same_points(light: Config, home: Path, tmp_path: Path) -> None:
    manifest = back_up(light, home, tmp_path / "saved.tar.zst", with_index=True)
    assert manifest.index
    restore_home(light, tmp_path / "saved.tar.zst", tmp_path / "restored", "李四")
    homes = (home, tmp_path / "restored")
    segments = [{path.name for path in (one / "vectors" / "segments").iterdir()} for one in homes]
    assert segments[0] == segments[1]
    with open_case(light, tmp_path / "restored", lambda _done, _total: None) as case:
        assert examine(case, deep=True) == []
    assert contents(tmp_path / "restored") == contents(home)


def test_a_copied_index_of_other_settings_is_made_again(light: Config, home: Path, tmp_path: Path) -> None:
    back_up(light, home, tmp_path / "saved", with_index=True)
    plain = light.model_copy(update={"index": light.index.model_copy(update={"embedder": "none"})})
    assert restore_home(plain, tmp_path / "saved", tmp_path / "restored", "李四").chunks == 30
    with open_case(plain, tmp_path / "restored", lambda _done, _total: None) as case:
        assert examine(case, deep=True) == []


# damage


@pytest.mark.parametrize("name", FORMATS)
def test_one_flipped_byte_anywhere_is_noticed(saved: dict[str, Path], name: str, tmp_path: Path) -> None:
    chance = random.Random(7)
    source = saved[name]
    copy = Path(shutil.copytree(source, tmp_path / name) if source.is_dir() else shutil.copy(source, tmp_path / name))
    verify(copy)
    files = [path for path in copy.rglob("*") if path.is_file()] if copy.is_dir() else [copy]
    weights = [path.stat().st_size for path in files]
    for _ in range(120):
        (path,) = chance.choices(files, weights)
        whole = path.read_bytes()
        at = chance.choice([chance.randrange(len(whole)), chance.randrange(min(100, len(whole)))])
        at = chance.choice([at, len(whole) - 1 - at])
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :])
        with pytest.raises(Damaged):
            verify(copy)
        path.write_bytes(whole)
    verify(copy)


@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b"", lambda data: data[:900]],
    ids=["cut", "longer", "empty", "cut early"],
)
def test_a_cut_or_lengthened_backup_is_noticed(
    saved: dict[str, Path], change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    broken = tmp_path / "saved.tar.gz"
    broken.write_bytes(change(saved["saved.tar.gz"].read_bytes()))
    with pytest.raises(Damaged, match="已损坏"):
        verify(broken)


def test_a_damaged_backup_is_refused_before_anything_is_made(
    light: Config, saved: dict[str, Path], tmp_path: Path
) -> None:
    data = bytearray(saved["saved.tar.gz"].read_bytes())
    data[len(data) // 2] ^= 4
    (tmp_path / "saved.tar.gz").write_bytes(data)
    with pytest.raises(Damaged):
        restore_home(light, tmp_path / "saved.tar.gz", tmp_path / "home", "李四")
    assert [path.name for path in tmp_path.iterdir()] == ["saved.tar.gz"]


# refusals


def test_a_home_that_holds_something_is_not_written_to(light: Config, saved: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(PolicyDeskError, match="不是空目录"):
        restore_home(light, saved["saved"], tmp_path, "李四")
    assert (tmp_path / "note.txt").read_text(encoding="utf-8") == "mine"


def test_an_empty_folder_may_become_the_home(light: Config, saved: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    assert restore_home(light, saved["saved"], tmp_path / "home", "李四").documents == 14


def test_a_backup_never_takes_the_place_of_another(light: Config, home: Path, saved: dict[str, Path]) -> None:
    with pytest.raises(PolicyDeskError, match="已经存在"):
        back_up(light, home, saved["saved.tar.gz"])


def test_a_home_without_a_base_and_an_unknown_ending_are_refused(light: Config, home: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="没有知识库"):
        back_up(light, tmp_path, tmp_path / "saved")
    with pytest.raises(PolicyDeskError, match="不认识"):
        back_up(light, home, tmp_path / "saved.rar")
    assert list(tmp_path.iterdir()) == []


def test_without_free_space_nothing_is_restored(light: Config, saved: dict[str, Path], tmp_path: Path) -> None:
    greedy = light.model_copy(update={"storage": light.storage.model_copy(update={"min_free_mb": 10**9})})
    with pytest.raises(StorageFull, match="min_free_mb"):
        restore_home(greedy, saved["saved"], tmp_path / "home", "李四")
    assert not (tmp_path / "home").exists()


# beside others


def test_a_backup_holds_what_some_commit_left_while_others_go_on(light: Config, home: Path, tmp_path: Path) -> None:
    busy = Path(shutil.copytree(home, tmp_path / "busy"))
    published: dict[int, set[str]] = {}
    ended = threading.Event()
    with open_desk(light, busy) as desk:
        def note() -> None:
            commits = int(str(rows(busy, "SELECT number FROM counters WHERE key = 'commits'")[0][0]))
            published[commits] = {document.id for document in desk.base.documents([State.PUBLISHED])}

        def work() -> None:
            note()
            for number in range(10_000):
                if ended.is_set():
                    return
                document = notice(f"忙{number}")
                desk.base.add([document], publish=True)
                note()
                if number % 3 == 0:
                    desk.base.withdraw(document.id)
                    note()

        thread = threading.Thread(target=work)
        thread.start()
        made = []
        for number in range(6):
            time.sleep(0.15)
            made.append(back_up(light, busy, tmp_path / f"{number}.tar.gz"))
        ended.set()
        thread.join()
    assert len({manifest.commits for manifest in made}) > 2
    for number, manifest in enumerate(made):
        unpack(tmp_path / f"{number}.tar.gz", tmp_path / f"{number}")
        table = (tmp_path / f"{number}" / TABLES / "documents.jsonl").read_text(encoding="utf-8")
        header, *lines = [json.loads(line) for line in table.splitlines()]
        states = [(line[header.index("id")], line[header.index("state")]) for line in lines]
        assert {name for name, state in states if state == "published"} == published[manifest.commits]
    restored = tmp_path / "restored"
    restore_home(light, tmp_path / "3.tar.gz", restored, "李四")
    with open_case(light, restored, lambda _done, _total: None) as case:
        assert examine(case, deep=True) == []
    with open_desk(light, restored) as desk:
        assert {document.id for document in desk.base.documents([State.PUBLISHED])} == published[made[3].commits]


def test_what_was_on_its_way_comes_back_as_it_was_before(light: Config, home: Path, tmp_path: Path) -> None:
    busy = Path(shutil.copytree(home, tmp_path / "busy"))
    with closing(sqlite3.connect(busy / "policydesk.db")) as connection, connection:
        connection.execute("UPDATE documents SET state = 'staged', generation = 99 WHERE state IN ('draft', 'removed')")
    back_up(light, busy, tmp_path / "saved")
    restore_home(light, tmp_path / "saved", tmp_path / "restored", "李四")
    states = "SELECT id, state FROM documents"
    assert rows(tmp_path / "restored", states) == rows(home, states)


def test_a_running_server_is_backed_up_and_goes_on_answering(light: Config, home: Path, tmp_path: Path) -> None:
    busy = Path(shutil.copytree(home, tmp_path / "busy"))
    overlay = tmp_path / "desk.yaml"
    overlay.write_text("storage: {min_free_mb: 0}\n", encoding="utf-8")
    verb = [sys.executable, "-m", "policydesk"]
    places = ["--home", str(busy), "--config", str(overlay)]
    server = subprocess.Popen(
        [*verb, "serve", "--port", "0", *places], cwd=ROOT, stderr=subprocess.PIPE, encoding="utf-8"
    )
    try:
        assert server.stderr is not None
        assert any("已就绪" in line for line in server.stderr)
        held, done = (
            subprocess.run([*verb, *words, *places], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
            for words in (["documents"], ["backup", str(tmp_path / "saved.tar.zst")])
        )
        assert (held.returncode, "正被进程" in held.stderr) == (1, True)
        assert done.returncode == 0, done.stderr
        assert "17 份文件" in done.stderr
        assert server.poll() is None
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)
    restore_home(light, tmp_path / "saved.tar.zst", tmp_path / "restored", "李四")
    assert contents(tmp_path / "restored") == contents(home)


# cut short


def test_a_restore_that_is_killed_leaves_no_home_and_the_next_one_makes_it(
    light: Config, home: Path, saved: dict[str, Path], tmp_path: Path
) -> None:
    overlay = tmp_path / "desk.yaml"
    overlay.write_text("storage: {min_free_mb: 0}\n", encoding="utf-8")
    new = tmp_path / "home"
    verb = [sys.executable, "-m", "policydesk", "restore", str(saved["saved"])]
    program = [*verb, "--home", str(new), "--config", str(overlay)]
    killed = 0
    for wanted in ("restoring", "restoring/parts/manifest.json", "restoring/home/policydesk.db",
                   "restoring/home/vectors"):
        process = subprocess.Popen(program, cwd=ROOT, stderr=subprocess.PIPE)
        while process.poll() is None and not Path(f"{new}.{wanted}").exists():
            time.sleep(0.002)
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        if process.stderr:
            process.stderr.close()
        assert not new.exists()
    assert killed == 4
    restore_home(light, saved["saved"], new, "李四")
    assert contents(new) == contents(home)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["desk.yaml", "home"]


def test_a_backup_that_is_killed_leaves_no_file_and_does_not_hinder_the_next(
    light: Config, home: Path, tmp_path: Path
) -> None:
    target = tmp_path / "saved.tar.gz"
    verb = [sys.executable, "-m", "policydesk", "backup", str(target), "--home", str(home)]
    process = subprocess.Popen(verb, cwd=ROOT, stderr=subprocess.PIPE)
    while process.poll() is None and not Path(f"{target}.partial.d").exists():
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert process.stderr is not None
    process.stderr.close()
    assert not target.exists()
    back_up(light, home, target)
    assert [path.name for path in tmp_path.iterdir()] == ["saved.tar.gz"]


def test_a_disk_that_is_filled_during_a_backup_is_told_and_nothing_is_left_on_it(
    light: Config, home: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "-o", "size=4m"):
        target = disk / "saved.tar.gz"

        def filler() -> None:
            while not target.with_name("saved.tar.gz.partial.d").exists():
                time.sleep(0.001)
            fill(disk, disk / "filler", 0)

        thread = threading.Thread(target=filler)
        thread.start()
        with pytest.raises(StorageFull, match="没有写成备份"):
            back_up(light, home, target)
        thread.join()
        assert [path.name for path in disk.iterdir()] == ["filler"]


# other databases and schemas


def lines(saved: Path) -> dict[str, list[str]]:
    """Every table of a backup in a folder that a restore does not write to."""
    return {
        path.stem: path.read_text(encoding="utf-8").splitlines() for path in sorted((saved / TABLES).iterdir())
        if path.stem not in ("index_facts", "audit", "counters")
    }


@needs_postgres
def test_sqlite_and_postgresql_restore_what_the_other_saved(
    light: Config, postgres_server: Server, home: Path, tmp_path: Path
) -> None:
    plain = light.model_copy(update={"index": light.index.model_copy(update={"embedder": "none"})})
    server = plain.model_copy(update={
        "storage": plain.storage.model_copy(update={"database": postgres_server.new_database()})
    })
    back_up(plain, home, tmp_path / "of sqlite")
    restore_home(server, tmp_path / "of sqlite", tmp_path / "on server", "李四")
    with open_case(server, tmp_path / "on server", lambda _done, _total: None) as case:
        assert examine(case, deep=True) == []
    with open_desk(server, tmp_path / "on server") as desk:
        desk.base.add([notice("新编号")], publish=True)
        back_up(server, tmp_path / "on server", tmp_path / "beside")      # which another program holds
        desk.base.withdraw(notice("新编号").id)
    with pytest.raises(PolicyDeskError, match="空库"):
        restore_home(server, tmp_path / "of sqlite", tmp_path / "again", "李四")
    restore_home(plain, tmp_path / "beside", tmp_path / "back", "李四")
    back_up(plain, tmp_path / "back", tmp_path / "of both")
    assert lines(tmp_path / "beside") == lines(tmp_path / "of both")
    first, last = lines(tmp_path / "of sqlite"), lines(tmp_path / "of both")
    assert [len(last[name]) - len(first[name]) for name in ("documents", "articles", "chunks")] == [1, 1, 1]
    assert set(first["chunks"]) < set(last["chunks"])


@needs_postgres
def test_a_restore_into_postgresql_that_was_cut_short_is_made_again(
    light: Config, postgres_server: Server, saved: dict[str, Path], tmp_path: Path
) -> None:
    server = light.model_copy(update={
        "index": light.index.model_copy(update={"embedder": "none"}),
        "storage": light.storage.model_copy(update={"database": postgres_server.new_database()}),
    })
    restoring = Restoring(saved["saved"], tmp_path / "home")
    restoring.work.mkdir()
    restoring.load(server.storage.database, restoring.unpacked(0))      # and no further
    with pytest.raises(PolicyDeskError, match="空库"):
        restore_home(server, saved["saved"], tmp_path / "elsewhere", "李四")
    shutil.rmtree(tmp_path / "elsewhere.restoring")
    assert restore_home(server, saved["saved"], tmp_path / "home", "李四").documents == 14


def test_a_backup_of_an_older_schema_is_brought_up_to_date(light: Config, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    engine = open_unchanged(f"sqlite:///{old / 'policydesk.db'}")
    migrate(engine, "0002")
    engine.dispose()
    manifest = back_up(light, old, tmp_path / "saved")
    assert manifest.schema == "0002"
    assert restore_home(light, tmp_path / "saved", tmp_path / "home", "李四").documents == 0
    with open_desk(light, tmp_path / "home") as desk:
        desk.base.add(documents()[1], publish=True)
        assert desk.base.counts()[0] == 1
