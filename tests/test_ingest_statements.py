"""What a document states about itself is found on lines and in run-together text, each with the span it came from."""

from __future__ import annotations

from datetime import date

import pytest

from core.errors import IngestError
from core.records import OfficialField, Rank, Reject
from ingest.official import Official, read_official

LETTER = (
    "临政办发〔2024〕12号\n临澜市人民政府办公厅关于印发临澜市供热管理办法的通知\n"
    "各区、县人民政府，市政府各部门：\n"
    "《临澜市供热管理办法》已经市人民政府同意，现印发给你们，请认真贯彻执行。\n附件：1.供热标准表\n2.收费目录.docx\n"
    "临澜市人民政府办公厅\n2024年8月26日\n（此件公开发布）\n临澜市供热管理办法\n"
    "第一条　为规范供热，根据《中华人民共和国节约能源法》《江岳省供热条例》（江岳省人大公告第3号）等规定，"
    "制定本办法。\n"
    "第二条　市住房和城乡建设局主管供热。\n第九条　本办法自2024年9月1日起施行，有效期5年。"
    "《临澜市供热暂行办法》（临政办发〔2019〕3号）同时废止。\n抄送：市委各部门，市人大常委会办公厅。\n"
    "临澜市人民政府办公厅 2024年8月28日印发\n"
)
REGIONS = {"900000": "江岳省", "900100": "临澜市", "900102": "澜东区"}


def read(text: str, *, source: str = "甲.txt", **hints: str) -> Official:
    return read_official(text, (0, len(text)), hints, source, REGIONS)


def values(official: Official, name: str) -> list[str]:
    return [field.value for field in official.fields if field.name == name]


def field(official: Official, name: str) -> OfficialField:
    return next(item for item in official.fields if item.name == name)


@pytest.mark.parametrize(("name", "expected"), [
    ("标题", ["临澜市人民政府办公厅关于印发临澜市供热管理办法的通知"]),
    ("发文机关", ["临澜市人民政府办公厅"]),
    ("发文字号", ["临政办发〔2024〕12号"]),
    ("主送机关", ["各区、县人民政府，市政府各部门"]),
    ("成文日期", ["2024-08-26"]),
    ("发布日期", ["2024-08-28"]),
    ("施行日期", ["2024-09-01"]),
    ("失效日期", ["2029-09-01"]),
    ("文种", ["通知"]),
    ("附件", ["供热标准表", "收费目录"]),
    ("抄送", ["市委各部门，市人大常委会办公厅"]),
    ("公开属性", ["主动公开"]),
    ("行政层级", ["市"]),
    ("适用区域", ["900100"]),
    ("依据", ["中华人民共和国节约能源法", "江岳省供热条例"]),
    ("废止", ["临澜市供热暂行办法"]),
    ("修改", []),
])
@pytest.mark.parametrize("gap", ["\n", "", " "], ids=["lines", "run together", "spaces"])
def test_a_notice_is_read_on_lines_and_run_together(name: str, expected: list[str], gap: str) -> None:
    assert values(read(LETTER.replace("\n", gap)), name) == expected


@pytest.mark.parametrize("name", ["标题", "发文机关", "发文字号", "主送机关", "附件", "抄送", "依据", "废止"])
def test_the_span_of_a_field_holds_its_value(name: str) -> None:
    for item in read(LETTER).fields:
        if item.name == name:
            assert item.start is not None
            assert item.end is not None
            assert LETTER[item.start : item.end] == item.value


def test_spans_count_from_the_start_of_the_text_and_not_of_its_body() -> None:
    text = "---\n标题: 办法\n---\n" + LETTER
    official = read_official(text, (0, len(text)), {}, "甲.md", REGIONS)
    number = field(official, "发文字号")
    assert text[number.start : number.end] == "临政办发〔2024〕12号"


def test_facts_follow_from_the_fields() -> None:
    facts = read(LETTER).facts
    assert (facts.doc_no, facts.issuer, facts.kind) == ("临政办发〔2024〕12号", "临澜市人民政府办公厅", "通知")
    assert (facts.level, facts.region, facts.rank) == ("市", "900100", Rank.NORMATIVE_DOCUMENT)
    assert (facts.dated, facts.effective_to) == (date(2024, 8, 26), date(2029, 9, 1))
    assert facts.public


def test_the_editors_word_stands_above_the_text() -> None:
    official = read(f"---\n标题: 供热办法\n失效日期: 2027-01-01\n公开属性: 内部\n---\n{LETTER}", source="甲.md")
    assert (official.facts.title, official.facts.effective_to) == ("供热办法", date(2027, 1, 1))
    assert not official.facts.public
    assert official.facts.doc_no == "临政办发〔2024〕12号"       # not written by the editor
    assert field(official, "标题").confidence == 1.0


@pytest.mark.parametrize(("hints", "name", "expected"), [
    ({"doc_no": "临政办发〔2020〕1号"}, "发文字号", "临政办发〔2024〕12号"),
    ({"dated": "2020-01-01"}, "成文日期", "2024-08-26"),
    ({"published_on": "2024-09-03"}, "发布日期", "2024-09-03"),
    ({"effective_to": "2030-09-01"}, "失效日期", "2030-09-01"),       # extended since
    ({"effective_to": "2025-03-05"}, "失效日期", "2025-03-05"),       # repealed early
    ({"effective_to": "2029-08-31"}, "失效日期", "2029-09-01"),       # the last day with force, as some sites print it
])
def test_the_text_wins_over_the_pages_row_except_where_the_page_knows_what_came_later(
    hints: dict[str, str], name: str, expected: str
) -> None:
    assert values(read(LETTER, **hints), name) == [expected]


def test_what_only_the_page_says_has_no_span() -> None:
    official = read("第一条　甲。\n第二条　乙。", title="供热办法", doc_no="临政[2024]第3号", issuer="临澜市人民政府")
    assert values(official, "发文字号") == ["临政〔2024〕3号"]
    assert field(official, "发文机关").start is None
    assert field(official, "适用区域").value == "900100"


@pytest.mark.parametrize(("text", "issuers"), [
    ("甲。\n教育部 财政部\n2024年1月2日", ["教育部", "财政部"]),
    ("甲。教育部财政部人力资源社会保障部2024年1月2日", ["教育部", "财政部", "人力资源社会保障部"]),
    ("甲。附件：获奖名单河北省教育厅河北省财政厅2024年1月2日", ["河北省教育厅", "河北省财政厅"]),
    ("甲。国家税务总局河北省税务局2024年1月2日", ["国家税务总局河北省税务局"]),
    ("甲。\n中共临澜市委\n临澜市人民政府\n二〇二四年一月二日", ["中共临澜市委", "临澜市人民政府"]),
    ("甲。邮寄地址：河北省教育厅科技处河北省教育厅2024年1月2日", ["河北省教育厅"]),
    ("甲。国家统计局国家林业和草原局2024年1月2日", ["国家统计局", "国家林业和草原局"]),
    (
        "甲。河北省财政厅中国人民银行石家庄中心支行中国农业银行股份有限公司河北省分行2024年1月2日",
        ["河北省财政厅", "中国人民银行石家庄中心支行", "中国农业银行股份有限公司河北省分行"],
    ),
    ("甲。\n共青团河北省委中国铁路北京局集团有限公司\n2024年1月2日",
     ["共青团河北省委", "中国铁路北京局集团有限公司"]),
])
def test_bodies_that_sign_together_are_told_apart(text: str, issuers: list[str]) -> None:
    assert values(read(text, title="关于供热的通知"), "发文机关") == issuers


def test_a_date_in_a_sentence_is_no_signature() -> None:
    text = "甲。本办法由临澜市人民政府2020年1月2日批准。\n临澜市城市管理局\n2024年3月4日"
    assert values(read(text, title="关于供热的通知"), "成文日期") == ["2024-03-04"]


@pytest.mark.parametrize(("title", "text", "expected"), [
    ("供热办法", "临澜市人民政府关于印发《供热办法》的通知各区：\n甲。", "临澜市人民政府关于印发《供热办法》的通知"),
    ("【政策】供热通知 - 临澜市政府网站", "甲。", "供热通知"),
    ("科学技术部令第4号 国家计划规定", "科学技术部令第4号国家计划规定2001年1月20日", "国家计划规定"),
    ("关于做好供热工作的...", "各区：现将有关事项通知如下。", "关于做好供热工作的通知"),
    ("关于印发《全市供热管理工作...", "现将《全市供热管理工作方案》印发。", "关于印发《全市供热管理工作方案》的通知"),
    ("《供热管理办法》", "第一条　甲。", "供热管理办法"),
])
def test_the_title_is_whole_and_that_of_the_notice(title: str, text: str, expected: str) -> None:
    assert read(text, title=title).facts.title == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("冀科区〔2020〕10号各市：甲。", "冀科区〔2020〕10号"),
    ("（人社厅发〔2022〕41号）为做好工作，甲。", "人社厅发〔2022〕41号"),
    ("关于供热的通知\n商服贸函2026年第322号\n各市：甲。", "商服贸函〔2026〕322号"),
    ("广州市人民政府令\n第179号\n《供热办法》现予公布。", "广州市人民政府令第179号"),
    ("供热条例\n（2021年7月27日中华人民共和国国务院令第746号公布）\n第一条　甲。", "中华人民共和国国务院令第746号"),
])
def test_the_number_of_the_document_itself_is_found(text: str, expected: str) -> None:
    assert read(text, title="关于供热的通知").facts.doc_no == expected


@pytest.mark.parametrize("text", [
    "根据《供热条例》（临政发〔2020〕1号），现通知如下。",
    "按照临政办发〔2020〕3号要求，现通知如下。",
    "各区：\n临交字〔2005〕343号文收悉。经研究，同意。",
])
def test_a_number_that_is_cited_is_not_its_own(text: str) -> None:
    assert read(text, title="关于供热的通知").facts.doc_no is None


@pytest.mark.parametrize(("title", "text", "issuers"), [
    ("河北省教育厅2023年工作要点", "一、甲。", ["河北省教育厅"]),
    ("河北省教育厅政务公开工作要点", "一、甲。", ["河北省教育厅"]),
    ("河北省教育发展工作要点", "一、甲。", []),
    ("河北省教育厅直属学校管理办法", "第一条　甲。", []),
    (
        "中共中央办公厅 国务院办公厅印发《甲意见》",
        "新华社北京9月4日电近日，中共中央办公厅、国务院办公厅印发了《甲意见》。《甲意见》全文如下。一、乙。",
        ["中共中央办公厅", "国务院办公厅"],
    ),
    ("某省印发《甲意见》", "近日，河北省教育厅印发了《甲意见》。记者了解到，乙。", []),
])
def test_who_issued_an_unsigned_text_is_read_from_its_head(title: str, text: str, issuers: list[str]) -> None:
    assert values(read(text, title=title), "发文机关") == issuers


def test_a_report_that_prints_a_document_in_full_is_of_its_kind() -> None:
    report = "新华社北京9月4日电近日，中共中央办公厅印发了《关于供热的意见》。"
    title = "中共中央办公厅印发《关于供热的意见》"
    assert values(read(report + "《关于供热的意见》全文如下。一、甲。", title=title), "文种") == ["意见"]
    assert values(read(report + "《意见》指出，甲。", title=title), "文种") == ["新闻"]


def test_labelled_rows_above_a_rule_are_its_history() -> None:
    rows = "【颁布部门】河北省人大常委会【颁布日期】1997年06月29日【生效日期】1997年10月01日【正文】第一条　甲。"
    official = read(f"河北省供热条例\n{rows}第二条　本条例自公布之日起施行。", title="河北省供热条例")
    assert values(official, "发文机关") == ["河北省人大常委会"]
    assert values(official, "成文日期") == ["1997-06-29"]
    assert values(official, "施行日期") == ["1997-10-01"]


@pytest.mark.parametrize(("clause", "start", "end"), [
    ("本办法自2024年9月1日施行。", "2024-09-01", None),
    ("按照《供热规范》（2017年7月1日施行）供热。", None, None),
    ("本办法自发布之日起予以实施。", "2024-08-26", None),
    ("2020年1月1日施行的《供热条例》同时废止。", None, None),
    ("本办法自2024年9月1日起施行，有效期至2025年12月31日。", "2024-09-01", "2026-01-01"),
    ("本办法自2024年2月29日起施行，有效期一年。", "2024-02-29", "2025-02-28"),
    ("本办法自2024年9月1日起施行。有效期三年。", "2024-09-01", "2027-09-01"),
    ("本办法自印发之日起施行，有效期2年。", "2024-08-26", "2026-08-26"),
    ("本办法自2024年9月1日起施行。许可证有效期5年。", "2024-09-01", None),
    ("许可证自发放之日起有效期五年。", None, None),
    ("水权备案自准予备案之日起生效，有效期为10年。本办法自2024年9月1日起施行。", "2024-09-01", None),
    ("以上政策执行期限截止2025年12月31日。", None, "2026-01-01"),
    ("《供热条例》自2020年1月1日起施行后，各区应当执行。", None, None),
])
def test_the_term_of_a_document_is_its_own(clause: str, start: str | None, end: str | None) -> None:
    official = read(f"第一条　甲。\n第二条　{clause}\n临澜市人民政府\n2024年8月26日", title="供热办法")
    assert values(official, "施行日期") == ([start] if start else [])
    assert values(official, "失效日期") == ([end] if end else [])


@pytest.mark.parametrize(("sentence", "expected"), [
    ("《甲办法》《乙办法》同时废止。", ["甲办法", "乙办法"]),
    ("自2024年9月1日起施行，《甲办法》（临政〔2019〕3号）同时废止。", ["甲办法"]),
    ("临政发〔2013〕15号同时废止。", ["临政发〔2013〕15号"]),
    ("2018年印发的《甲办法》（临政〔2018〕1号）废止。", ["甲办法"]),
    ("决定废止《甲办法》和《乙规定》。", ["甲办法", "乙规定"]),
    ("对73件文件予以废止。", []),
    ("《甲办法》第三条同时废止。", []),
    ("2001年通过、根据《关于修改甲办法的决定》第一次修正的《甲办法》同时废止。", ["甲办法"]),
    ("《甲条例》中有关供热的规定同时废止。", []),
    ("依法应当修改或者废止《甲办法》的，另行通知。", []),
])
def test_only_what_is_repealed_whole_is_listed(sentence: str, expected: list[str]) -> None:
    assert values(read(f"第一条　甲。\n第二条　乙。{sentence}", title="供热办法"), "废止") == expected


@pytest.mark.parametrize(("title", "text", "expected"), [
    ("关于修改《供热办法》的决定", "甲。", ["供热办法"]),
    ("关于供热的通知", "现对《供热办法》作如下修改：一、甲。", ["供热办法"]),
    ("关于供热的通知", "修改后的《供热办法》另行印发。", []),
])
def test_what_is_amended_is_named(title: str, text: str, expected: list[str]) -> None:
    assert values(read(text, title=title), "修改") == expected


@pytest.mark.parametrize(("opening", "expected"), [
    ("为贯彻落实省政府《甲意见》和《乙计划》（冀发〔2016〕29号）精神，现通知如下。", ["甲意见", "乙计划"]),
    ("根据《省厅关于印发〈甲办法〉的通知》要求，现通知如下。", ["省厅关于印发〈甲办法〉的通知"]),
    ("为落实《甲条例》精神和《乙意见》要求，现通知如下。", ["甲条例", "乙意见"]),
    ("为落实市委十届一、二、三次全会部署，推行“五证合一、一照一码”，根据《甲意见》，现通知如下。", ["甲意见"]),
    ("为做好《甲意见》贯彻落实工作，现通知如下。", ["甲意见"]),
    ("近年来，全市认真落实《甲意见》，成效明显。", []),
    ("我们研究制定了《甲办法》，现印发给你们。", []),
])
def test_the_ground_is_what_the_opening_names(opening: str, expected: list[str]) -> None:
    assert values(read(f"各区：\n{opening}\n一、执行《丙办法》。", title="关于供热的通知"), "依据") == expected


@pytest.mark.parametrize(("listed", "expected"), [
    ("附件：1.甲表.docx 2.乙表.xlsx 临澜市城市管理局 2024年1月2日", ["甲表", "乙表"]),
    ("附件：1.甲表2.乙表3.2024年丙表临澜市城市管理局2024年1月2日附件1甲表一、项目", ["甲表", "乙表", "2024年丙表"]),
    ("附件：供热标准表\n临澜市城市管理局\n2024年1月2日", ["供热标准表"]),
    ("附件：临澜市城市管理局2024年1月2日", []),
    ("1. 甲表\n2. 乙表\n临澜市城市管理局\n2024年1月2日", ["甲表", "乙表"]),
    ("临澜市城市管理局\n2024年1月2日\n附件1：甲表.doc\n附件2：乙表.doc\n附件1：甲表.doc", ["甲表", "乙表"]),
    ("见附件1。临澜市城市管理局2024年1月2日（此件主动公开）1．甲表.docx2．乙表.docx更多信息", ["甲表", "乙表"]),
])
def test_attachments_are_listed_by_name(listed: str, expected: list[str]) -> None:
    assert values(read(f"请执行。\n{listed}", title="关于供热的通知"), "附件") == expected


@pytest.mark.parametrize("head", [
    "机密★1年\n临澜市人民政府文件\n", "秘密\n特急\n", "000001\n绝密★启用前\n", "密级：秘密\n",
    "内部资料　注意保存\n", "【内部文件】\n",
])
def test_a_marked_document_is_refused_at_the_door(head: str) -> None:
    with pytest.raises(IngestError) as caught:
        read(f"{head}关于供热的通知\n各区：\n甲。")
    assert caught.value.code is Reject.CLASSIFIED
    assert caught.value.place == "甲.txt"
    assert "移出" in caught.value.reason


@pytest.mark.parametrize("text", [
    "中华人民共和国保守国家秘密法\n第一条　国家秘密的密级分为绝密、机密、秘密三级。",
    "关于内部资料性出版物的办法\n第一条　内部资料的印刷，应当登记。",
    "关于供热的通知\n各区：\n加强单位内部管理，不得泄露机密。",
    "附件3\n密级、保密期限由单位确定。",
])
def test_a_text_about_secrets_is_not_secret(text: str) -> None:
    assert read(text).facts.public


@pytest.mark.parametrize(("title", "text", "kind", "rank"), [
    ("关于供热的复函", "甲市：\n同意。", "函", Rank.OTHER),
    ("《供热办法》政策解读", "一、背景\n甲。", "解读", Rank.OTHER),
    ("供热常见问题解答", "问：甲？\n答：乙。", "问答", Rank.FAQ),
    ("怎么申请供热补贴？", "一、申请条件\n甲。\n二、申请材料\n乙。", "指南", Rank.GUIDE),
    ("供热行动计划（2020—2022年）", "甲。", "计划", Rank.OTHER),
    ("供热管理条例", "中华人民共和国国务院令第3号\n《供热管理条例》现予公布。", "令", Rank.ADMINISTRATIVE_REGULATION),
    ("供热办法", "（2024年1月2日民政部令第3号公布）\n第一条　甲。", "办法", Rank.DEPARTMENT_RULE),
    ("供热办法", "临澜市人民政府令第3号\n《供热办法》现予公布。", "令", Rank.LOCAL_RULE),
    ("供热条例", "（2024年1月2日江岳省第十届人民代表大会常务委员会第三次会议通过）\n第一条　甲。", "条例",
     Rank.LOCAL_REGULATION),
    ("最高人民法院关于供热纠纷的解释", "第一条　甲。", "其他", Rank.JUDICIAL_INTERPRETATION),
])
def test_kind_and_rank_follow_from_title_and_issuer(title: str, text: str, kind: str, rank: Rank) -> None:
    facts = read(text, title=title).facts
    assert (facts.kind, facts.rank) == (kind, rank)


def test_an_explanation_has_no_dates_grounds_or_repeals_of_its_own() -> None:
    official = read("根据《甲》，自2024年1月2日起施行，《乙》同时废止。", title="《供热办法》解读")
    assert {item.name for item in official.fields} == {"标题", "文种"}


def test_a_national_body_has_no_region_as_a_fact() -> None:
    official = read("甲。\n民政部\n2024年1月2日", title="关于供热的通知")
    assert (values(official, "适用区域"), official.facts.region, official.facts.level) == (["000000"], None, "国家")


def test_a_short_name_is_placed_by_the_regions_the_page_speaks_of() -> None:
    text = "供热指南\n一、申请条件\n甲。\n二、申请材料\n乙。\n来源：区住建局\n主办：临澜市澜东区人民政府 澜东区"
    official = read_official(text, (0, 30), {"title": "供热指南"}, "甲.html", REGIONS)
    assert (official.facts.issuer, official.facts.region, official.facts.level) == ("区住建局", "900102", "县")


@pytest.mark.parametrize("text", ["", "。", "《" * 3000, "（2024年" * 2000, "附件：1." * 2000, "\n" * 5000])
def test_odd_text_gives_what_there_is(text: str) -> None:
    assert read(text, title="供热").facts.title == "供热"


@pytest.mark.parametrize(("text", "number", "issuers"), [
    ("人事部、商务部令第2号\n《供热规定》现予公布。", "人事部、商务部令第2号", ["人事部", "商务部"]),
    ("供热管理办法江岳省人民政府令〔2009〕第5号\n甲。", "江岳省人民政府令〔2009〕第5号", ["江岳省人民政府"]),
    ("国家知识产权局局长令（第30号）\n甲。", "国家知识产权局局长令第30号", ["国家知识产权局"]),
    ("中华人民共和国供热法中华人民共和国主席令第七号\n甲。", "中华人民共和国主席令第七号", ["中华人民共和国主席"]),
    ("财政部税务总局公告2022年第32号为支持创新，现公告如下。\n财政部税务总局\n2022年9月30日",
     "财政部税务总局公告2022年第32号", ["财政部", "税务总局"]),
])
def test_an_order_is_numbered_as_written_and_issued_by_all_who_gave_it(
    text: str, number: str, issuers: list[str]
) -> None:
    official = read(text, title="供热管理办法")
    assert (official.facts.doc_no, values(official, "发文机关")) == (number, issuers)


def test_an_order_that_prints_an_older_rule_holds_from_its_own_day() -> None:
    text = (
        "国务院令第9号\n《决定》现予公布，自公布之日起施行。\n总理 某某\n2024年5月26日\n"
        "第一条　本条例自2020年12月1日起施行。"
    )
    assert read(text, title="供热条例").facts.effective_from == date(2024, 5, 26)
