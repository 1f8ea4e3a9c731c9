"""A real vLLM, where one runs: TEST_VLLM=openai:http://127.0.0.1:8000#tiny, TEST_VLLM_KEY (docs/vllm.md says how)."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
from generate_samples import ASKED, Benefit, generator

from core.errors import Fault, GenerationFailed
from core.tasks import ANSWER

WORD = os.environ.get("TEST_VLLM", "")
KEY = os.environ.get("TEST_VLLM_KEY", "")
pytestmark = pytest.mark.skipif(not WORD, reason="no vLLM: TEST_VLLM names none (docs/vllm.md)")
# random weights end a reply by chance only, and are slow on a busy CPU
PATIENT = {"temperature": 1.0, "max_tokens": 400, "first_seconds": 60, "between_seconds": 30, "total_seconds": 90}


def test_a_real_vllm_streams_pieces_and_counts_tokens() -> None:
    made = generator(WORD, api_key=KEY, limits=PATIENT)
    with suppress(GenerationFailed):
        list(made.stream(ANSWER, ASKED))
    call = made.ledger.recent[-1]
    assert call.fault in ("", "cut")               # no end within max_tokens, and vLLM says so
    assert call.first_seconds is not None
    assert not call.estimated
    assert call.prompt_tokens > 10
    assert 0 < call.reply_tokens <= PATIENT["max_tokens"]


def test_a_real_vllm_holds_a_reply_to_a_schema() -> None:
    value = generator(WORD, api_key=KEY, limits=PATIENT).structured(ANSWER, ASKED, Benefit)
    assert isinstance(value.amount, int)


def test_a_real_vllm_says_which_reply_ran_into_its_limit() -> None:
    made = generator(WORD, api_key=KEY, limits={**PATIENT, "temperature": 0.0, "max_tokens": 5})
    with pytest.raises(GenerationFailed, match="max_tokens") as caught:
        list(made.stream(ANSWER, ASKED))
    assert caught.value.fault is Fault.CUT
    assert made.ledger.recent[-1].reply_tokens == 5


@pytest.mark.parametrize(("word", "tokens"), [(WORD, 100_000), (f"{WORD.partition('#')[0]}#no-such-model", 5)])
def test_a_real_vllm_refuses_what_is_too_long_and_what_it_does_not_have(word: str, tokens: int) -> None:
    with pytest.raises(GenerationFailed) as caught:
        list(generator(word, api_key=KEY, limits={**PATIENT, "max_tokens": tokens}).stream(ANSWER, ASKED))
    assert caught.value.fault is Fault.REFUSED


def test_a_stream_that_is_left_frees_its_place_at_a_real_vllm() -> None:
    made = generator(WORD, api_key=KEY, limits={**PATIENT, "at_once": 1, "wait_seconds": 30, "max_tokens": 1500})
    left = made.stream(ANSWER, ASKED)
    next(left)
    left.close()
    assert made.structured(ANSWER, ASKED, Benefit) is not None
    assert made.ledger.recent[0].fault in ("left", "cut", "")
