"""How a question is worded: as rules are, or as people talk.

Whoever talks says in other words what a rule says: that little of the question stands in a text tells less against it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kb.background import Background
from qa.evidence import Terms

_TALK = re.compile(
    r"我|俺|咱|娃|老公|老婆|媳妇|爸|妈|啥|咋|吗|呢|啊|呀|吧|嘛|没|想|哪儿|那个|这个|能不能|孩子|闺女|儿子|老人家|钱"
)
_FORMAL = re.compile(r"如何|哪些|是否|何种|应当|对于|采取|提供|针对|措施|要求|举措")
_ODD = 10.5                  # idf from which on hardly any rule holds a word
# Of 232 everyday questions on policies half lie beyond these. Further out nobody asks for a rule: 红烧肉怎么做.
_MOST_RARE, _MOST_ODD = 9.5, 0.5


def wording_of(question: str, terms: Terms, background: Callable[[], Background]) -> dict[str, float]:
    """``rarity``: mean idf of its words in law and official text; ``odd``: weight of those hardly any rule holds."""
    weights = [weight for _, weight in terms.weights]
    rarities = background().idf([word for word, _ in terms.weights]).tolist()
    pairs = list(zip(weights, rarities, strict=True))
    return {
        "words": float(min(12, len(terms.weights))),
        "rarity": min(_MOST_RARE, sum(weight * rarity for weight, rarity in pairs)),
        "odd": min(_MOST_ODD, sum(weight for weight, rarity in pairs if rarity > _ODD)),
        "talk": float(min(4, len(_TALK.findall(question)))),
        "formal": float(min(3, len(_FORMAL.findall(question)))),
    }
