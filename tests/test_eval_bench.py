"""The benchmark against a small program of our own, result files, and the table made from them."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from core.config import load_config
from core.errors import NotFound, PolicyDeskError
from core.records import Question
from eval.bench import BenchPlan, OpenBase, disk_mb, run_bench
from eval.children import checked, run_child
from eval.gold import GoldQuestion
from eval.latency import latency
from eval.plain import build_plain
from eval.record import Measured, as_record, config_digest, result_path, write_result
from eval.report import BEGIN, END, measured_table, refresh_table
from eval.retrieval import Found, evaluate_retrieval

ARTICLES = {"a#1": "新生儿 落户", "b#1": "住房补贴 申领", "c#1": "异地 就医"}
QUESTIONS = (
    GoldQuestion("q1", Question("住房补贴怎么领"), (("b#1",),), kind="补贴"),
    GoldQuestion("q2", Question("异地就医"), (("a#1",),), kind="医保"),
)
MEASURED = Measured("sample", gold_digest="0" * 16, count=2, seed=17)
PROGRAM = """
import json, pathlib, sys
verb, *rest = sys.argv[1:]
home = pathlib.Path(rest[rest.index("--home") + 1]) if "--home" in rest else None
if verb == "ingest":
    home.mkdir(parents=True, exist_ok=True)
    (home / "base").write_bytes(b"x" * 100_000)
    print(json.dumps({"documents": 1, "articles": 3, "chunks": 4, "seconds": 0.1, "skipped": ["x"]}))
    sys.exit(1)
if verb == "ask" and not (home / "base").exists():
    print("no base", file=sys.stderr)
    sys.exit(1)
print("{}")
"""


def search(question: Question, top: int) -> list[str]:
    return [ref for ref, text in ARTICLES.items() if set(text.split()[0]) & set(question.text)][:top]


def find(question: Question, top: int) -> list[Found]:
    return [Found(ref, "d", 0, 1) for ref in search(question, top)]


@contextmanager
def base() -> Iterator[OpenBase]:
    yield OpenBase(search)


@pytest.fixture
def plan(tmp_path: Path) -> BenchPlan:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM, encoding="utf-8")
    return BenchPlan(
        QUESTIONS,
        tmp_path / "home",
        base,
        paths=(tmp_path,),
        program=(sys.executable, str(script)),
        imports=(sys.executable, "-c", "import core"),
        runs=2,
    )


def test_a_benchmark_measures_each_part(plan: BenchPlan) -> None:
    result = run_bench(plan)
    assert result.ingest is not None
    assert (result.ingest.articles, result.ingest.chunks, result.ingest.skipped) == (3, 4, 1)
    assert 0.09 < result.ingest.disk_mb < 0.2  # 100,000 bytes in whole blocks
    assert {name: len(starts.seconds) for name, starts in result.starts.items()} == {"ask": 2, "help": 2, "import": 2}
    assert (result.queries.cold.n, set(result.queries.per_second)) == (2, {"1", "4"})
    assert result.queries.recall_at_10 == 0.5  # q1 finds b#1; q2 finds c#1 and wants a#1
    assert (result.plain, result.notes) == (None, ("plain alternative: not asked for",))


def test_an_ingest_benchmark_wants_an_empty_home(plan: BenchPlan) -> None:
    plan.home.mkdir()
    (plan.home / "old").touch()
    with pytest.raises(PolicyDeskError, match="不是空文件夹"):
        run_bench(plan)


def test_a_failing_command_is_shown_with_what_it_wrote(plan: BenchPlan) -> None:
    with pytest.raises(PolicyDeskError, match=r"ask(.|\n)*退出码 1(.|\n)*no base"):
        run_bench(replace(plan, paths=()))
    with pytest.raises(PolicyDeskError, match="没有问题"):
        run_bench(replace(plan, questions=()))


def test_a_child_reports_its_own_memory_and_not_ours() -> None:
    ours = b"x" * 200_000_000
    assert run_child([sys.executable, "-c", "pass"]).peak_mb < 100
    assert run_child([sys.executable, "-c", "x = b'x' * 200_000_000"]).peak_mb > len(ours) / 2**20


def test_a_child_gives_output_and_status() -> None:
    child = run_child([sys.executable, "-c", "import sys; print('出'); sys.exit('错')"])
    assert (child.code, child.stdout.strip(), child.stderr.strip()) == (1, "出", "错")
    with pytest.raises(PolicyDeskError, match="错"):
        checked([sys.executable, "-c", "import sys; sys.exit('错')"])
    with pytest.raises(PolicyDeskError, match="无法启动"):
        run_child(["/no/such/program"])


def test_percentiles_lie_between_neighbours() -> None:
    # 1, 2, 3, 4, 5 ms: the middle is 3; 95 % of the way along 4 steps is 3.8 steps: 4.8
    found = latency([0.003, 0.001, 0.005, 0.002, 0.004])
    assert found.n == 5
    assert (found.p50_ms, found.p95_ms) == pytest.approx((3.0, 4.8))


def test_disk_is_counted_as_allocated(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(50_000_000)
    assert disk_mb(tmp_path) < 1


def test_the_plain_alternative_finds_by_words() -> None:
    pytest.importorskip("bm25s", reason='needs bm25s: pip install -e ".[dev]"')
    index = build_plain(ARTICLES.items())
    assert index.search(Question("异地就医"), 10) == ["c#1"]
    assert index.search(Question("天气"), 10) == []
    assert (index.articles, index.made_of[:8]) == (3, "bm25s + ")


def test_a_benchmark_sets_ours_beside_the_plain_alternative(plan: BenchPlan) -> None:
    pytest.importorskip("bm25s", reason='needs bm25s: pip install -e ".[dev]"')

    @contextmanager
    def with_articles() -> Iterator[OpenBase]:
        yield OpenBase(search, ARTICLES.items)

    plain = run_bench(replace(plan, open_base=with_articles)).plain
    assert plain is not None
    assert (plain.articles, plain.recall_at_10, plain.ratio["recall_at_10"]) == (3, 0.5, 1.0)


def test_a_result_file_says_how_to_measure_again(plan: BenchPlan, tmp_path: Path) -> None:
    config = load_config()
    path = write_result(run_bench(plan), MEASURED, config, folder=tmp_path / "results")
    record = json.loads(path.read_text(encoding="utf-8"))
    assert path == result_path("sample", tmp_path / "results")
    assert path.name == f"sample-{record['commit']}.json"
    assert (record["what"], record["count"], record["seed"]) == ("bench", 2, 17)
    assert record["config_digest"] == config_digest(config)
    assert set(record["machine"]) == {"cpu", "cores", "memory_gb", "python", "system"}
    assert record["packages"]["numpy"]
    assert record["config"]["index"]["k1"] == config.index.k1
    assert "storage" not in record["config"]


def test_losing_questions_are_reported_and_stay_out_of_the_file(tmp_path: Path) -> None:
    result = evaluate_retrieval(QUESTIONS, find)
    (loss,) = cast(list[dict[str, object]], as_record(result)["losing"])
    assert (loss["id"], loss["missed"], loss["rank"]) == ("q2", "article", None)
    text = write_result(result, MEASURED, load_config(), folder=tmp_path).read_text(encoding="utf-8")
    assert "异地就医" not in text
    assert "losing" not in json.loads(text)["result"]


def test_a_name_that_is_no_file_name_is_refused() -> None:
    with pytest.raises(PolicyDeskError, match="不能作文件名"):
        result_path("../x")


def test_the_table_shows_scores_kinds_and_speed(plan: BenchPlan, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    write_result(evaluate_retrieval(QUESTIONS, find), MEASURED, load_config(), folder=folder)
    write_result(run_bench(plan), replace(MEASURED, name="speed"), load_config(), folder=folder)
    table = measured_table(folder.glob("*.json"))
    assert "| sample | 2 | 0.500 (0.000–1.000) |" in table
    assert "| – 医保 | 1 | 0.000 (0.000–0.000) |" in table
    assert "| Ingest | 3 articles in " in table
    scores, speed, _ = table.split("\n\n")
    assert {line.count("|") for line in scores.splitlines()} == {10}  # nine columns
    assert {line.count("|") for line in speed.splitlines()} == {3}


def test_of_two_results_of_one_name_the_newer_is_shown(tmp_path: Path) -> None:
    path = write_result(evaluate_retrieval(QUESTIONS, find), MEASURED, load_config(), folder=tmp_path)
    record = json.loads(path.read_text(encoding="utf-8"))
    older = record | {"date": "2001-01-01T00:00:00+00:00", "commit": "0" * 12}
    (tmp_path / "older.json").write_text(json.dumps(older), encoding="utf-8")
    assert "2001-01-01" not in measured_table(tmp_path.glob("*.json"))
    assert "2001-01-01" in measured_table([tmp_path / "older.json"])


def test_a_result_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("{}", encoding="utf-8")
    with pytest.raises(PolicyDeskError, match=r"odd\.json.*重新测量"):
        measured_table([tmp_path / "odd.json"])
    assert "nothing measured" in measured_table([])


def test_refreshing_the_table_twice_changes_nothing_more(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"前\n\n{BEGIN}\nold\n{END}\n\n后\n", encoding="utf-8")
    assert refresh_table(readme, "| a |\n")
    assert readme.read_text(encoding="utf-8") == f"前\n\n{BEGIN}\n| a |\n{END}\n\n后\n"
    assert not refresh_table(readme, "| a |")


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_missing_markers_are_an_error(tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyDeskError, match=r"measured:begin.*写上这两行"):
        refresh_table(readme, "x")
    assert readme.read_text(encoding="utf-8") == text
    with pytest.raises(NotFound):
        refresh_table(tmp_path / "none.md", "x")
