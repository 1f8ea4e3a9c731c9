"""Reading gold questions."""

import gzip
from datetime import date
from hashlib import md5
from pathlib import Path

import pytest

from core.errors import IngestError
from core.records import Question
from eval.gold import GoldSpan, document_name, gold_digest, read_gold, span_digest, trec_ref, with_defaults

LINE = '{"id": "q%d", "question": "谁可以领补贴？", "gold": [{"id": "办法@2024-01-01#第八条", "also": []}]}'


def write(path: Path, *lines: str) -> Path:
    data = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_a_gold_group_holds_the_id_first_then_what_is_equally_correct(tmp_path: Path) -> None:
    line = '{"id": "q", "question": "问", "gold": [{"id": "b", "also": ["a", "b"]}, {"id": "c"}], "keywords": ""}'
    (question,) = read_gold(write(tmp_path / "gold.jsonl", line))
    assert question.gold == (("b", "a"), ("c",))
    assert not question.by_document


def test_docid_is_gold_by_document(tmp_path: Path) -> None:
    line = '{"id": "q", "question": "问", "docid": "d1", "also": ["d2"], "answer": "答"}'
    (question,) = read_gold(write(tmp_path / "gold.jsonl", line))
    assert question.gold == (("d1", "d2"),)
    assert question.by_document
    assert question.answer == "答"


def test_region_date_kind_and_expectation_are_read(tmp_path: Path) -> None:
    line = '{"id": 7, "question": "问", "region": "900100", "as_of": "2025-06-30", "kind": "时效", "expect": "expired"}'
    (question,) = read_gold(write(tmp_path / "gold.jsonl", line))
    assert question.id == "7"
    assert question.question == Question("问", region="900100", as_of=date(2025, 6, 30))
    assert (question.kind, question.expect, question.gold) == ("时效", "expired", ())


def test_white_space_of_any_kind_leaves_ids(tmp_path: Path) -> None:
    assert trec_ref("办法 @2024\u3000#第 八条\n") == "办法@2024#第八条"
    line = '{"id": "q 1", "question": "问", "gold": [{"id": "a b", "also": ["ab"]}]}'
    (question,) = read_gold(write(tmp_path / "gold.jsonl", line))
    assert (question.id, question.gold) == ("q1", (("ab",),))


def test_a_packed_file_gives_the_same_questions_and_digest(tmp_path: Path) -> None:
    lines = [LINE % n for n in range(3)]
    plain = read_gold(write(tmp_path / "gold.jsonl", *lines))
    packed = read_gold(write(tmp_path / "gold.jsonl.gz", "\ufeff" + lines[0], "", *lines[1:]))
    assert plain == packed
    assert gold_digest(plain) == gold_digest(packed) != gold_digest(plain[:2])


@pytest.mark.parametrize(
    "bad",
    [
        '{"id": "q17", "question": ',
        '["q17"]',
        '{"question": "问"}',
        '{"id": " ", "question": "问"}',
        '{"id": "q17", "question": "  "}',
        '{"id": "q17", "question": "问", "as_of": 20250630}',
        '{"id": "q17", "question": "问", "expect": "maybe"}',
        '{"id": "q17", "question": "问", "gold": [{"id": " "}]}',
        '{"id": "q17", "question": "问", "gold": [{"id": "a"}], "docid": "d"}',
        LINE % 3,
    ],
)
def test_a_bad_line_17_is_named_with_what_to_do(tmp_path: Path, bad: str) -> None:
    path = write(tmp_path / "gold.jsonl", *(LINE % n for n in range(16)), bad)
    with pytest.raises(IngestError, match=r"gold\.jsonl:17: .*改正") as caught:
        read_gold(path)
    assert caught.value.place == f"{path}:17"


def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_bytes((LINE % 1).encode() + b"\n" + '{"id": "q", "question": "问"}'.encode("gb18030"))
    with pytest.raises(IngestError, match=r"gold\.jsonl:2: "):
        read_gold(path)


def test_a_missing_an_empty_and_a_broken_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="找不到"):
        read_gold(tmp_path / "none.jsonl")
    with pytest.raises(IngestError, match="没有一个问题"):
        read_gold(write(tmp_path / "empty.jsonl", "", ""))
    broken = write(tmp_path / "gold.jsonl.gz", LINE % 1)
    broken.write_bytes(broken.read_bytes()[:-9])
    with pytest.raises(IngestError, match="读不出来"):
        read_gold(broken)


def test_defaults_fill_only_what_the_file_leaves_open(tmp_path: Path) -> None:
    own = '{"id": "q2", "question": "问", "region": "900100", "as_of": "2025-06-30"}'
    questions = read_gold(write(tmp_path / "gold.jsonl", LINE % 1, own))
    first, second = with_defaults(questions, Question("", national=True, as_of=date(2024, 1, 1)))
    assert (first.question.national, first.question.as_of) == (True, date(2024, 1, 1))
    assert second == questions[1]


SPAN = '{"id": "q", "question": "问", "document": "guangzhou/doc_2", "start": 5, "end": 9, "also": ["hebei-1"]%s}'


def test_a_span_is_gold_by_document_under_the_last_part_of_its_name(tmp_path: Path) -> None:
    line = SPAN % ', "sha256": "00112233445566ff", "set": "guangzhou", "wording": "hard", "split": "dev"'
    (question,) = read_gold(write(tmp_path / "gold.jsonl", line))
    assert (question.gold, question.by_document) == ((("doc_2", "hebei-1"),), True)
    assert question.span == GoldSpan("doc_2", 5, 9, "00112233445566ff")
    assert (question.labels, question.split) == (("question", "guangzhou", "hard"), "dev")


def test_the_span_of_a_docid_is_as_long_as_its_answer(tmp_path: Path) -> None:
    line = '{"id": "q", "question": "问", "docid": "d1", "also": [], "answer": "免征增值税", "start": 10}'
    (question,) = read_gold(write(tmp_path / "gold.jsonl", line))
    assert question.span == GoldSpan("d1", 10, 15, span_digest("免征增值税"))


def test_a_document_without_a_span_is_only_a_note(tmp_path: Path) -> None:
    line = '{"id": "q", "question": "问", "document": "policies/03.md", "gold": [{"id": "a"}]}'
    (question,) = read_gold(write(tmp_path / "gold.jsonl", line))
    assert (question.gold, question.by_document, question.span) == ((("a",),), False, None)


@pytest.mark.parametrize("bad", [SPAN % ', "docid": "d"', SPAN % ', "end": 5', SPAN % ', "sha256": "short"'])
def test_a_bad_span_is_named(tmp_path: Path, bad: str) -> None:
    with pytest.raises(IngestError, match=r"gold\.jsonl:1: .*改正"):
        read_gold(write(tmp_path / "gold.jsonl", bad))


def test_one_split_is_read_alone_and_a_missing_one_says_what_there_is(tmp_path: Path) -> None:
    pairs = (("q1", "dev"), ("q2", "test"))
    lines = [f'{{"id": "{name}", "question": "问", "split": "{split}"}}' for name, split in pairs]
    path = write(tmp_path / "gold.jsonl", *lines)
    assert [question.id for question in read_gold(path, split="test")] == ["q2"]
    with pytest.raises(IngestError, match="dev、test"):
        read_gold(path, split="train")


def test_a_document_is_named_by_what_follows_the_sharp_sign_or_by_its_file() -> None:
    assert document_name("/data/documents.jsonl.gz#hebei-0276") == "hebei-0276"
    assert document_name("guangzhou/doc_3") == "doc_3"
    assert document_name("/in/pack.zip!/dir/notice 1.docx") == "notice1.docx"


def test_the_city_questions_are_280_of_two_kinds_without_a_text_of_the_documents() -> None:
    questions = read_gold(Path(__file__).parent.parent / "eval" / "questions_city.jsonl")
    assert len(questions) == 280
    assert sum(question.kind == "unanswerable" for question in questions) == 48
    assert all((question.span is None) == (question.kind == "unanswerable") for question in questions)
    assert all(question.split == ("dev", "test")[int(md5(question.id.encode()).hexdigest(), 16) % 2]
               for question in questions)
    assert {question.answer for question in questions} == {None}
    first, last = questions[0], questions[-1]
    assert (first.id, first.gold, first.labels) == (
        "ev-a001", (("hebei-0031", "hebei-0369"),), ("everyday", "hebei", "hard")
    )
    assert (last.id, last.gold, last.labels) == ("ev-c100", (), ("unanswerable", "guangzhou", "average"))
