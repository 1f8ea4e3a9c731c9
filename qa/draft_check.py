"""What a model wrote -> what may be shown of it: sentences that passages carry, questions that claim nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from core.records import Citation
from qa.compose import citation_of
from qa.draft_screen import addressed
from qa.draft_severed import severed
from qa.draft_sources import Offered, as_data
from qa.facts_kept import says
from qa.names_kept import unnamed
from qa.restated import core_of, pairs_of, quote_units, uncovered
from qa.said import said_in, say
from qa.select import Quote
from qa.support import Support
from qa.verify import Verdict, check_cited

_LONGEST = 300               # characters of a sentence
_QUOTED = 240                # of passages that are given in the place of a sentence they do not carry
_LIKE = 0.4                  # of the sentence's letters such passages hold; less, and they say something else
_TOKEN = re.compile(
    r"[\[(（【]?\s*[Aa]\d-\d{1,2}(?:\s*[,，、]\s*[Aa]\d-\d{1,2})*\s*[\])）】]?|[\[【]\s*\d{1,3}\s*[\]】]"
)
_MARKUP = re.compile(r"[*_`#~]+|^\s*(?:[-•·]|\d{1,2}[.、)）](?!\d))\s*")
_GREETING = re.compile(r"^(?:您好|你好)[，,！!。：:\s]*")
_ENDS = "。！？；.!?;"
# what a sentence may hold that no quote does: characters are checked as words, digits as numbers, signs say nothing
_FOREIGN = re.compile(r"[^\u3400-\u9fff〇々0-9\s,。、;:?!\"'()《》〈〉〔〕【】—…·%.\-+×]+")
_SIGNS = str.maketrans("“”‘’「」『』～", "\"\"''\"\"\"\"-")
_CALLED = re.compile(r"\d(?:[ \-]?\d){6,}")
_ASKS = re.compile(
    r"是否|有没有|有无|是不是|能不能|会不会|可不可以|要不要|多[大少久长高]|什么|哪[里儿个些一种类位年]|几|谁|怎[么样]|何[时处种]|吗|呢"
)
_TAG = re.compile(r"(?:好|对|行|是|可以|知道|明白|清楚|了解)(?:不对|不好|不是)?[吗吧嘛么][？?]$")     # behind a claim
_POLITE = re.compile(r"请问|麻烦|一下|您|你|目前|现在|已经|属于|还|说|告诉我|方便|想|是哪|的话|具体")
_PRIVATE = re.compile(
    r"密码|口令|验证码|校验码|卡号|账号|账户|身份证号|证件号|号码是|(?:转|汇|打)(?:账|款|钱|到)|安全码|有效期.{0,4}卡|微信|链接|网址"
    r"|扫码|二维码|下载|点击"
)
_NOVEL = 0.34                # of a question's letters need not stand in the articles


@dataclass(frozen=True, slots=True)
class Kept:
    """A sentence as it is shown, and what carries it."""

    text: str
    offers: tuple[Offered, ...]
    verdict: Verdict
    how: str                     # drafted; recited: with other passages than the model cited; quoted: in its place


def kept(text: str, cites: Sequence[str], offers: Mapping[str, Offered], support: Support, day: date) -> Kept | None:
    """The sentence with the passages it cites, else with others of the same articles, if those carry it; else the
    passages it cites, word for word, where they speak of the same; else nothing."""
    said = cleaned(text)
    cited = tuple(dict.fromkeys(offers[name] for name in cites if name in offers))
    internal = not all(offer.hit.document.facts.public for offer in cited)
    if not said or not cited or addressed(said, dictates=internal) is not None:
        return None
    for offer in cited:
        if _bare(said) == _bare(offer.said):     # its line ends, by which a list is read, are lost in the draft
            return Kept(offer.said, (offer,), Verdict(True, ()), "drafted")
    for number, some in enumerate(_chances(cited, offers) if len(said) <= _LONGEST else ()):
        verdict = carried(said, some, support, day)
        if not verdict.carried:
            continue
        if all(severed(said, offer.said, names_of(offer)) for offer in some):
            return None       # nor are the passages given: what is around it may be an order to whoever answers
        return Kept(said, some, verdict, "recited" if number else "drafted")
    quotes = list(dict.fromkeys(offer.quote for offer in cited if not offer.quote.endswith(("？", "?"))))
    if quotes and sum(map(len, quotes)) <= _QUOTED and _alike(said, [offer.said for offer in cited]):
        return Kept("\n".join(quotes), cited, Verdict(True, ()), "quoted")
    return None


def spoken(text: str, cites: Sequence[str], offers: Mapping[str, Offered], support: Support, day: date) -> Kept | None:
    """As `kept`, for what is read aloud to a caller: no passage stands for it, and documents that are not public, which
    an agent may read, carry nothing of it."""
    public = {token: offer for token, offer in offers.items() if offer.hit.document.facts.public}
    found = kept(text, cites, public, support, day)
    return found if found is not None and found.how != "quoted" else None


def carried(text: str, offers: Sequence[Offered], support: Support, day: date) -> Verdict:
    """`qa.verify` with the passages, and nothing in it that is neither Chinese nor in them."""
    citations = [replace(citation(n, offer, day), quote=offer.said) for n, offer in enumerate(offers, start=1)]
    names = [name for offer in offers for name in names_of(offer)]
    if strange := foreign(text, [*(c.quote for c in citations), *names]):
        return Verdict(False, (f"引文中没有：{strange}",), 0.0)
    return check_cited(text, citations, support)


def names_of(offer: Offered) -> list[str]:
    """What may be said, or left out, of a passage beside its words."""
    facts = offer.hit.document.facts
    return [name for name in (facts.title, facts.doc_no, *offer.hit.heading, offer.hit.address) if name]


def citation(n: int, offer: Offered, day: date) -> Citation:
    return citation_of(n, Quote(offer.hit, offer.passage, 0.0), day)


def cleaned(text: str) -> str:
    """One line that ends in a stop, without invisible signs, tokens, markup and greetings."""
    said = _MARKUP.sub("", _TOKEN.sub("", as_data(text)))
    said = _GREETING.sub("", said.strip()).strip()
    return said if not said or said[-1] in _ENDS else said + "。"


def foreign(text: str, quotes: Sequence[str]) -> str | None:
    """The first letters, signs or telephone number of ``text`` that no quote holds: links, mail addresses, emoji."""
    held = _even("\n".join(quotes))
    said = _even(text)
    for match in _FOREIGN.finditer(said):
        if match.group() not in held:
            return match.group()
    digits = re.sub(r"[ \-]", "", held)
    for match in _CALLED.finditer(said):
        if re.sub(r"[ \-]", "", match.group()) not in digits:
            return match.group()
    return None


def asked_next(text: str, offers: Sequence[Offered]) -> str | None:
    """The question as it is shown, or None: it claims something, or asks for what nobody should tell.

    Numbers, dates, names and nearly all of its words stand in the offered articles; what was asked does not count.
    """
    said = cleaned(text).rstrip("。.;；")
    said = said if said.endswith(("？", "?")) else said + "？"
    if len(said) > 60 or not _ASKS.search(said) or _TAG.search(said) or _PRIVATE.search(said) or addressed(said):
        return None
    quotes = [offer.said for offer in offers]
    titles = list(dict.fromkeys(offer.hit.document.facts.title for offer in offers))
    if foreign(said, [*quotes, *titles]):
        return None
    spoken_of = [said_in(quote) for quote in (*quotes, *titles)]
    own = say(said)
    facts = [fact for one in spoken_of for fact in one.facts]
    if not all(any(says(fact, other) for other in facts) for fact in own.facts):
        return None
    plain, text_of = "\n".join(one.plain for one in spoken_of), "\n".join(one.text for one in spoken_of)
    bare = say(_POLITE.sub("，", _ASKS.sub("，", said)))
    if next(unnamed(bare.plain, bare.text, plain, text_of), None) is not None:
        return None
    letters, novel = uncovered(core_of(bare.text.replace(",", "")), _pairs([*quotes, *titles]))
    return said if letters and len(novel) <= _NOVEL * letters else None


def keyword(text: str, shown: str) -> str | None:
    """The word as it is marked: it stands in what is shown."""
    word = text.strip(" ，。、；：！？“”\"'")
    return word if 2 <= len(word) <= 20 and word in shown else None


def _chances(cited: tuple[Offered, ...], offers: Mapping[str, Offered]) -> Iterator[tuple[Offered, ...]]:
    """What the model cites, each other passage of the same articles by itself, and what it cites with a neighbour."""
    yield cited
    articles = {offer.token.split("-")[0] for offer in cited}
    same = [offer for offer in offers.values() if offer.token.split("-")[0] in articles]
    yield from ((offer,) for offer in same if cited != (offer,))
    if len(cited) == 1:
        yield from (pair for pair in pairwise(same) if cited[0] in pair)


def _bare(text: str) -> str:
    return "".join(_even(text).split()).rstrip(_ENDS)


def _alike(text: str, quotes: Sequence[str]) -> bool:
    letters, novel = uncovered(core_of(say(text).text), _pairs(quotes))
    return letters > 0 and len(novel) <= (1 - _LIKE) * letters


def _pairs(texts: Sequence[str]) -> frozenset[str]:
    units = [unit.pairs for text in texts for unit in quote_units(text)]
    return frozenset().union(*units, *(pairs_of(core_of(said_in(text).text)) for text in texts))


def _even(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(_SIGNS)).lower().translate(_SIGNS)
