"""The real command line, as another program runs it: data on stdout, messages on stderr, exit 0, 1 or 2.

A process start costs two seconds, so one test asks one process several things.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.home import hold_home

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "data_samples"
GAS = "居民管道燃气第二档价格是多少？"
RENT = "申请公共租赁住房，家庭人均月收入不能超过多少？"
ANSWER_KEYS = {
    "status", "text", "made_by", "sentences", "citations", "route", "notices", "timings_ms", "ai_label", "confidence",
    "answer_id", "asked", "choices", "script", "ask_next", "keywords", "prompt",
}
CITATION_KEYS = {
    "n", "document", "doc_no", "title", "article", "ref", "quote", "start", "end", "page", "box", "in_force", "url",
}
REPORT_KEYS = {
    "documents", "articles", "chunks", "unchanged_documents", "unchanged_files", "replaced", "skipped", "seconds",
    "files", "revisions", "duplicates", "held", "written_points",
}


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POLICYDESK_")}
    return subprocess.run(
        [sys.executable, "-m", "policydesk", *map(str, arguments)],
        cwd=cwd, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, encoding="utf-8", timeout=100,
    )


def failed(done: subprocess.CompletedProcess[str], code: int, *told: str) -> None:
    """It ended with ``code``, said why on stderr without a traceback, and printed no data."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert not [part for part in told if part not in done.stderr], done.stderr
    assert done.stdout == ""


def rows(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def write_lines(path: Path, *lines: object) -> Path:
    text = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """A memory disk at ``folder``; skips where that is not allowed."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root on Linux")
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"mount is not allowed here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def ingested(work: Path) -> subprocess.CompletedProcess[str]:
    return run("ingest", SAMPLES / "policies", "--home", "home", "--json", cwd=work)


@pytest.fixture(scope="module")
def home(work: Path, ingested: subprocess.CompletedProcess[str]) -> Path:
    """The samples, published. Tests that write use a copy."""
    assert ingested.returncode == 0, ingested.stderr
    return work / "home"


# the verbs


def test_ingest_reports_what_it_did_as_one_object(ingested: subprocess.CompletedProcess[str]) -> None:
    (report,) = rows(ingested.stdout)
    assert set(report) == REPORT_KEYS
    assert (report["documents"], report["skipped"]) == (42, [])
    assert "Traceback" not in ingested.stderr


def test_ask_prints_the_answer_with_its_sources(home: Path, work: Path) -> None:
    done = run("ask", GAS, "--region", "900100", "--home", home, cwd=work)
    assert done.returncode == 0
    assert "每立方米3.74元" in done.stdout
    assert "[1] 《关于调整管道燃气价格和规范入户安检工作的通知》" in done.stdout
    assert "现行有效" in done.stdout
    assert "人工智能" in done.stdout
    assert done.stderr == ""


def test_ask_batch_answers_every_line_with_quotes_that_show_confirms(home: Path, work: Path) -> None:
    batch = write_lines(
        work / "questions.jsonl",
        {"id": "gas", "question": GAS, "region": "900100"},
        {"id": "old", "question": RENT, "region": "900100", "as_of": "2023-05-10"},
        {"id": "new", "title": "公共租赁住房", "text": RENT, "region": "900100"},
        "",
        {"id": 7, "question": GAS, "region": "900200"},
        {"question": "公租房澜西区四季度要放出来多少套房源？", "role": "citizen", "region": "900100"},
    )
    done = run("ask", "--batch", batch, "--out", "answers.jsonl", "--as-of", "2026-11-23", "--home", home, cwd=work)
    assert (done.returncode, done.stdout) == (0, "")
    answers = {row.pop("id"): row for row in rows((work / "answers.jsonl").read_text(encoding="utf-8"))}
    assert list(answers) == ["gas", "old", "new", "7", "6"]
    assert all(set(answer) == ANSWER_KEYS and answer["ai_label"] for answer in answers.values())
    assert "二千二百元" in str(answers["old"]["text"])
    assert "三千六百元" in str(answers["new"]["text"])
    assert "3.74" not in str(answers["7"])
    assert "412" not in str(answers["6"])
    citations = [c for answer in answers.values() for c in answer["citations"]]  # type: ignore[attr-defined]
    assert citations
    assert all(set(citation) == CITATION_KEYS for citation in citations)
    gas = [citation for citation in citations if citation["document"] == citations[0]["document"]]
    shown = json.loads(run("show", gas[0]["document"], "--json", "--home", home, cwd=work).stdout)
    assert all(shown["text"][citation["start"] : citation["end"]] == citation["quote"] for citation in gas)


def test_ask_json_is_one_object_with_every_field(home: Path, work: Path) -> None:
    done = run("ask", "红烧肉怎么做才不腻？", "--role", "citizen", "--json", "--home", home, cwd=work)
    (answer,) = rows(done.stdout)
    assert set(answer) == ANSWER_KEYS - {"answer_id"} | {"id"}
    assert (answer["status"], answer["citations"]) == ("out_of_scope", [])
    assert answer["route"]
    assert set(answer["timings_ms"]) == {"understand", "total"}


def test_search_writes_a_trec_run_of_six_columns(home: Path, work: Path) -> None:
    batch = write_lines(work / "run.jsonl", {"id": "a", "question": GAS}, {"id": "b", "question": RENT})
    done = run("search", "--batch", batch, "--run", "out.trec", "--top", "5", "--home", home, cwd=work)
    assert (done.returncode, done.stdout) == (0, "")
    lines = [line.split(" ") for line in (work / "out.trec").read_text(encoding="utf-8").splitlines()]
    assert [(line[0], line[1], line[3], line[5]) for line in lines] == [
        (name, "Q0", str(rank), "policydesk") for name in "ab" for rank in range(1, 6)
    ]
    assert all(len(line) == 6 and not any(c.isspace() for c in line[2]) for line in lines)
    assert [float(line[4]) for line in lines[:5]] == sorted((float(line[4]) for line in lines[:5]), reverse=True)


def test_search_json_gives_the_hits_of_the_asked_region_and_day(home: Path, work: Path) -> None:
    done = run(
        "search", "电动自行车登记", "--region", "900100", "--as-of", "2027-07-01", "--json", "--home", home, cwd=work
    )
    (hits,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(hits) == 10
    assert {"ref", "score", "article", "text", "start", "end", "document", "title", "region"} <= set(hits[0])
    assert {hit["region"] for hit in hits} <= {None, "900000", "900100"}
    assert all((hit["in_force_from"] or "") <= "2027-07-01" < (hit["in_force_to"] or "9") for hit in hits)


def test_search_national_finds_no_local_rule(home: Path, work: Path) -> None:
    batch = write_lines(
        work / "national.jsonl",
        {"id": "country", "question": "公积金", "national": True},
        {"id": "city", "question": "公积金", "region": "900100"},
    )
    country, city = rows(run("search", "--batch", batch, "--home", home, cwd=work).stdout)
    assert all(hit["region"] is None for hit in country["hits"])  # type: ignore[attr-defined]
    assert any(hit["region"] == "900100" for hit in city["hits"])  # type: ignore[attr-defined]


def test_a_draft_is_found_once_published_and_no_more_once_withdrawn(work: Path) -> None:
    desk = ("--home", "drafts")
    assert run("ingest", SAMPLES / "policies" / "15_燃气通知.txt", "--draft", *desk, cwd=work).returncode == 0
    (draft,) = rows(run("documents", "--state", "draft", "--json", *desk, cwd=work).stdout)
    assert run("publish", str(draft["id"]), *desk, cwd=work).returncode == 0
    assert "管道燃气" in run("search", "管道燃气", *desk, cwd=work).stdout
    assert run("withdraw", str(draft["id"]), *desk, cwd=work).returncode == 0
    assert "没有找到相关条文" in run("search", "管道燃气", *desk, cwd=work).stdout


def test_config_is_checked_and_shown(work: Path) -> None:
    good = write_lines(work / "good.yaml", "search:", "  top: 3")
    shown = run("config", "show", "--config", good, cwd=work)
    assert "  top: 3\n" in shown.stdout
    bad = write_lines(work / "bad.yaml", "serach:", "  top: 3")
    failed(run("config", "check", "--config", bad, cwd=work), 1, "bad.yaml", "serach", "search")


# what goes wrong


def test_ingest_names_every_input_it_could_not_read_and_keeps_the_rest(work: Path) -> None:
    write_lines(work / "empty.txt").write_bytes(b"")
    (work / "broken.zip").write_bytes(b"PK\x03\x04 cut off")
    good = {"title": "通知", "text": "第一条　每人每月一百元。\n第二条　按月发放。"}
    write_lines(work / "lines.jsonl", *[{**good, "docid": str(n)} for n in range(16)], "{broken")
    files = ("empty.txt", "broken.zip", "lines.jsonl")
    done = run("ingest", *files, "--home", "part", "--json", "--workers", "0", cwd=work)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [name for name in (*files, "lines.jsonl:17") if name not in done.stderr] == []
    (report,) = rows(done.stdout)
    assert report["documents"] == 16
    assert len(report["skipped"]) == 3  # type: ignore[arg-type]


def test_a_missing_path_is_named(work: Path) -> None:
    done = run("ingest", "nowhere.txt", "--home", "none", cwd=work)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nowhere.txt" in done.stderr
    assert not (work / "none").exists()


def test_a_malformed_question_is_named_by_file_and_line_and_leaves_no_output(home: Path, work: Path) -> None:
    batch = write_lines(work / "bad.jsonl", *[{"id": n, "question": GAS} for n in range(16)], '{"id": 16, "que')
    failed(run("ask", "--batch", batch, "--out", "bad-out.jsonl", "--home", home, cwd=work), 1, "bad.jsonl:17", "JSON")
    assert not list(work.glob("bad-out.jsonl*"))


def test_an_output_that_cannot_be_written_is_named(home: Path, work: Path) -> None:
    batch = write_lines(work / "one.jsonl", {"id": "a", "question": GAS})
    failed(run("ask", "--batch", batch, "--out", "nowhere/o.jsonl", "--home", home, cwd=work), 1, "nowhere/o.jsonl")
    (work / "folder").mkdir()
    failed(run("ask", "--batch", batch, "--out", "folder", "--home", home, cwd=work), 1, "folder")
    assert not (work / "folder.partial").exists()


def test_a_home_held_by_another_process_is_refused_with_its_number(work: Path) -> None:
    with hold_home(work / "held"):
        failed(run("ask", GAS, "--home", "held", cwd=work), 1, "held", str(os.getpid()))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ask",), "--batch"),
        (("ask", "  "), "空"),
        (("ask", GAS, "--batch", "q.jsonl"), "--batch"),
        (("ask", GAS, "--as-of", "2024-02-30"), "2024-02-30"),
        (("search", GAS, "--region", "9001"), "900100"),
        (("consult", GAS), "consult"),
    ],
)
def test_wrong_usage_ends_with_two_and_makes_no_home(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    failed(run(*arguments, cwd=tmp_path), 2, told)
    assert not list(tmp_path.iterdir())


def test_a_home_that_is_a_file_is_refused(work: Path) -> None:
    write_lines(work / "file-home", "x")
    failed(run("ask", GAS, "--home", "file-home", cwd=work), 1, "file-home", "--home")


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "-o", "ro"):
        failed(run("ask", GAS, "--home", disk / "home", cwd=tmp_path), 1, "disk/home", "--home")


def test_a_damaged_database_is_named(home: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(home, tmp_path / "broken"))
    for file in broken.glob("policydesk.db*"):
        file.write_bytes(b"not a database " * 300 if file.suffix == ".db" else b"")
    failed(run("ask", GAS, "--home", broken, cwd=tmp_path), 1, "policydesk.db")


def test_a_damaged_index_is_named(home: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(home, tmp_path / "broken"))
    (broken / "vectors" / "edge_config.json").write_text("{", encoding="utf-8")
    failed(run("ask", GAS, "--home", broken, cwd=tmp_path), 1, "broken/vectors")


def test_a_full_disk_refuses_writes_and_still_answers(home: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "-o", "size=400m"):
        small = shutil.copytree(home, disk / "home")
        extra = write_lines(tmp_path / "extra.txt", "新通知", "第一条　每人每月一百元。", "第二条　按月发放。")
        failed(run("ingest", extra, "--home", small, cwd=tmp_path), 1, "storage.min_free_mb", str(small))
        assert "3.74元" in run("ask", GAS, "--region", "900100", "--home", small, cwd=tmp_path).stdout


def test_a_changed_file_is_reported_and_compared_article_by_article(work: Path) -> None:
    text = "供热办法\n\n第一条　供热期自11月8日起。\n第二条　室温不低于18度。\n第三条　本办法自2026年1月1日起施行。\n"
    (work / "供热.txt").write_text(text, encoding="utf-8")
    desk = ("--home", "heat")
    assert run("ingest", "供热.txt", *desk, cwd=work).returncode == 0
    (work / "供热.txt").write_text(text.replace("18度", "20度"), encoding="utf-8")
    again = run("ingest", "供热.txt", *desk, cwd=work)
    assert "修改 第二条（1 条），未变 2 条" in again.stdout
    (old,) = rows(run("documents", "--state", "removed", "--json", *desk, cwd=work).stdout)
    (new,) = rows(run("documents", "--json", *desk, cwd=work).stdout)
    compared = run("compare", old["id"], new["id"], *desk, cwd=work).stdout
    assert "修改 第二条\n   室温不低于［-18-］［+20+］度。" in compared
    tree = run("show", new["id"], "--tree", *desk, cwd=work).stdout
    assert [line.split()[:2] for line in tree.splitlines() if line.startswith("条")] == [
        ["条", "第一条"], ["条", "第二条"], ["条", "第三条"]
    ]


def test_an_ingest_leaves_its_table_as_json_in_the_home(work: Path) -> None:
    (work / "混").mkdir()
    (work / "混" / "好.txt").write_text("关于供热的通知\n\n一、按期供热。\n二、拨打电话反映。\n", encoding="utf-8")
    (work / "混" / "坏.pdf").write_bytes(b"%PDF-1.7 nothing more")
    (work / "混" / "程序.exe").write_bytes(b"MZ\x00\x01")
    done = run("ingest", "混", "--home", "mixed", cwd=work)
    assert done.returncode == 1
    (written,) = (work / "mixed" / "reports").glob("ingest-*.json")
    files = json.loads(written.read_text(encoding="utf-8"))["files"]
    found = {Path(row["source"]).name: (row["outcome"], row["code"]) for row in files}
    assert found == {
        "好.txt": ("indexed", None), "坏.pdf": ("rejected", "damaged"), "程序.exe": ("left_out", "unknown_type"),
    }
    assert "未收录 [damaged]" in done.stdout
