"""What the language model was asked and what it cost is counted, and no word of it is kept."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from generate_samples import ASKED, Benefit, generator, with_model
from model_server_scripted import TEXT, Scripted, scripted
from typer.testing import CliRunner

from core.config import load_config
from core.errors import ConfigError, GenerationFailed
from core.ledger import Call, Ledger, read_calls, summed
from core.models import open_generator, opened_models
from core.tasks import ANSWER
from policydesk.cli import app

CALL = Call("2026-05-04T08:00:00.000+00:00", "answer", "answer-1", "m", "ask", "", 1, 0.5, 2.0, 100, 20, False)


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    with scripted() as script:
        yield script


def run(*words: str, server: Scripted, mode: str, home: Path) -> tuple[int, str, str]:
    variables = {"POLICYDESK_GENERATE__MODEL": server.word(mode)}
    result = CliRunner().invoke(app, ["models", *words, "--home", str(home)], env=variables)
    return result.exit_code, result.stdout, result.stderr


def test_a_call_is_written_down_without_a_word_of_it(server: Scripted, tmp_path: Path) -> None:
    made = generator(server.word("ok"), tmp_path)
    list(made.stream(ANSWER, ASKED))
    [call] = read_calls(tmp_path, date(2000, 1, 1))
    assert (call.task, call.prompt, call.model, call.step, call.fault) == ("answer", ANSWER.prompt, "ok", "ask", "")
    assert (call.prompt_tokens, call.reply_tokens, call.estimated, call.tries) == (40, 7, False, 1)
    assert call.first_seconds is not None
    assert call.first_seconds <= call.seconds
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "generate").iterdir())
    assert TEXT[:2] not in written
    assert "补贴" not in written


def test_the_version_of_a_prompt_is_that_of_the_call(server: Scripted) -> None:
    made = generator(server.word("ok"))
    for prompt in ("answer-1", "answer-2"):
        list(made.stream(replace(ANSWER, prompt=prompt), ASKED))
    assert [call.prompt for call in made.ledger.recent] == ["answer-1", "answer-2"]


def test_tokens_are_estimated_for_a_server_that_does_not_count(server: Scripted) -> None:
    made = generator(server.word("no-usage"))
    list(made.stream(ANSWER, ASKED))
    call = made.ledger.recent[-1]
    assert call.estimated
    assert (call.prompt_tokens, call.reply_tokens) == (9, 5)      # 14 characters / 1.5; five pieces


def test_calls_are_summed_by_task_and_model() -> None:
    calls = [
        CALL,
        replace(CALL, first_seconds=1.5, seconds=4.0, estimated=True),
        replace(CALL, fault="slow", first_seconds=None, seconds=18.0, prompt_tokens=0, reply_tokens=0),
        replace(CALL, step="repair", seconds=3.0),
        replace(CALL, step="read", fault="garbage", first_seconds=None, seconds=9.0, prompt_tokens=0, reply_tokens=0),
        replace(CALL, model="a"),
    ]
    first, second = summed(calls)
    assert (first.model, second.model) == ("a", "m")
    assert (second.calls, second.repairs, second.faults) == (4, 1, {"garbage": 1, "slow": 1})
    assert (second.prompt_tokens, second.reply_tokens, second.estimated) == (300, 60, 1)
    assert (second.first_seconds, second.seconds, second.most_seconds) == (0.5, 3.0, 18.0)


def test_lines_of_many_threads_and_ledgers_are_whole(tmp_path: Path) -> None:
    ledgers = [Ledger(tmp_path, 9), Ledger(tmp_path, 9)]
    threads = [
        threading.Thread(target=lambda ledger: [ledger.add(CALL) for _ in range(50)], args=(ledgers[number % 2],))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(read_calls(tmp_path, date(2026, 5, 4))) == [CALL] * 400


def test_days_that_are_too_old_are_removed_and_those_before_a_date_not_read(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, 36_500)
    for day in ("2026-05-03", "2026-05-04", "2026-05-05"):
        ledger.add(replace(CALL, at=f"{day}T08:00:00"))
    assert [call.at[:10] for call in read_calls(tmp_path, date(2026, 5, 4))] == ["2026-05-04", "2026-05-05"]
    Ledger(tmp_path, 1).add(replace(CALL, at="2126-05-04T08:00:00"))
    assert [call.at[:4] for call in read_calls(tmp_path, date(2000, 1, 1))] == ["2126"]


def test_a_line_that_a_crash_cut_is_passed_over(tmp_path: Path) -> None:
    Ledger(tmp_path, 9).add(CALL)
    with (tmp_path / "generate" / "calls-2026-05-04.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"at": "2026\n[]\n{"at": "x"}\n')
    assert list(read_calls(tmp_path, date(2000, 1, 1))) == [CALL]


def test_a_disk_that_takes_no_line_costs_no_answer(server: Scripted, tmp_path: Path) -> None:
    (tmp_path / "generate").write_text("no folder", encoding="utf-8")
    made = generator(server.word("ok"), tmp_path, enabled=True)
    with pytest.raises(GenerationFailed):            # the switch cannot be read, so it is off
        list(made.stream(ANSWER, ASKED))
    assert made.ledger.unwritten == 1
    assert len(made.ledger.recent) == 1


def test_the_numbers_of_a_task_can_be_set() -> None:
    config = with_model("none", tasks={"answer": {"max_tokens": 5, "total_seconds": 40}})
    assert config.generate.for_task(ANSWER) == replace(ANSWER, max_tokens=5, total_seconds=40)
    assert config.generate.for_task(replace(ANSWER, name="other")).max_tokens == ANSWER.max_tokens


def test_a_file_and_the_environment_set_numbers_of_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "own.yaml"
    file.write_text("generate:\n  tasks:\n    answer: {at_once: 3}\n", encoding="utf-8")
    monkeypatch.setenv("POLICYDESK_GENERATE__TASKS__ANSWER__MAX_TOKENS", "99")
    task = load_config(file).generate.for_task(ANSWER)
    assert (task.at_once, task.max_tokens) == (3, 99)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tasks:\n    awnser: {at_once: 3}", r"generate\.tasks.*awnser.*answer"),
        ("tasks:\n    answer: {atonce: 3}", r"generate\.tasks\.answer\.atonce"),
        ("tasks:\n    answer: {at_once: 0}", r"generate\.tasks\.answer\.at_once"),
        ("model: qwen3", r"generate\.model"),
        ("model: openai:http://10.0.0.5:8000", r"generate\.model"),
    ],
)
def test_a_slip_in_the_section_is_named(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(f"generate:\n  {text}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=problem):
        load_config(file)


def test_no_model_is_opened_unless_one_is_named_and_a_server_that_is_down_stops_no_start() -> None:
    assert open_generator(load_config()) is None
    config = with_model("openai:http://127.0.0.1:1/v1#Qwen3-8B")
    plain = config.model_copy(update={"index": config.index.model_copy(update={"embedder": "none"})})
    with opened_models(plain) as models:
        assert models.generator is not None
        assert models.generator.name == "Qwen3-8B"


def test_a_password_in_the_address_is_shown_nowhere(tmp_path: Path) -> None:
    made = generator("openai:http://u:geheim@127.0.0.1:1#m", tmp_path)
    with pytest.raises(GenerationFailed) as caught:
        list(made.stream(ANSWER, ASKED))
    assert "geheim" not in str(caught.value)


def test_the_operators_check_prints_text_and_json_and_the_times(server: Scripted, tmp_path: Path) -> None:
    status, out, err = run("try", server=server, mode="ok", home=tmp_path)
    assert status == 0
    assert out.splitlines() == [TEXT, f'{{"reply":"{TEXT}","kind":"政策"}}']
    assert err.count("共") == 2
    assert err.count("7 个词元") == 2


def test_the_operators_check_fails_by_name(server: Scripted, tmp_path: Path) -> None:
    status, out, err = run("try", "--json", server=server, mode="error-401", home=tmp_path)
    assert status == 1
    assert out.count('"fault": "refused"') + out.count('"fault":"refused"') == 2
    assert "HTTP 401" in err


def test_the_verbs_switch_the_model_and_tell_its_state_and_its_cost(server: Scripted, tmp_path: Path) -> None:
    assert "启用" in run("list", server=server, mode="ok", home=tmp_path)[2]
    assert run("off", "--by", "王敏", "--reason", "换模型", server=server, mode="ok", home=tmp_path)[0] == 0
    assert "换模型" in run("list", server=server, mode="ok", home=tmp_path)[2]
    assert run("try", server=server, mode="ok", home=tmp_path)[0] == 1
    assert "王敏" in run("on", "--by", "王敏", server=server, mode="ok", home=tmp_path)[2]
    assert run("try", server=server, mode="ok", home=tmp_path)[0] == 0
    status, out, _ = run("usage", server=server, mode="ok", home=tmp_path)
    assert status == 0
    assert "answer  ok  4 次" in out
    assert "off 2" in out
    assert '"calls":4' in run("usage", "--json", server=server, mode="ok", home=tmp_path)[1].replace(" ", "")


def test_values_are_counted_as_their_calls(server: Scripted, tmp_path: Path) -> None:
    made = generator(server.word("wrong-once"), tmp_path)
    made.structured(ANSWER, ASKED, Benefit)
    [usage] = summed(read_calls(tmp_path, date(2000, 1, 1)))
    assert (usage.calls, usage.repairs, usage.faults) == (2, 1, {})
