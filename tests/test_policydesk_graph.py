"""The verbs of ``policydesk graph``, on some of the sample documents: data on stdout, messages on stderr."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import networkx
import pytest
from click.testing import Result
from lxml import etree
from typer.testing import CliRunner

from core.errors import PolicyDeskError
from policydesk.cli import app
from tests.conftest import SAMPLES
from tests.model_server_scripted import Body, scripted

with warnings.catch_warnings():
    warnings.simplefilter("ignore")      # llama-index imports raise deprecation warnings of its own
    import kb.graph.extract
    import kb.graph.push  # noqa: F401

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
CARD = "临澜市公共租赁住房管理办法"
FILES = (
    "01_居住服务条例.md", "02_省住宅小区治理条例.md", "05_公租房办法2024.md", "06_公租房实施细则.md",
    "10_养犬管理条例.md",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a home; shared: only `extract` writes to it, and takes its edges back."""
    folder = tmp_path_factory.mktemp("graph")
    (folder / "files").mkdir()
    # Each verb opens the home: 0.1 s of computing without the embedder, which the graph does not need, else 0.5 s.
    (folder / "config.yaml").write_text("index: {embedder: none}\n", encoding="utf-8")
    for name in FILES:
        shutil.copy(SAMPLES / "policies" / name, folder / "files")
    assert verb(folder, "ingest", str(folder / "files"), "--workers", "0").exit_code == 0
    return folder


def verb(folder: Path, *arguments: str) -> Result:
    at = ("--home", str(folder / "home"), "--config", str(folder / "config.yaml"))
    return CliRunner().invoke(app, [*arguments, *at])


def graph(folder: Path, *arguments: str) -> Result:
    return verb(folder, "graph", *arguments)


def rows(done: Result) -> list[dict[str, object]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def refused(done: Result, *told: str) -> None:
    """With a message for people; `policydesk.cli.main` prints it."""
    assert done.exit_code == 1
    assert isinstance(done.exception, PolicyDeskError)
    assert not [part for part in told if part not in str(done.exception)]
    assert done.stdout == ""


def labels(row: dict[str, object], end: str) -> str:
    node = row[end]
    assert isinstance(node, dict)
    return str(node["label"])


def test_neighbours_are_shown_with_their_words_and_as_json(folder: Path) -> None:
    shown = graph(folder, "neighbours", CARD, "--kind", "basis", "--kind", "implements")
    assert f"实施  {CARD}实施细则 → {CARD}" in shown.stdout
    assert "“《临澜市公共租赁住房管理办法》（临政规〔2024〕3号）第二十三条”" in shown.stdout
    found = rows(graph(folder, "neighbours", "公共租赁住房管理办法实施细则", "--hops", "2", "--json"))
    assert {row["hop"] for row in found} == {1, 2}
    (document,) = rows(verb(folder, "show", str(found[0]["said_by"]), "--json"))
    text = str(document["text"])
    own = [row for row in found if row["said_by"] == document["id"]]
    assert [text[row["start"] : row["end"]] for row in own] == [row["quote"] for row in own]


def test_an_article_alone_and_one_direction_can_be_asked_for(folder: Path) -> None:
    incoming = rows(graph(folder, "neighbours", CARD, "第二十三条", "--in", "--json"))
    assert [labels(row, "source") for row in incoming] == [f"{CARD}实施细则 第一条"]
    assert rows(graph(folder, "neighbours", CARD, "第二十三条", "--out", "--json")) == []


def test_a_path_is_found_or_the_exit_code_says_that_there_is_none(folder: Path) -> None:
    way = rows(graph(folder, "path", f"{CARD}实施细则", "江岳省住宅小区治理条例", "--json"))
    assert [row["forward"] for row in way] == [True, True, False]
    assert labels(way[1], "target").startswith("城乡居民居住服务条例")
    shown = graph(folder, "path", f"{CARD}实施细则", CARD)
    assert f"1. {CARD}实施细则 →实施→ {CARD}" in shown.stdout
    none = graph(folder, "path", "养犬管理条例", CARD)
    assert (none.exit_code, none.stdout.strip()) == (1, "两份文件之间没有路径")


def test_what_carries_out_what_and_who_is_responsible(folder: Path) -> None:
    assert f"实施  {CARD}实施细则" in graph(folder, "implements", CARD).stdout
    below = rows(graph(folder, "implements", "城乡居民居住服务条例", "--basis", "--json"))
    assert {str(row["kind"]) for row in below} == {"basis", "implements"}
    charged = rows(graph(folder, "responsible", "犬只免疫", "--region", "900100", "--json"))
    assert (charged[0]["body"], charged[0]["phone"]) == ("农业农村部门", "0900-1234532")
    assert charged[0]["quote"] == "农业农村部门"


def test_open_ends_are_listed(folder: Path) -> None:
    ends = rows(graph(folder, "open", "--json"))
    assert all(set(end) == {"name", "edges", "documents", "first"} for end in ends)
    assert "城乡居民居住服务条例" not in {end["name"] for end in ends}


def test_the_graph_is_exported_whole_and_in_part_and_drawn(folder: Path) -> None:
    told = graph(folder, "export", "--out", str(folder / "all.graphml"))
    read = networkx.read_graphml(folder / "all.graphml")
    assert f"{read.number_of_nodes()} 个节点，{read.number_of_edges()} 条关系" in told.stderr
    part = json.loads(graph(folder, "export", "--format", "json", "--document", "养犬管理条例", "--hops", "1").stdout)
    assert 2 < len(part["nodes"]) < read.number_of_nodes()
    assert graph(folder, "picture", CARD, "--out", str(folder / "card.svg")).exit_code == 0
    assert CARD in "".join(etree.parse(folder / "card.svg").getroot().itertext())


def test_what_is_asked_wrongly_is_told(folder: Path) -> None:
    refused(graph(folder, "neighbours", "没有的办法"), "没有的办法")
    refused(graph(folder, "neighbours", CARD, "第九百条"), "第九百条", "--tree")
    refused(graph(folder, "extract", CARD, "--llm", "http://127.0.0.1"), "openai:")
    refused(graph(folder, "push"), "graph.store", "neo4j:")
    assert graph(folder, "neighbours", CARD, "--kind", "marries").exit_code == 2
    assert graph(folder, "extract").exit_code == 2


def test_a_model_adds_edges_over_http_and_a_second_reading_takes_them_back(folder: Path) -> None:
    quote = "公安机关是养犬管理的主管部门"
    replies: list[list[dict[str, object]]] = [[{
        "subject": {"type": "MATTER", "name": "养犬管理"},
        "relation": {"type": "RESPONSIBLE", "properties": {"quote": quote}},
        "object": {"type": "BODY", "name": "公安机关"},
    }], []]

    def reply(body: Body) -> str:
        return json.dumps({"triplets": replies[0] if quote in str(body["messages"]) else []}, ensure_ascii=False)

    with scripted(reply) as server:
        llm = ("extract", "养犬管理条例", "--llm", server.word("ok"), "--by", "王编辑")
        (first,) = rows(graph(folder, *llm, "--json"))
        around = rows(graph(folder, "neighbours", "养犬管理条例", "--json"))
        added = [row for row in around if row["method"] == "llm"]
        replies.pop(0)
        second = graph(folder, *llm).stdout
    assert (first["kept"], first["unreadable"], first["dropped"]) == (1, 0, {})
    assert [(labels(row, "target"), row["part"], row["quote"]) for row in added] == [("公安机关", "养犬管理", quote)]
    assert "加入 0 条关系" in second


def test_the_speed_is_measured(folder: Path) -> None:
    measured = rows(verb(folder, "bench", "graph", "--count", "5", "--json"))
    assert len(measured) == 5
    assert all(0 < row["p50_ms"] <= row["p95_ms"] for row in measured)
