"""Reading gold questions."""

import gzip
from datetime import date
from pathlib import Path

import pytest

from core.errors import IngestError
from core.records import Question
from eval.gold import gold_digest, read_gold, trec_ref, with_defaults

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
