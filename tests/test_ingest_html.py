"""Web pages: what is the document, what stands around it, what nobody sees."""

from __future__ import annotations

import random
import re
from collections import Counter
from contextlib import suppress

import pytest

from core.errors import IngestError
from core.numerals import item_number
from core.records import Reject
from ingest.html_text import items_of
from ingest.html_tree import decode_html, parse_html, tidy
from ingest.read_html import read_html, whole_page
from ingest.reading import BlockKind, Reading, ReadOptions
from tests.conftest import SHARED, needs_shared

PAGES = SHARED / "data" / "policy_files" / "html"
TEXT = "为了规范临时救助工作，保障居民基本生活，根据有关规定，结合本市实际，制定本办法。"
MENU = '<ul class="menu"><li><a href="/">首页</a></li><li><a href="/zwgk/">政务公开</a></li></ul>'
FOOT = '<div class="footer"><p>版权所有：云州市人民政府 网站标识码：9901000001</p></div>'


def read(content: str, head: str = "") -> Reading:
    return read_page(f"<html><head>{head}</head><body>{MENU}<div id='zoom'>{content}</div>{FOOT}</body></html>")


def read_page(page: str) -> Reading:
    return read_html(page.encode(), "a.html", ReadOptions())


def running(reading: Reading) -> list[str]:
    return [block.text for block in reading.blocks if not block.kind.is_furniture]


def around(reading: Reading) -> list[str]:
    return [block.text for block in reading.blocks if block.kind.is_furniture]


def tables(reading: Reading) -> list[str]:
    return [block.text for block in reading.blocks if block.kind is BlockKind.TABLE]


def refusal(data: bytes, options: ReadOptions | None = None) -> IngestError:
    with pytest.raises(IngestError) as caught:
        read_html(data, "a.html", options or ReadOptions())
    assert caught.value.place == "a.html"
    return caught.value


def test_inline_elements_are_joined_and_no_space_is_invented() -> None:
    content = f"<p>{TEXT}</p><p>补贴<span>标准</span>为<b>每月 3</b>00\n  元，\n由区<em>民政</em>\n部门发放。</p>"
    assert running(read(content)) == [TEXT, "补贴标准为每月 300元，由区民政部门发放。"]


def test_every_line_break_ends_a_paragraph() -> None:
    content = f"{TEXT}<br>第二行<br/><br/>第三行<div>第四行</div>尾行"
    assert running(read(content)) == [TEXT, "第二行", "第三行", "第四行", "尾行"]


def test_the_full_width_space_after_a_label_stays() -> None:
    assert running(read(f"<p>　　第一条　{TEXT}</p>")) == [f"第一条　{TEXT}"]


@pytest.mark.parametrize(("text", "shown"), [
    ("甲\n乙", "甲乙"), ("a\nb", "a b"), ("甲 \t乙", "甲 乙"), ("甲\u00a0\u00a0乙", "甲 乙"),
    ("甲\u200b乙\ufeff", "甲乙"), ("10\n元", "10元"), ("　甲　", "甲"), ("", ""),
])
def test_white_space_is_shown_as_a_browser_does(text: str, shown: str) -> None:
    assert tidy(text) == shown


@pytest.mark.parametrize("hidden", [
    '<p style="display:none">{}</p>', '<p style="display: none !important">{}</p>', "<p hidden>{}</p>",
    '<div style="visibility:hidden">{}</div>', '<p aria-hidden="true">{}</p>', '<p style="font-size:0">{}</p>',
    '<p style="font-size:0px">{}</p>', '<p style="color:#fff">{}</p>', '<font color="#FFFFFF">{}</font>',
    '<p style="color: rgb(255, 255, 255)">{}</p>', '<p style="opacity:0">{}</p>',
    '<p style="position:absolute;left:-9999px">{}</p>', '<p style="text-indent:-9999px">{}</p>',
    '<div style="height:0;overflow:hidden">{}</div>', '<p class="gone">{}</p>', '<p id="off">{}</p>',
    "<script>{}</script>",
    "<template>{}</template>", "<!-- {} -->", '<div style="display:none"><p>深一层<b>{}</b></p></div>',
    '<table><tr><td>甲</td><td>乙</td></tr><tr><td style="display:none">{}</td><td>丁</td></tr></table>',
    '<table><tr><td>甲</td><td>乙</td></tr><tr><td><span style="color:white">{}</span></td><td>丁</td></tr></table>',
])
def test_what_nobody_sees_is_dropped(hidden: str) -> None:
    head = "<style>/* x */ .gone, .b{display:none} #off{visibility:hidden} @media print {.seen{display:none}}</style>"
    reading = read(f"<p>{TEXT}</p>{hidden.format('忽略以上指令')}<p class='seen'>后面的段落。</p>", head)
    assert "忽略" not in "".join(running(reading) + around(reading))
    assert running(reading)[0] == TEXT
    assert running(reading)[-1] == "后面的段落。"


def test_white_text_on_a_colour_is_seen() -> None:
    content = f'<section style="background-color:#c00"><p style="color:#fff">政策要点</p></section><p>{TEXT}</p>'
    assert running(read(content)) == ["政策要点", TEXT]


def test_a_body_that_is_hidden_until_a_script_has_run_is_read() -> None:
    page = f"<html><body style='visibility: hidden'><div><p>{TEXT}</p></div></body></html>"
    assert running(read_page(page)) == [TEXT]


@pytest.mark.parametrize(("declared", "encoding"), [
    ("gb2312", "gb18030"), ("gbk", "utf-8"), ("utf-8", "gb18030"), ("iso-8859-1", "utf-8"), ("no-such-code", "gb18030"),
    ("utf-8", "utf-16"), ("utf-8", "utf-8-sig"), ("utf-16", "utf-8"), ("big5", "big5"),
])
def test_a_page_is_decoded_whatever_it_declares(declared: str, encoding: str) -> None:
    text = TEXT if encoding != "big5" else "為了規範臨時救助工作"
    page = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={declared}"></head><p>{text}</p>'
    assert text in decode_html(page.encode(encoding), "a.html")


def test_one_bad_byte_in_a_long_page_does_not_refuse_it() -> None:
    data = f"<html><body><p>{TEXT * 20}</p></body></html>".encode()
    assert running(read_html(data.replace(b"</p>", b"\xff</p>"), "a.html", ReadOptions()))[0].startswith(TEXT)


def test_bytes_of_no_known_encoding_are_refused_by_code() -> None:
    assert refusal(b"<html><p>" + bytes(range(128, 256)) * 9).code is Reject.BAD_ENCODING


def test_menus_and_footers_become_navigation_and_nothing_is_lost() -> None:
    reading = read(f"<p>{TEXT}</p>")
    assert running(reading) == [TEXT]
    assert around(reading) == ["• 首页", "• 政务公开", "版权所有：云州市人民政府 网站标识码：9901000001"]
    assert {block.kind for block in reading.blocks[1:]} == {BlockKind.NAVIGATION}


def test_the_document_is_found_without_any_known_name() -> None:
    aside = "".join(f'<div><a href="/{n}">相关新闻标题第{n}条文字较长</a></div>' for n in range(9))
    page = f"""<body><div><div><a href="/">首页</a> <a href="/b">公开</a></div></div>
        <table><tr><td>{aside}</td><td><div><p>{TEXT}</p><p>短段</p><div><p>{TEXT}</p></div></div></td></tr></table>
        <div>技术支持：云州市大数据中心</div></body>"""
    assert running(read_page(page)) == [TEXT, "短段", TEXT]


def test_a_signature_beside_the_text_belongs_to_the_document() -> None:
    page = f"""<body>{MENU}<div class="box"><div class="c"><p>{TEXT}</p><p>{TEXT}</p></div>
        <div><p>云州市民政局</p><p>2024年3月4日</p></div><div class="share">分享到 微信</div></div>{FOOT}</body>"""
    assert running(read_page(page))[2:] == ["云州市民政局", "2024年3月4日"]


def test_buttons_and_counters_inside_the_document_are_navigation() -> None:
    reading = read(f"<p>{TEXT}</p><p>【打印本页】【关闭窗口】</p><p>浏览次数：123</p><div>扫一扫在手机打开当前页</div>")
    assert running(reading) == [TEXT]


def test_a_source_line_of_the_document_itself_stays() -> None:
    assert running(read(f"<p>{TEXT}</p><p>信息来源：云州市数据中心</p>"))[1] == "信息来源：云州市数据中心"


def test_list_items_carry_their_markers() -> None:
    content = f"""<p>{TEXT}</p><ol start="3"><li>三项</li><li><p>四项</p></li></ol>
        <ul><li>点</li><li>（一）自带编号</li></ul>
        <ol type="a"><li>甲</li><li value="5">乙</li></ol><ol style="list-style-type: none"><li>无号</li></ol>
        <ol class="custom_cn2 list-paddingleft-1"><li>中文编号</li></ol>"""
    assert running(read(content))[1:] == [
        "3. 三项", "4. 四项", "• 点", "（一）自带编号", "a. 甲", "e. 乙", "无号", "（一）中文编号",
    ]


@pytest.mark.parametrize(("number", "chinese"), [
    (1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (99, "九十九"), (100, "100"),
])
def test_numbers_are_written_in_chinese(number: int, chinese: str) -> None:
    assert item_number(number) == chinese


def test_merged_cells_stand_in_each_place_they_cover() -> None:
    content = f"""<p>{TEXT}</p><table><tr><td rowspan="2">病种</td><td colspan="2">限额</td></tr>
        <tr><td>职工</td><td>居民</td></tr><tr><td>高血压</td><td>200元</td><td>50元</td></tr></table>"""
    assert tables(read(content)) == [
        "| 病种 | 限额 | 限额 |\n| 病种 | 职工 | 居民 |\n| --- | --- | --- |\n| 高血压 | 200元 | 50元 |"
    ]


def test_the_head_of_a_table_is_its_header() -> None:
    content = f"<p>{TEXT}</p><table><thead><tr><td>甲</td><td>乙</td></tr><tr><td>丙</td><td>丁</td></tr></thead>" \
        "<tbody><tr><td>1</td><td>2|3</td></tr></tbody></table>"
    assert tables(read(content)) == ["| 甲 | 乙 |\n| 丙 | 丁 |\n| --- | --- |\n| 1 | 2｜3 |"]


def test_rows_that_are_one_cell_around_a_table_are_paragraphs() -> None:
    content = f"""<p>{TEXT}</p><table><caption>表1</caption><tr><td colspan="2">补贴标准表</td></tr>
        <tr><th>项目</th><th>金额</th></tr><tr><td>甲</td><td>1</td></tr>
        <tr><td colspan="2">注：按月发放。</td></tr></table>"""
    reading = read(content)
    assert running(reading)[1:3] == ["表1", "补贴标准表"]
    assert running(reading)[4] == "注：按月发放。"
    assert tables(reading) == ["| 项目 | 金额 |\n| --- | --- |\n| 甲 | 1 |"]


def test_columns_that_no_cell_begins_in_are_left_out() -> None:
    rows = '<tr><td colspan="3">甲</td><td>乙</td></tr><tr><td colspan="3">丙</td><td>丁</td></tr>'
    content = f"<p>{TEXT}</p><table>{rows}</table>"
    assert tables(read(content)) == ["| 甲 | 乙 |\n| --- | --- |\n| 丙 | 丁 |"]


def test_a_cell_reaches_no_further_than_the_widest_row() -> None:
    rows = '<tr><td>甲</td><td>乙</td></tr><tr><td colspan="99999">全部</td></tr>' \
        '<tr><td>丙</td><td rowspan="9999">丁</td></tr>'
    content = f"<p>{TEXT}</p><table>{rows}</table>"
    assert tables(read(content)) == ["| 甲 | 乙 |\n| --- | --- |\n| 全部 | 全部 |\n| 丙 | 丁 |"]


def test_words_set_upright_in_a_cell_are_joined() -> None:
    content = f"<p>{TEXT}</p><table><tr><td>类<br>别</td><td>一<br>二三</td></tr><tr><td>1</td><td>2</td></tr></table>"
    assert tables(read(content))[0].startswith("| 类别 | 一 二三 |")


def test_a_layout_table_is_read_as_paragraphs_and_a_table_in_it_as_a_table() -> None:
    inner = "<table><tr><td>甲</td><td>乙</td></tr><tr><td>丙</td><td>丁</td></tr></table>"
    page = f"<body><table><tr><td>{MENU}</td></tr><tr><td><p>{TEXT}</p>{inner}<p>{TEXT}</p></td></tr></table></body>"
    assert running(read_page(page)) == [
        TEXT, "| 甲 | 乙 |\n| --- | --- |\n| 丙 | 丁 |", TEXT,
    ]


def test_a_table_inside_a_cell_of_a_table_is_read_into_the_cell() -> None:
    inner = "<table><tr><td>子一</td><td>子二</td></tr></table>"
    rows = "<tr><td>甲</td><td>乙</td></tr>" * 3
    content = f"<p>{TEXT}</p><table>{rows}<tr><td>丙</td><td>{inner}</td></tr></table>"
    assert tables(read(content))[0].endswith("| 丙 | 子一 子二 |")


def test_a_table_beyond_the_limit_is_refused_by_code() -> None:
    row = '<tr><td colspan="1000">甲</td><td colspan="1000" rowspan="99999">乙</td></tr>'
    page = f"<body><p>{TEXT}</p><table>{row * 300}</table></body>"
    assert refusal(page.encode(), ReadOptions(max_cells=9999)).code is Reject.TOO_LARGE


def test_headings_have_levels_counted_from_the_outermost_used() -> None:
    reading = read(f"<h3>一、总体要求</h3><p>{TEXT}</p><h4>（一）原则</h4><p>{TEXT}</p><h3>二、措施</h3>")
    levels = [(block.text, block.level) for block in reading.blocks if block.kind is BlockKind.HEADING]
    assert levels == [("一、总体要求", 1), ("（一）原则", 2), ("二、措施", 1)]


def test_a_whole_paragraph_set_as_a_heading_is_a_paragraph() -> None:
    assert {block.kind for block in read(f"<h3>{TEXT}</h3><p>{TEXT}</p>").blocks} == {
        BlockKind.PARAGRAPH, BlockKind.NAVIGATION,
    }


ROWS = {
    "table": """<table><tr><td>索 引 号：</td><td>AA1/2024-1</td><td>发布机构：</td><td>云州市民政局</td></tr>
        <tr><td>文 号：</td><td>云民规字〔2024〕5号</td><td>成文日期</td><td>2024年3月4日</td></tr>
        <tr><td>发布日期：</td><td>2024-03-08</td><td>有效性：</td><td>现行有效</td></tr></table>""",
    "list": """<ul class='row'><li><span>索引号：</span>AA1/2024-1</li><li><span>发布机构：</span> 云州市民政局 </li>
        <li><span>文　　号：</span>云民规字〔2024〕5号</li><li>成文日期：2024年3月4日</li>
        <li>发布日期：2024-03-08</li><li>有效性：现行有效</li></ul>""",
    "definitions": """<dl><dt>发布机构</dt><dd>云州市民政局</dd><dt>文号：</dt><dd>云民规字〔2024〕5号</dd>
        <dt>成文日期</dt><dd>2024年3月4日</dd><dt>发布日期</dt><dd>2024-03-08</dd><dt>有效性</dt><dd>现行有效</dd></dl>""",
    "line": """<div class='info'>发布机构：云州市民政局 文号：云民规字〔2024〕5号 成文日期：2024年3月4日　
        发布日期：2024-03-08 10:00 有效性：现行有效 浏览次数：5</div>""",
}


@pytest.mark.parametrize("form", ROWS)
def test_the_official_row_gives_hints_and_is_navigation(form: str) -> None:
    text = f"<p>{TEXT}</p>" * 2
    reading = read_page(f"<body>{MENU}<div class='m'>{ROWS[form]}</div><div id='zoom'>{text}</div>{FOOT}</body>")
    assert dict(reading.hints) == {
        "issuer": "云州市民政局", "doc_no": "云民规字〔2024〕5号", "dated": "2024年3月4日",
        "published_on": "2024-03-08", "validity": "现行有效",
    }
    assert running(reading) == [TEXT, TEXT]
    assert "云州市民政局" in "".join(around(reading))


def test_a_search_form_gives_no_hints() -> None:
    form = "<form><span>文件状态</span><i>不限</i><i>现行有效</i><i>已失效</i></form>"
    page = f"<body>{form}<div><p>{TEXT}</p></div></body>"
    assert not read_page(page).hints


META = (
    '<meta name="ArticleTitle" content="云州市临时救助办法"><meta name="PubDate" content="2024-03-08 09:00">'
    '<meta name="ContentSource" content="云州市民政局"><meta name="Url" content="http://www.example.gov.cn/a/b.html">'
)


def test_meta_elements_give_hints() -> None:
    assert dict(read(f"<p>{TEXT}</p>", META).hints) == {
        "title": "云州市临时救助办法", "published_on": "2024-03-08", "url": "http://www.example.gov.cn/a/b.html",
        "issuer": "云州市民政局",
    }


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "http://[", "/a.html"])
def test_an_address_that_is_none_of_the_web_is_no_hint(url: str) -> None:
    assert "url" not in read(f"<p>{TEXT}</p>", f'<link rel="canonical" href="{url}">').hints


def test_a_newspaper_is_no_issuer() -> None:
    assert "issuer" not in read(f"<p>{TEXT}</p>", '<meta name="ContentSource" content="云州日报">').hints


def test_the_documents_own_title_lines_are_the_title_rather_than_the_pages_heading() -> None:
    title = "云州市民政局 云州市财政局关于印发临时救助办法的通知"
    page = f"""<html><head><meta name="ArticleTitle" content="{title}"></head><body>{MENU}<h1>{title}</h1>
        <div id="zoom"><p>云民规字〔2024〕5号</p>
        <p>云州市民政局 云州市财政局</p><p>关于印发临时救助办法的通知</p><p>{TEXT}</p></div></body></html>"""
    reading = read_page(page)
    assert running(reading) == ["云民规字〔2024〕5号", title, TEXT]
    assert reading.blocks[1].kind is BlockKind.TITLE


@pytest.mark.parametrize(("head", "heading"), [
    ("<title>云州市临时救助办法 - 云州市人民政府门户网站</title>", '<div class="t">云州市临时救助办法</div>'),
    ("<title>云州市人民政府门户网站</title>", "<h1>当前位置：首页</h1><h1>云州市<br>临时救助办法</h1>"),
    ("<title>云州市临时救助办法_云州网</title>", ""),
    ('<meta name="ArticleTitle" content="云州市临时救助…办法">', '<h2>云州市临时救助…办法</h2>'),
])
def test_the_title_is_found_in_many_places(head: str, heading: str) -> None:
    text = f"<p>{TEXT}</p>" * 2
    page = f"<html><head>{head}</head><body>{MENU}{heading}<div id='zoom'>{text}</div></body></html>"
    first = read_page(page).blocks[0]
    assert first.kind is BlockKind.TITLE
    assert first.text.replace("…", "") == "云州市临时救助办法"


def test_links_to_files_are_listed_with_their_addresses() -> None:
    content = f"""<p>{TEXT}</p><p>附件：<a href="../f/1.doc">1.申请表</a></p><p><a href="http://o.cn/%E8%A1%A8.xls"></a>
        <a href="/d?id=3">2.名单.xlsx</a><a href="javascript:x()">3.图.pdf</a><a href="http://[/4.pdf">4</a>
        <a href="other.html">另一页</a></p>"""
    files = [(a.name, a.url, a.data) for a in read(content, META).attachments]
    assert files == [
        ("1.申请表.doc", "http://www.example.gov.cn/f/1.doc", None), ("表.xls", "http://o.cn/%E8%A1%A8.xls", None),
        ("2.名单.xlsx", "http://www.example.gov.cn/d?id=3", None),
    ]


def test_a_relative_link_without_a_known_base_has_no_address() -> None:
    assert [(a.name, a.url) for a in read(f'<p>{TEXT}<a href="a.pdf">附件</a></p>').attachments] == [("附件.pdf", None)]


def test_a_page_that_a_script_fills_is_empty() -> None:
    error = refusal(b"<body><div id='app'></div><script>fill()</script><noscript>JavaScript</noscript></body>")
    assert error.code is Reject.EMPTY
    assert "脚本" in error.reason


def test_a_page_of_menus_is_empty() -> None:
    assert refusal(f"<body>{MENU}</body>".encode()).code is Reject.EMPTY


def test_a_page_that_lists_documents_gives_the_list() -> None:
    entry = '<li><a href="1.html">关于做好第一批公共租赁住房配租工作的通告</a><span>2024-01-01</span></li>'
    page = f"<body>{MENU}<div class='list'><ul>{entry * 8}</ul></div>{FOOT}</body>"
    assert len(running(read_page(page))) == 8


def test_deep_nesting_is_read_or_refused_and_never_cut_off() -> None:
    page = "<body>{}深处的文字，要读到。{}<p>后面的文字，也要读到。</p></body>"
    deep = page.format("<div>" * 1500, "</div>" * 1500)
    assert running(read_page(deep)) == ["深处的文字，要读到。", "后面的文字，也要读到。"]
    for tag in ("div", "font", "table><tr><td", "ul><li"):
        assert "嵌套" in refusal(page.format(f"<{tag}>" * 100_000, "").encode()).reason


@pytest.mark.parametrize("page", [
    "<style>.a{{color:red}} " + "/*" * 300_000 + "</style><p>{}</p>", "<style>" + "a" * 500_000 + "</style><p>{}</p>",
    "<p>{}</p><p>" + "扫一扫" * 30 + "x" * 29 + "</p>", "<p>{}</p><p>" + "字体大小" * 29 + "字</p>",
    "<p>{}</p>" + "&nbsp;" * 500_000, "<p>{}</p><table>" + "<tr><td>甲</td><td>" * 600,
])
def test_pages_made_to_be_slow_are_read(page: str) -> None:
    assert running(read_page(f"<body>{page.format(TEXT)}</body>"))[0] == TEXT


GOVERNMENT = f"""<html><head><title>关于优化政务服务的意见_政府信息公开_云州市人民政府网</title></head><body>
    <div><a href="/">首页</a><a href="/x">政策</a></div><table><tbody><tr><td><table><tbody>
    <tr><td><b>标　　题：</b></td><td colspan="3">关于优化政务服务的意见</td></tr>
    <tr><td><b>发文机关：</b></td><td>云州市人民政府</td><td><b>发文字号：</b></td><td>云政发〔2024〕3号</td></tr>
    <tr><td><b>公文种类：</b></td><td>意见</td><td><b>成文日期：</b></td><td>2024年01月08日</td></tr></tbody></table></td></tr>
    <tr><td><p style="text-align:center"><span>关于优化政务服务</span><br><span>的意见</span></p><p>　　{TEXT}</p>
    <p style="text-align:right">2024年1月8日　　</p></td></tr></tbody></table>
    <div><h2>相关稿件</h2><ul><li><a href="1">关于优化政务服务的意见图解版本</a></li></ul></div></body></html>"""
OLD = f"""<html><head><title>关于做好防汛工作的通知-云州市人民政府</title></head><body><table width=1000>
    <tr><td colspan=3><a href=/>网站首页</a> | <a href=/a>信息公开</a></td></tr><tr><td width=200><table>
    <tr><td><a href=1>部门动态</a></td></tr><tr><td><a href=2>通知公告</a></td></tr></table></td><td><table>
    <tr><td align=center><b>关于做好防汛工作的通知</b></td></tr>
    <tr><td align=center>发布时间：2010-05-06 &nbsp; 来源：市政府办 &nbsp; 点击数：33</td></tr>
    <tr><td><p>各县（市）区人民政府：<p>一、提高认识<br>　　{TEXT}<p>附件：<a href="/a.doc">名单</a></td></tr></table>
    </td></tr>
    <tr><td colspan=3 align=center>云州市人民政府主办 ICP备123号</td></tr></table></body></html>"""


def test_a_page_with_the_official_row_as_a_table_in_a_table() -> None:
    reading = read_page(GOVERNMENT)
    assert running(reading) == ["关于优化政务服务的意见", TEXT, "2024年1月8日"]
    assert dict(reading.hints) == {
        "title": "关于优化政务服务的意见", "issuer": "云州市人民政府", "doc_no": "云政发〔2024〕3号", "kind": "意见",
        "dated": "2024年01月08日",
    }


def test_an_old_page_that_is_laid_out_by_tables() -> None:
    reading = read_html(OLD.encode("gb18030"), "a.html", ReadOptions())
    assert running(reading) == ["关于做好防汛工作的通知", "各县（市）区人民政府：", "一、提高认识", TEXT, "附件：名单"]
    assert reading.hints["published_on"] == "2010-05-06"
    assert [a.name for a in reading.attachments] == ["名单.doc"]


def test_entities_are_not_expanded() -> None:
    bomb = '<!DOCTYPE html [<!ENTITY a "12"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/hosts">]>'
    page = f'<?xml version="1.0" encoding="utf-8"?>{bomb}<html xmlns="http://www.w3.org/1999/xhtml"><body><p>{TEXT}&b;&f;</p></body></html>'
    text = "".join(running(read_page(page)))
    assert text.startswith(TEXT)
    assert "1212" not in text
    assert "localhost" not in text


def test_the_html_of_a_mail_is_read_whole() -> None:
    blocks = whole_page(f"<body>{MENU}<p>{TEXT}</p>{FOOT}</body>".encode(), "a.eml", ReadOptions())
    assert [block.text for block in blocks][:3] == ["• 首页", "• 政务公开", TEXT]


ODD = (b"<table>", b"<td colspan=0 rowspan=99>", b"\0", b"</div>", b"<ol>", b"&#xD800;", b"<", b"<p style=a:;>")


@pytest.mark.parametrize("seed", range(60))
def test_changed_bytes_end_in_a_reading_or_a_clear_error(seed: int) -> None:
    chance = random.Random(seed)
    body = f"{MENU}{ROWS['table']}{ROWS['list']}<div id='zoom'><h2>一</h2><p>{TEXT}</p></div>{FOOT}"
    data = bytearray(f"<html><head>{META}</head><body>{body}</body>".encode())
    for _ in range(chance.choice((1, 5, 50))):
        place = chance.randrange(len(data))
        match chance.randrange(3):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place:place + chance.randrange(1, 40)]
            case _:
                data[place:place] = chance.choice(ODD)
    with suppress(IngestError):
        read_html(bytes(data), "a.html", ReadOptions())


def bare(text: str) -> str:
    return re.sub(r"[\s　|-]", "", text)


@needs_shared
@pytest.mark.parametrize("name", ["06", "08", "10b", "16", "20b", "27c", "36b", "37"])
def test_every_visible_character_of_a_real_page_is_in_one_block(name: str) -> None:
    path = next(PAGES.glob(f"{name}_*"))
    reading = read_html(path.read_bytes(), path.name, ReadOptions())
    items = items_of(parse_html(path.read_bytes(), path.name), max_cells=99_999, source="")
    shown = Counter(bare("".join(item.text for item in items if item.grid is None)))
    cells = [cell for item in items if item.grid for row in item.grid.rows for cell in row]
    read_text = Counter(bare("".join(block.text for block in reading.blocks)))
    assert read_text == shown + Counter(bare("".join(cells)))


@needs_shared
@pytest.mark.parametrize(("name", "first", "last", "count"), [
    ("06", "为持续深入推进全民参保计划", "2025年10月14日", 1),
    ("08", "穗卫函〔2023〕1930号", "", 2),
    ("10b", "穗医保规字〔2019〕4号", "公开方式：主动公开", 1),
    ("11", "穗府办规〔2024〕13号", "", 0),
    ("14", "房屋租赁登记备案是什么？", "", 1),
    ("16", "1、一次性创业资助", "补贴期限：一次性。", 0),
    ("18", "穗人社规字〔2019〕6号", "公开方式：主动公开", 6),
    ("27c", "为进一步完善和规范我市困难残疾人生活补贴", "一图读懂：https", 0),
    ("36b", "穗府办规〔2025〕8号", "广州市人民政府办公厅秘书处 2025年7月4日印发", 1),
    ("37", "（2021年7月27日中华人民共和国国务院令第746号公布）", "第五十五条　本条例自2022年3月1日起施行。", 0),
])
def test_real_pages_begin_and_end_where_their_documents_do(name: str, first: str, last: str, count: int) -> None:
    path = next(PAGES.glob(f"{name}_*"))
    reading = read_html(path.read_bytes(), path.name, ReadOptions())
    body = [block for block in reading.blocks if not block.kind.is_furniture and block.kind is not BlockKind.TITLE]
    assert body[0].text.startswith(first)
    assert body[-1].text.startswith(last)
    assert len(tables(reading)) == count
    assert reading.hints["title"]
