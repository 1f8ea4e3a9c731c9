"""Real files through find_files and read_files: what becomes a document, and what is skipped and why."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from core.config import Config
from core.errors import IngestError
from core.records import Document, FileRead, Skipped
from ingest.read import ReadSettings, find_files, read_files

TEXT = "临澜市供热办法\n\n第一条　供热期自11月8日起。\n第二条　室温不低于18度。\n"
Items = list[Document | Skipped | FileRead]
Read = Callable[..., Items]


@pytest.fixture
def read(config: Config, tmp_path: Path) -> Read:
    def run(*, named: Sequence[Path] = (), seen: bool = False, told: list[int] | None = None) -> Items:
        limits = config.ingest.model_copy(update={"max_line_mb": 1})
        count = (told if told is not None else []).append
        settings = ReadSettings(limits, config.regions.names, lambda source, digest: seen, count)
        return list(read_files(find_files([tmp_path]), settings, named=named))

    return run


def documents(items: Items) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


def skipped(items: Items) -> list[Skipped]:
    return [item for item in items if isinstance(item, Skipped)]


def line(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False)


def article(number: str, law: str = "甲法", text: str = "条文。") -> str:
    return line(id=f"{law}@2020-01-01#{number}", law=law, article=number, date="2020-01-01", text=text, path=["第一章"])


def test_a_path_that_does_not_exist_is_named() -> None:
    with pytest.raises(IngestError, match=r"没有这个文件\.md.*路径不存在"):
        find_files([Path("没有这个文件.md")])


def test_files_come_in_name_order_and_hidden_ones_are_left_out(tmp_path: Path) -> None:
    for name in ("b.md", "a/c.md", ".hidden.md", ".git/d.md", "a/.e.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TEXT, encoding="utf-8")
    assert [str(file.relative_to(tmp_path)) for file in find_files([tmp_path])] == ["a/c.md", "b.md"]


@pytest.mark.parametrize("name", ["甲.md", "甲.txt", "甲.jsonl"])
def test_an_empty_file_is_a_failure(tmp_path: Path, read: Read, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    problem, end = read()
    assert isinstance(problem, Skipped)
    assert "文件是空的" in problem.reason
    assert isinstance(end, FileRead)
    assert end.failed


def test_a_file_of_white_space_is_empty(tmp_path: Path, read: Read) -> None:
    (tmp_path / "甲.md").write_text(" \n　\n", encoding="utf-8")
    assert "文件是空的" in skipped(read())[0].reason


def test_an_empty_gzip_is_empty(tmp_path: Path, read: Read) -> None:
    (tmp_path / "甲.jsonl.gz").write_bytes(gzip.compress(b""))
    assert "文件是空的" in skipped(read())[0].reason


@pytest.mark.parametrize("data", [
    TEXT.encode("gb18030"), TEXT.encode("utf-8-sig"), TEXT.encode("utf-16"), TEXT.encode("utf-16-le"),
    TEXT.encode("utf-16-be"), b"\xfe\xff" + TEXT.encode("utf-16-be"), TEXT.replace("\n", "\r\n").encode(),
    TEXT.encode("utf-32"),
], ids=["gb18030", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-16-be-bom", "crlf", "utf-32"])
def test_every_encoding_gives_the_same_document(tmp_path: Path, read: Read, data: bytes) -> None:
    (tmp_path / "甲.txt").write_bytes(TEXT.encode())
    plain = documents(read())[0]
    (tmp_path / "甲.txt").write_bytes(data)
    other = documents(read())[0]
    assert (other.id, other.text, other.articles) == (plain.id, plain.text, plain.articles)
    assert [a.address for a in other.articles] == ["第一条", "第二条"]


@pytest.mark.parametrize("data", [
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 9, b"\xff\xff\x81\x20" * 99, b"abc\x00def" * 9,
])
def test_binary_junk_named_as_text_is_a_failure(tmp_path: Path, read: Read, data: bytes) -> None:
    (tmp_path / "甲.md").write_bytes(data)
    items = read()
    assert not documents(items)
    assert skipped(items)[0].failed


def test_a_bad_line_is_named_and_only_the_law_it_may_belong_to_is_held_back(tmp_path: Path, read: Read) -> None:
    lines = [article(f"第{n}条") for n in range(1, 11)] + [article(f"第{n}条", "乙法") for n in range(1, 11)]
    lines[16] = lines[16].replace('"law":', '"law"')
    column = lines[16].index('"law"') + len('"law" ') + 1
    (tmp_path / "法.jsonl").write_text("\n".join([*lines, article("第1条", "丙法")]), encoding="utf-8")
    items = read()
    assert [document.facts.title for document in documents(items)] == ["甲法", "丙法"]
    bad, law = skipped(items)
    assert bad.place == f"{tmp_path.resolve()}/法.jsonl:17"
    assert f"第 {column} 列" in bad.reason
    assert "乙法" in law.reason


def test_a_bad_line_between_two_laws_holds_back_both(tmp_path: Path, read: Read) -> None:
    rows = [article("第一条", "甲法"), "{", article("第二条", "乙法"), article("第一条", "丙法")]
    (tmp_path / "法.jsonl").write_text("\n".join(rows), encoding="utf-8")
    assert [document.facts.title for document in documents(read())] == ["丙法"]


@pytest.mark.parametrize(("row", "reason"), [
    ('["甲"]', "text"), ('{"text": ""}', "text"), ('{"text": 5}', "text"), ('{"text": "甲", "title": 7}', "title"),
    ('{"text": "甲", "date": ["2020"]}', "date"), ('"甲"', "text"), ('{"text": "甲", "kind": {}}', "kind"),
    ('{"article": "第一条", "text": "甲"}', "law"),
    ('{"text": "甲", "title": "乙", "region": "亚特兰蒂斯"}', "亚特兰蒂斯"),
])
def test_a_row_with_wrong_fields_is_named(tmp_path: Path, read: Read, row: str, reason: str) -> None:
    (tmp_path / "甲.jsonl").write_text(f"{row}\n" + line(docid="d", title="好", text="正文。"), encoding="utf-8")
    items = read()
    assert [document.facts.title for document in documents(items)] == ["好"]
    assert skipped(items)[0].place.endswith("甲.jsonl:1")
    assert reason in skipped(items)[0].reason


@pytest.mark.parametrize("escape", ["\\ud800", "\\u0000"])
def test_a_character_that_cannot_be_stored_is_named(tmp_path: Path, read: Read, escape: str) -> None:
    (tmp_path / "甲.jsonl").write_text(f'{{"title": "甲", "text": "乙{escape}丙"}}', encoding="utf-8")
    assert "代理字符或空字符" in skipped(read())[0].reason


def test_escaped_characters_are_read(tmp_path: Path, read: Read) -> None:
    (tmp_path / "甲.jsonl").write_text(r'{"title": "\u7532", "text": "\ud83d\ude00 C:\\u0000"}', encoding="utf-8")
    assert documents(read())[0].text == "\U0001f600 C:\\u0000"


@pytest.mark.parametrize("nested", [
    "[" * 100_000, '{"text":' * 100_000, '{"text": "甲", "x": ' + "[" * 50_000 + "]" * 50_000 + "}",
], ids=["lists", "objects", "valid"])
def test_deeply_nested_json_is_skipped(tmp_path: Path, read: Read, nested: str) -> None:
    (tmp_path / "甲.jsonl").write_text(f"{nested}\n" + line(docid="d", title="好", text="正文。"), encoding="utf-8")
    items = read()
    assert [document.facts.title for document in documents(items)] == ["好"]


def test_a_line_that_is_too_long_is_skipped_and_later_ones_are_read(tmp_path: Path, read: Read) -> None:
    rows = [line(docid="a", title="甲", text="长" * 900_000), line(docid="b", title="乙", text="短。")]
    (tmp_path / "甲.jsonl").write_text("\n".join(rows), encoding="utf-8")
    items = read()
    assert [document.facts.title for document in documents(items)] == ["乙"]
    assert "max_line_mb" in skipped(items)[0].reason
    assert skipped(items)[0].place.endswith(":1")


def test_article_rows_are_one_document_that_keeps_their_ids_and_texts(tmp_path: Path, read: Read) -> None:
    rows = [article("第一条", text="甲。\n乙。"), article("第二条", text="丙。"), article("第一条", "乙法")]
    (tmp_path / "法.jsonl").write_text("\n".join(rows), encoding="utf-8")
    first, second = documents(read())
    assert [a.ref for a in first.articles] == ["甲法@2020-01-01#第一条", "甲法@2020-01-01#第二条"]
    assert [first.text[a.start : a.end] for a in first.articles] == ["甲。\n乙。", "丙。"]
    assert first.articles[1].heading == ("第一章",)
    assert second.facts.title == "乙法"


def test_document_rows_make_references_of_id_and_address(tmp_path: Path, read: Read) -> None:
    row = line(docid="d-1", title="通知", text="各单位：\n一、按期完成供热。\n二、拨打电话反映。")
    (tmp_path / "甲.jsonl").write_text(row, encoding="utf-8")
    assert [a.ref for a in documents(read())[0].articles] == ["d-1#序言", "d-1#一", "d-1#二"]


def test_gzip_and_plain_lines_give_equal_documents(tmp_path: Path, read: Read) -> None:
    rows = f"{article('第一条')}\n{article('第二条')}".encode()
    (tmp_path / "a.jsonl").write_bytes(rows)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(rows))
    plain, packed = documents(read())
    assert plain.id == packed.id


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: b"junk" + data])
def test_a_damaged_gzip_is_a_failure(tmp_path: Path, read: Read, damage: Callable[[bytes], bytes]) -> None:
    rows = "\n".join(article(f"第{n}条", text=str(n**9)) for n in range(99)).encode()
    (tmp_path / "甲.jsonl.gz").write_bytes(damage(gzip.compress(rows)))
    items = read()
    assert "gzip 文件已损坏" in skipped(items)[-1].reason
    assert not documents(items)


def test_an_unknown_type_is_listed_in_a_folder_and_fails_when_named(tmp_path: Path, read: Read) -> None:
    (tmp_path / "照片.heic").write_bytes(b"x")
    assert [item.failed for item in skipped(read())] == [False]
    problem = skipped(read(named=[tmp_path / "照片.heic"]))[0]
    assert problem.failed
    assert "PDF、DOCX" in problem.reason


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, read: Read) -> None:
    (tmp_path / "甲.md").write_text(TEXT, encoding="utf-8")
    told: list[int] = []
    (only,) = read(seen=True, told=told)
    assert isinstance(only, FileRead)
    assert (only.unchanged, only.failed, sum(told)) == (True, False, len(TEXT.encode()))


def test_reading_tells_the_size_of_everything_read(tmp_path: Path, read: Read) -> None:
    rows = "\n".join(article(f"第{n}条") for n in range(999)).encode()
    (tmp_path / "a.jsonl").write_bytes(rows)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(rows))
    (tmp_path / "c.md").write_text(TEXT, encoding="utf-8")
    (tmp_path / "d.heic").write_bytes(b"x" * 100)
    with tarfile.open(tmp_path / "e.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("法/甲.jsonl")
        member.size = len(rows)
        archive.addfile(member, io.BytesIO(rows))
    told: list[int] = []
    read(told=told)
    assert sum(told) == sum(file.stat().st_size for file in tmp_path.iterdir())
    assert min(told) >= 0


def test_ids_follow_from_content_alone(tmp_path: Path, read: Read) -> None:
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "c.txt").write_text(TEXT + "第三条　丙。\n", encoding="utf-8")
    one, two, three = documents(read())
    assert one.id == two.id != three.id
    assert [c.id for c in one.chunks] == [c.id for c in two.chunks]
