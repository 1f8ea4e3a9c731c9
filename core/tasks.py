"""What each use of the language model may take: one table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Task:
    """The profile of one use. ``generate.tasks`` of the configuration may change its numbers."""

    name: str
    prompt: str                # version of its prompt, which stands in the ledger beside what it cost
    temperature: float
    max_tokens: int            # of a reply
    wait_seconds: float        # for a place among those at the same time
    first_seconds: float       # from then to the first piece: connecting, and reading the prompt
    between_seconds: float     # from one piece to the next
    total_seconds: float       # of all this together, a repair try included
    at_once: int               # calls at the same time


# Temperature 0, because the same question should get the same answer. 18 s in all, so that the extracted answer, which
# goes out when the model fails, is there within 20 s. 1,024 tokens are some 1,500 Chinese characters; an answer has 100
# to 600. 8 at once: the fewest that a 24 GB GPU serves together with 4,000 tokens each (docs/vllm.md).
ANSWER = Task(
    "answer", "answer-1", temperature=0.0, max_tokens=1024,
    wait_seconds=2.0, first_seconds=8.0, between_seconds=4.0, total_seconds=18.0, at_once=8,
)

# One sentence, while its draft is still coming: with the 18 s of the draft no more than 20 s.
VERIFY = Task(
    "verify", "verify-1", temperature=0.0, max_tokens=64,
    wait_seconds=0.4, first_seconds=1.2, between_seconds=1.0, total_seconds=2.0, at_once=8,
)

TASKS = {task.name: task for task in (ANSWER, VERIFY)}

# What nobody waits for is bound by who asks; long limits cost nothing.
EXTRACT = Task(
    "extract", "extract-1", temperature=0.0, max_tokens=2048,
    wait_seconds=120.0, first_seconds=30.0, between_seconds=15.0, total_seconds=300.0, at_once=64,
)
