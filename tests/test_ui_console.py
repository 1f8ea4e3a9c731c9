"""The agents' console: what it renders, and what a browser does with it."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pytest

from core.errors import BackendUnavailable, NotFound
from core.records import Answer, Article, Citation, Document, Facts, Question, Rank, Sentence, Status, Turn
from qa.conversation import turn_of
from ui.console import ConsoleParts, make_app, near_regions, read_question, respond, serve_app
from ui.page import clean_page, content_policy
from ui.render import answer_html, cards_html, copy_text, marked_text, message_html

REGIONS = {"900000": "江岳省", "900100": "临澜市", "900102": "澜东区", "900200": "望川市", "440100": "广州市"}
PAYLOAD = "<img src=x onerror=alert(1)>"
TEMPLATE = "${alert(2)} {{constructor}}"

STANDARD = "年满80周岁的老年人，每人每月100元。年满100周岁的，每人每月800元。自批准之月起发放。"
PROCESS = "申请人应当向户籍所在地街道办事处提出书面申请。街道办事处应当在10个工作日内完成审核。"
TEXT = f"第六条　{STANDARD}\n第九条　{PROCESS}\n"
QUOTES = (
    "年满80周岁的老年人，每人每月100元。",
    "年满100周岁的，每人每月800元。",
    "申请人应当向户籍所在地街道办事处提出书面申请。",
)

# Gradio's queue statistics, once every ten questions, with pandas 3.
pytestmark = pytest.mark.filterwarnings("ignore:'future.no_silent_downcasting' is deprecated")


def make_document(title: str = "临澜市高龄津贴发放办法", url: str = "https://linlan.example/1.html") -> Document:
    facts = Facts(
        title=title,
        doc_no="临政规〔2023〕12号",
        issuer="临澜市人民政府",
        rank=Rank.NORMATIVE_DOCUMENT,
        region="900100",
        dated=date(2023, 11, 20),
        effective_from=date(2024, 1, 1),
        url=url,
    )
    articles = (make_article("第六条", STANDARD), make_article("第九条", PROCESS))
    return Document("0123456789abcdef", facts, TEXT, articles, chunks=(), source="samples/1.docx")


def make_article(address: str, body: str) -> Article:
    start = TEXT.index(body)
    return Article(f"临澜市高龄津贴发放办法@2023-11-20#{address}", address, ("第二章 申领",), start, start + len(body))


def make_citation(n: int, document: Document, quote: str) -> Citation:
    start = TEXT.index(quote)
    article = next(a for a in document.articles if a.start <= start < a.end)
    facts = document.facts
    where = (article.address, article.ref, quote, start, start + len(quote))
    return Citation(n, document.id, facts.doc_no, facts.title, *where, None, None, True, facts.url)


def make_answer(document: Document) -> Answer:
    return Answer(
        status=Status.ANSWERED,
        text="".join(QUOTES),
        made_by="extract",
        sentences=tuple(Sentence(quote, (n,)) for n, quote in enumerate(QUOTES, start=1)),
        citations=tuple(make_citation(n, document, quote) for n, quote in enumerate(QUOTES, start=1)),
        notices=("原暂行办法已被替代。",),
        timings_ms=(("search", 30.0), ("answer", 10.0)),
        ai_label="AI 生成，仅供参考",
    )


def cards(document: Document) -> str:
    return cards_html(make_answer(document), {document.id: document}, REGIONS)


# Rendering


def test_mark_holds_exactly_the_quoted_span() -> None:
    citation = make_citation(1, make_document(), QUOTES[1])
    before, after = TEXT[: citation.start], TEXT[citation.end :]
    assert marked_text(TEXT, 0, [citation]) == f'{before}<mark id="cite-1" data-cites="1">{QUOTES[1]}</mark>{after}'


def test_mark_stays_exact_when_the_text_before_it_needs_escaping() -> None:
    citation = replace(make_citation(1, make_document(), QUOTES[0]), quote="b", start=12, end=13)
    assert marked_text("<&b>", 10, [citation]) == '&lt;&amp;<mark id="cite-1" data-cites="1">b</mark>&gt;'


def test_overlapping_quotes_give_marks_that_do_not_cross() -> None:
    one = replace(make_citation(1, make_document(), QUOTES[0]), start=0, end=3)
    two = replace(one, n=2, start=1, end=4)
    assert marked_text("abcde", 0, [one, two]) == (
        '<mark id="cite-1" data-cites="1">a</mark><mark id="cite-2" data-cites="1 2">bc</mark>'
        '<mark data-cites="2">d</mark>e'
    )


def test_the_same_quote_twice_keeps_both_ids() -> None:
    one = replace(make_citation(1, make_document(), QUOTES[0]), start=0, end=1)
    marked = marked_text("a", 0, [one, replace(one, n=2)])
    assert marked == '<mark id="cite-1" data-cites="1 2"><span id="cite-2">a</span></mark>'


def test_two_quotes_of_one_article_share_one_card() -> None:
    html = cards(make_document())
    assert html.count('class="pd-card"') == 2
    first = html.split('class="pd-card"')[1]
    assert 'id="cite-1"' in first
    assert 'id="cite-2"' in first
    assert first.count("<mark") == 2


def test_card_states_the_official_facts() -> None:
    html = cards(make_document())
    for fact in ("临澜市人民政府", "临政规〔2023〕12号", "2023-11-20", "2024-01-01", "临澜市（900100）", "现行有效"):
        assert fact in html
    assert "<dt>失效日期</dt><dd>未载明</dd>" in html


def test_documents_and_questions_are_escaped() -> None:
    answer = make_answer(make_document(PAYLOAD))
    answer = replace(answer, notices=(PAYLOAD,), route=PAYLOAD, ai_label=PAYLOAD)
    html = answer_html(answer) + cards(make_document(PAYLOAD)) + message_html(PAYLOAD)
    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 6


def test_an_internal_document_is_marked_for_the_agent() -> None:
    public = make_document()
    assert "内部资料" not in cards(public)
    assert "内部资料" in cards(replace(public, facts=replace(public.facts, public=False)))


def test_only_a_web_address_becomes_a_link() -> None:
    assert 'rel="noopener noreferrer">https://linlan.example/1.html</a>' in cards(make_document())
    assert "href" not in cards(make_document(url="javascript:alert(1)"))


def test_a_document_that_is_gone_leaves_its_quotes() -> None:
    html = cards_html(make_answer(make_document()), {}, REGIONS)
    assert f'<mark id="cite-1" data-cites="1">{QUOTES[0]}</mark>' in html


def test_a_document_that_changed_since_does_not_mark_other_words() -> None:
    document = make_document()
    changed = replace(document, text=f"新{document.text}")
    html = cards_html(make_answer(document), {document.id: changed}, REGIONS)
    assert f'<mark id="cite-1" data-cites="1">{QUOTES[0]}</mark>' in html
    assert "自批准之月起发放" not in html


def test_refusal_shows_where_to_go() -> None:
    html = answer_html(Answer(Status.OUT_OF_SCOPE, "不属于政策咨询。", "extract", route="请拨打 12121。"))
    assert "超出受理范围" in html
    assert "去哪里办" in html
    assert "请拨打 12121。" in html


def test_copied_text_carries_sources_and_the_ai_label() -> None:
    text = copy_text(make_answer(make_document()))
    assert text.startswith(f"{QUOTES[0]}[1]\n")
    assert f"[3] 《临澜市高龄津贴发放办法》临政规〔2023〕12号 第九条：“{QUOTES[2]}”" in text
    assert text.endswith("AI 生成，仅供参考")


# Input


def test_question_takes_region_and_date_from_the_form() -> None:
    assert read_question(" 高龄津贴 ", "900100", "", "2024-02-29", REGIONS) == Question(
        "高龄津贴", region="900100", as_of=date(2024, 2, 29)
    )


def test_a_typed_region_goes_before_the_chosen_one() -> None:
    assert read_question("问", "900100", "广州", "", REGIONS).region == "440100"
    assert read_question("问", "900100", "450000", "", REGIONS).region == "450000"


def test_national_choice_asks_for_national_rules() -> None:
    assert read_question("问", "national", "", "", REGIONS) == Question("问", national=True)


@pytest.mark.parametrize(
    ("text", "other", "day", "message"),
    [
        ("  ", "", "", "请先输入市民的问题"),
        ("问" * 1001, "", "", "最多 1000 字，现在是 1001 字"),
        ("问", "", "2023-02-30", "“2023-02-30”不是有效日期"),
        ("问", "", "20230201", "例如 2025-03-01"),
        ("问", "乌有市", "", "没有名为“乌有市”的地区"),
    ],
)
def test_wrong_input_is_answered_with_what_to_do(text: str, other: str, day: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_question(text, "900100", other, day, REGIONS)


def test_near_regions_begin_at_home_and_end_with_the_country() -> None:
    assert [name for name, _ in near_regions("900100", REGIONS)] == ["临澜市", "澜东区", "江岳省", "仅全国规定"]
    assert near_regions("", REGIONS)[0] == ("全部地区", "")


def test_an_error_of_ours_is_shown_as_its_message() -> None:
    def down(question: Question) -> Iterator[Answer]:
        raise BackendUnavailable("检索服务未响应")

    ((answer, _, _),) = respond(replace(make_parts(Desk()), ask=down), "问", "", "", "")
    assert "暂时无法回答" in answer
    assert "检索服务未响应" in answer


# The page and the server


def test_page_is_stripped_of_outside_references() -> None:
    page = clean_page(
        '<html lang="en"><head><meta property="og:image" content="https://a.example/x.png" />'
        '<script src="https://cdn.example/a.js"></script><link rel="stylesheet" href="//fonts.example/f.css">'
        '<link rel="manifest" href="/manifest.json" /><script>ours()</script></head></html>'
    )
    assert "example" not in page
    assert "manifest" not in page
    assert "ours()" in page
    assert 'lang="zh-CN"' in page


def test_policy_allows_the_inline_scripts_of_the_page_alone() -> None:
    policy = content_policy("<script>alert(1)</script>")
    assert "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in policy    # openssl dgst -sha256 -binary | base64
    assert "script-src 'self' 'unsafe-eval' 'sha256-" in policy
    assert "default-src 'self'" in policy


def test_port_in_use_is_an_error_with_the_next_step() -> None:
    from fastapi import FastAPI

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BackendUnavailable, match=f"127.0.0.1:{port}.*--port 0"):
            serve_app(FastAPI(), "127.0.0.1", port, print)


# In a browser


class AnswersQuestions(Protocol):
    def ask_in_parts(self, question: Question) -> Iterator[Answer]: ...
    def document(self, identity: str) -> Document: ...


@dataclass
class Desk:
    """Answers every question from one document, and keeps what was asked."""

    policy: Document = field(default_factory=make_document)
    asked: list[Question] = field(default_factory=list)

    def ask_in_parts(self, question: Question) -> Iterator[Answer]:
        self.asked.append(question)
        yield make_answer(self.policy)

    def document(self, identity: str) -> Document:
        if identity != self.policy.id:
            raise NotFound(identity)
        return self.policy


def make_parts(desk: AnswersQuestions) -> ConsoleParts:
    return ConsoleParts(desk.ask_in_parts, turn_of, desk.document, REGIONS, "900100", ("高龄津贴怎么申领？",))


def serve(desk: AnswersQuestions) -> str:
    """The address of a console that runs until the tests end."""
    pytest.importorskip("gradio", reason='gradio is missing: pip install -e ".[ui]"')
    ready: queue.Queue[str] = queue.Queue()
    app = make_app(make_parts(desk))
    threading.Thread(target=serve_app, args=(app, "127.0.0.1", 0, ready.put), daemon=True).start()
    return ready.get(timeout=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("no /usr/bin/chromium: apt-get install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def address(browser: Any, desk: Desk) -> str:  # noqa: ANN401  (playwright is optional)
    return serve(desk)


@pytest.fixture(scope="module")
def window(browser: Any) -> Any:  # noqa: ANN401
    window = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce")
    window.grant_permissions(["clipboard-read", "clipboard-write"])
    window.set_default_timeout(10_000)
    return window


@pytest.fixture
def page(window: Any, address: str) -> Iterator[Any]:  # noqa: ANN401
    page = window.new_page()
    page.goto(address)
    yield page
    page.close()


def ask(page: Any, text: str) -> None:  # noqa: ANN401
    page.get_by_label("市民的问题").fill(text)
    page.keyboard.press("Enter")


def test_citation_button_focuses_the_card_and_marks_the_quote(page: Any) -> None:  # noqa: ANN401
    ask(page, "高龄津贴多少钱？")
    page.get_by_role("button", name="依据 2：").click()
    page.wait_for_function("document.activeElement.matches('.pd-card')")
    assert page.locator(".pd-card:focus mark.pd-active").inner_text() == QUOTES[1]
    assert page.locator("#cite-2").inner_text() == QUOTES[1]
    assert page.locator(".pd-card:focus").evaluate("card => getComputedStyle(card).outlineStyle") == "solid"
    assert page.title() == "政策台"


def test_way_back_from_the_card_focuses_the_citation_button(page: Any) -> None:  # noqa: ANN401
    ask(page, "高龄津贴多少钱？")
    page.get_by_role("button", name="回到回答中的 [3]").click()
    assert page.evaluate("document.activeElement.dataset.cite") == "3"


def test_console_asks_its_own_server_only(window: Any, address: str) -> None:  # noqa: ANN401
    page = window.new_page()
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("requestfailed", lambda request: problems.append(f"{request.failure} {request.url}"))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(address)
    ask(page, "高龄津贴多少钱？")
    page.locator(".pd-answer").wait_for()
    assert requests
    assert [url for url in requests if not url.startswith((f"{address}/", "data:", "blob:"))] == []
    # Gradio closes its event stream itself once the answer is there; that is no failure.
    assert [problem for problem in problems if "ERR_ABORTED" not in problem or "/queue/data" not in problem] == []
    page.close()


def test_keyboard_alone_asks_and_opens_a_citation(page: Any, desk: Desk) -> None:  # noqa: ANN401
    page.get_by_label("市民的问题").focus()
    page.keyboard.type("高龄津贴")
    for _ in range(3):    # two buttons, the region
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("2024-05-01")
    page.keyboard.press("Enter")
    page.locator(".pd-answer").wait_for()
    assert desk.asked[-1] == Question("高龄津贴", region="900102", as_of=date(2024, 5, 1))
    for _ in range(3):    # one example, the copy button, the first citation
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.matches('.pd-card')")
    assert page.locator("mark.pd-active").inner_text() == QUOTES[0]


def test_a_later_question_carries_the_earlier_ones_until_a_new_call(page: Any, desk: Desk) -> None:  # noqa: ANN401
    ask(page, "高龄津贴多少钱？")
    page.locator(".pd-answer").wait_for()
    ask(page, "那要什么材料？")
    page.wait_for_function("document.querySelector('#pd-question textarea').value === '那要什么材料？'")
    page.get_by_role("button", name="新的来电").click()
    page.locator(".pd-empty").first.wait_for()
    assert [turn.text for turn in desk.asked[-1].history] == ["高龄津贴多少钱？"]
    ask(page, "养犬登记")
    page.locator(".pd-answer").wait_for()
    assert not desk.asked[-1].history


def test_a_choice_that_is_clicked_is_asked(browser: Any, window: Any) -> None:  # noqa: ANN401
    class AsksBack(Desk):
        def ask_in_parts(self, question: Question) -> Iterator[Answer]:
            self.asked.append(question)
            yield Answer(Status.CLARIFY, "请问您要问的是哪个年龄段？", "extract", choices=("80至89周岁", "90周岁以上"))

    desk = AsksBack()
    page = window.new_page()
    page.goto(serve(desk))
    ask(page, "高龄津贴多少钱？")
    page.get_by_role("button", name="90周岁以上").click()
    page.wait_for_function("document.querySelector('#pd-question textarea').value === '90周岁以上'")
    page.wait_for_timeout(500)
    assert desk.asked[-1] == Question(
        "90周岁以上", region="900100", history=(Turn("高龄津贴多少钱？", choices=("80至89周岁", "90周岁以上")),)
    )
    page.close()


def test_wrong_date_is_explained_in_the_answer_column(page: Any) -> None:  # noqa: ANN401
    page.get_by_label("适用日期").fill("明天")
    ask(page, "高龄津贴")
    assert "适用日期“明天”不是有效日期" in page.get_by_role("alert").inner_text()


def test_example_is_asked_when_clicked(page: Any, desk: Desk) -> None:  # noqa: ANN401
    page.get_by_role("button", name="高龄津贴怎么申领？").click()
    page.locator(".pd-answer").wait_for()
    assert desk.asked[-1].text == "高龄津贴怎么申领？"
    assert page.get_by_label("市民的问题").input_value() == "高龄津贴怎么申领？"


def test_copy_button_copies_the_answer_with_its_sources(page: Any) -> None:  # noqa: ANN401
    ask(page, "高龄津贴多少钱？")
    page.get_by_role("button", name="复制答案").click()
    page.get_by_role("button", name="已复制").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == copy_text(make_answer(make_document()))


def test_narrow_screen_does_not_scroll_sideways(page: Any) -> None:  # noqa: ANN401
    page.set_viewport_size({"width": 390, "height": 844})
    ask(page, "高龄津贴多少钱？")
    page.locator(".pd-answer").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_page_stays_light_on_a_dark_system(page: Any) -> None:  # noqa: ANN401
    page.emulate_media(color_scheme="dark")
    page.reload()
    ask(page, "高龄津贴多少钱？")
    page.locator(".pd-answer").wait_for()
    assert page.locator(".pd-answer").evaluate("sheet => getComputedStyle(sheet).color") == "rgb(27, 39, 51)"
    assert not page.evaluate("document.body.classList.contains('dark')")


def test_unused_doors_are_closed(page: Any, address: str) -> None:  # noqa: ANN401
    for path in ("/gradio_api/info", "/gradio_api/upload", "/gradio_api/file=/etc/passwd", "/openapi.json", "/docs"):
        assert page.request.get(address + path).status == 404, path


def test_markup_and_templates_in_a_document_do_not_run(
    page: Any, desk: Desk, monkeypatch: pytest.MonkeyPatch  # noqa: ANN401
) -> None:
    monkeypatch.setattr(desk, "policy", make_document(f"{PAYLOAD}{TEMPLATE}"))
    dialogs: list[str] = []

    def on_dialog(dialog: Any) -> None:  # noqa: ANN401
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", on_dialog)
    ask(page, PAYLOAD)
    page.locator(".pd-card").first.wait_for()
    assert dialogs == []
    assert page.locator("#pd-columns img").count() == 0
    assert f"《{PAYLOAD}{TEMPLATE}》" in page.locator(".pd-card-title").first.inner_text()


def test_console_answers_a_real_question_and_opens_its_citation(
    sample_desk: AnswersQuestions, window: Any  # noqa: ANN401
) -> None:
    page = window.new_page()
    page.goto(serve(sample_desk))
    ask(page, "高龄津贴的标准是多少？")
    page.locator(".pd-cite").first.click()
    page.wait_for_function("document.activeElement.matches('.pd-card')")
    (answer,) = sample_desk.ask_in_parts(Question("高龄津贴的标准是多少？", region="900100"))
    quotes = [citation.quote for citation in answer.citations]
    assert (page.locator("#cite-1").text_content() or "?") in quotes[0]
    page.close()
